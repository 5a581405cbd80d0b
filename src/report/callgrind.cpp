#include "report/callgrind.h"

#include <fmt/format.h>

#include <map>
#include <ranges>
#include <utility>

#include "base/printable.h"
#include "machine/events.h"
#include "report/profile_report.h"

namespace dojo::report {
namespace {

// "(1) main", and later "(1)".
class NumberedNames {
public:
  std::string operator()(const std::string& name) {
    const auto [known, is_new] = numbers_.try_emplace(name, numbers_.size() + 1);
    return is_new ? fmt::format("({}) {}", known->second, printable(name))
                  : fmt::format("({})", known->second);
  }

private:
  std::map<std::string, std::size_t> numbers_;
};

std::string costs(const system::ProfileEntry& entry) {
  return fmt::format("{} {} {}\n", entry.total(), entry.instructions, fmt::join(entry.cycles, " "));
}

}  // namespace

std::string callgrind_text(std::string_view program, const system::Profile& profile,
                           const runtime::SourceLines& places) {
  std::string text = fmt::format(
      "# callgrind format\nversion: 1\ncreator: dojo profile\ncmd: {}\npositions: line\nevents: Cycles "
      "Instructions {}\nsummary: {}",
      printable(program), fmt::join(machine::cause_events | std::views::transform(machine::name_of), " "),
      costs(sum_of(profile)));
  std::map<std::string, std::map<std::pair<std::string, unsigned>, system::ProfileEntry>> functions;
  for (const auto& [pc, entry] : profile) {
    const runtime::SourceLine& place = places.at(pc);
    functions[place.function][{place.file.empty() ? "??" : place.file, place.line}] += entry;
  }
  NumberedNames file_names, function_names;
  for (const auto& [function, lines] : functions) {
    std::string file = lines.begin()->first.first;
    text += fmt::format("\nfl={}\nfn={}\n", file_names(file), function_names(function));
    for (const auto& [where, entry] : lines) {
      if (where.first != file) text += fmt::format("fi={}\n", file_names(where.first));
      file = where.first;
      text += fmt::format("{} {}", where.second, costs(entry));
    }
  }
  return text;
}

}  // namespace dojo::report
