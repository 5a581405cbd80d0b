// dojo profile: runs a program and says where its cycles went, by function and by source line.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <ranges>
#include <set>
#include <sstream>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/json_text.h"
#include "base/printable.h"
#include "base/temporary_folder.h"
#include "commands.h"
#include "output_files.h"
#include "run_program.h"
#include "say.h"
#include "stop_request.h"
#include "system/profile.h"
#include "toolchain/tool.h"

namespace dojo::tools {

namespace {

using system::Profile;
using system::ProfileEntry;

struct ProfileOptions : ProgramOptions {
  unsigned rows = 20;
  bool json = false, all = false;
  std::string callgrind;
};

struct SourceLine {
  std::string function, file;
  unsigned line = 0;

  std::string source() const { return line == 0 ? "??" : fmt::format("{}:{}", file, line); }
};

// Of picolibc or the compiler's own routines, as their packages were built: hundreds of lines that nobody is
// about to change.
bool in_c_library(const SourceLine& place) {
  constexpr std::array<std::string_view, 4> folders{"/newlib/libc/", "/newlib/libm/", "/picolibc/",
                                                    "/libgcc/"};
  return std::ranges::any_of(
      folders, [&](std::string_view folder) { return place.file.find(folder) != std::string::npos; });
}

using SourceLines = std::map<std::uint64_t, SourceLine>;
using Rows = std::vector<std::pair<std::string, ProfileEntry>>;

// What llvm-symbolizer, which reads DWARF, answers: a line of JSON for each address.
std::string answers_of(const std::string& tool, const ProfileOptions& options, const Profile& profile) {
  const TemporaryFolder folder("dojo-profile");
  const std::filesystem::path questions = folder.path() / "addresses", answers = folder.path() / "answers";
  std::string text;
  for (const auto& [pc, entry] : profile) text += fmt::format("{:#x}\n", pc);
  write_text(questions, text);
  const std::string file = std::filesystem::absolute(options.program).string();
  if (!toolchain::ask_tool({tool, "--obj=" + file, "--output-style=JSON"}, folder.path(), questions, answers))
    refuse(tool, "cannot read {}", file);
  return read_text(answers);
}

// An instruction counts for the function that holds it and for the line it was written on, be it inlined.
SourceLine line_from(const nlohmann::json& answer) {
  const auto frames = answer.value("Symbol", nlohmann::json::array());
  if (frames.empty()) return {};
  return {.function = frames.back().value("FunctionName", ""),
          .file = frames.front().value("FileName", ""),
          .line = frames.front().value("Line", 0u)};
}

SourceLines find_lines(const ProfileOptions& options, const system::Program& program,
                       const Profile& profile) {
  const std::string tool = toolchain::find_tool("llvm-symbolizer-22", "llvm-22").string();
  std::istringstream lines(answers_of(tool, options, profile));
  SourceLines places;
  for (const auto& [pc, entry] : profile) {
    SourceLine& place = places[pc];
    std::string line;
    std::getline(lines, line);
    try {
      place = line_from(nlohmann::json::parse(line));
    } catch (const nlohmann::json::exception&) {
      refuse(tool, "does not say where {:#x} is in {}, but '{}'", pc, options.program, line.substr(0, 60));
    }
    if (place.function.empty()) place.function = program.locate(pc);
    place.function = place.function.substr(0, place.function.rfind("+0x"));
    if (place.function.empty()) place.function = fmt::format("{:#x}", pc);
  }
  return places;
}

template <typename Name>
Rows sorted_by(const Profile& profile, const SourceLines& places, Name name) {
  std::map<std::string, ProfileEntry> sums;
  for (const auto& [pc, entry] : profile) sums[name(places.at(pc))] += entry;
  Rows rows(sums.begin(), sums.end());
  std::ranges::stable_sort(rows,
                           [](const auto& a, const auto& b) { return a.second.total() > b.second.total(); });
  return rows;
}

// By source line; those of the C library in one row, unless `all` is to be seen.
Rows lines_of(const Profile& profile, const SourceLines& places, bool all) {
  std::set<std::string> folded;
  if (!all)
    for (const auto& [pc, place] : places)
      if (in_c_library(place)) folded.insert(place.source());
  const std::string row = fmt::format("C library ({} lines; --all shows them)", folded.size());
  return sorted_by(profile, places, [&](const SourceLine& place) {
    const std::string source = place.source();
    return folded.contains(source) ? row : source;
  });
}

void print_rows(const char* title, const Rows& rows, unsigned most, const ProfileEntry& sum) {
  fmt::print("\n{:>12} {:>6} {:>12} {:>5}", "cycles", "%", "instructions", "IPC");
  std::vector<std::size_t> shown;
  for (std::size_t c = 0; c < sum.cycles.size(); ++c)
    if (sum.cycles[c] != 0) shown.push_back(c);
  for (const std::size_t c : shown) fmt::print(" {:>11.11}", name_of(machine::cause_events[c]));
  fmt::print("  {}\n", title);
  const auto line = [&](const std::string& name, const ProfileEntry& entry) {
    const auto total = static_cast<double>(entry.total());
    fmt::print("{:>12} {:>6.1f} {:>12} {:>5.2f}", entry.total(),
               100 * total / static_cast<double>(std::max<std::uint64_t>(1, sum.total())), entry.instructions,
               total == 0 ? 0 : static_cast<double>(entry.instructions) / total);
    for (const std::size_t c : shown) fmt::print(" {:>11}", entry.cycles[c]);
    fmt::print("  {}\n", printable(name));
  };
  ProfileEntry rest;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (i < most)
      line(rows[i].first, rows[i].second);
    else
      rest += rows[i].second;
  if (rows.size() > most) line(fmt::format("({} more)", rows.size() - most), rest);
  line("all", sum);
}

nlohmann::ordered_json json_of(const ProfileEntry& entry) {
  nlohmann::ordered_json json{{"cycles", entry.total()}, {"instructions", entry.instructions}};
  for (std::size_t c = 0; c < entry.cycles.size(); ++c)
    json["cycles_by_cause"][std::string(name_of(machine::cause_events[c]))] = entry.cycles[c];
  return json;
}

nlohmann::ordered_json json_of(const Rows& rows) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& [name, entry] : rows) {
    auto row = json_of(entry);
    row["name"] = name;
    list.push_back(std::move(row));
  }
  return list;
}

// The format of valgrind's callgrind, as its manual describes it: per function the costs of its lines.
void write_callgrind(const ProfileOptions& options, const Profile& profile, const SourceLines& places,
                     const ProfileEntry& sum) {
  const auto costs = [](const ProfileEntry& entry) {
    return fmt::format("{} {} {}\n", entry.total(), entry.instructions, fmt::join(entry.cycles, " "));
  };
  std::string text = fmt::format(
      "# callgrind format\nversion: 1\ncreator: dojo profile\ncmd: {}\npositions: line\nevents: Cycles "
      "Instructions {}\nsummary: {}",
      options.program, fmt::join(machine::cause_events | std::views::transform(machine::name_of), " "),
      costs(sum));
  std::map<std::string, std::map<std::pair<std::string, unsigned>, ProfileEntry>> functions;
  for (const auto& [pc, entry] : profile) {
    const SourceLine& place = places.at(pc);
    functions[place.function][{place.file, place.line}] += entry;
  }
  for (const auto& [function, lines] : functions) {
    const std::string& first = lines.begin()->first.first;
    text += fmt::format("\nfl={}\nfn={}\n", first.empty() ? "??" : first, function);
    std::string file = first;
    for (const auto& [where, entry] : lines) {
      if (where.first != file) text += fmt::format("fi={}\n", where.first.empty() ? "??" : where.first);
      file = where.first;
      text += fmt::format("{} {}", where.second, costs(entry));
    }
  }
  write_text(options.callgrind, text);
}

int profile_program(const ProfileOptions& options) {
  listen_for_stop_requests();
  const machine::Machine machine = with_memory(machine::read_machine(options.machine), options);
  std::vector<NamedFile> inputs = files_of(machine);
  inputs.push_back({"PROGRAM", options.program});
  refuse_bad_outputs(std::array{NamedFile{"--callgrind", options.callgrind}}, inputs);
  const system::Program program = program_of(options, machine);
  system::Computer computer(machine, options.nodes);
  Profile profile;
  system::LaunchOptions launch = launch_options(options);
  launch.profile = &profile;
  // The program's own words must not get into a table that another program reads.
  launch.text_output = [&](std::string_view words) {
    std::fwrite(words.data(), 1, words.size(), options.json ? stderr : stdout);
  };
  launch.host.interrupted = [] { return stop_was_asked() || std::ferror(stdout) != 0; };
  const system::LaunchResult result = computer.launch(program, 0, 0, launch);
  for (const std::string& warning : result.warnings) say("dojo: warning: {}", warning);

  if (std::ferror(stdout) != 0) refuse("standard output", "cannot be written");
  const SourceLines places = unless_stopped([&] { return find_lines(options, program, profile); });
  ProfileEntry sum;
  for (const auto& [pc, entry] : profile) sum += entry;
  const Rows functions = sorted_by(profile, places, [](const SourceLine& place) { return place.function; });
  const Rows lines = lines_of(profile, places, options.all || options.json);
  if (!options.callgrind.empty()) write_callgrind(options, profile, places, sum);
  if (options.json) {
    nlohmann::ordered_json json{{"program", options.program},
                                {"machine", machine.name},
                                {"nodes", options.nodes},
                                {"launch_cycles", result.cycles},
                                {"total", json_of(sum)}};
    json["functions"] = json_of(functions);
    json["lines"] = json_of(lines);
    fmt::print("{}\n", json_text(json, 2));
  } else {
    if (result.outcome == system::Outcome::interrupted)
      fmt::print("\n{} cycles of all threads together until it was interrupted\n", sum.total());
    else
      fmt::print("\n{} cycles, {} of all threads together\n", result.cycles, sum.total());
    print_rows("function", functions, options.rows, sum);
    print_rows("line", lines, options.rows, sum);
  }
  std::fflush(stdout);
  return exit_code_of(options, result);
}

}  // namespace

Command profile_command() {
  auto options = std::make_shared<ProfileOptions>();
  ProfileOptions& o = *options;
  return {.name = "profile",
          .summary = "Run a program: cycles per function and line, by cause",
          .options = joined(
              {program_options(o),
               {{.name = "--rows", .into = &o.rows, .help = "Functions and lines to show", .most = 1'000'000},
                {.name = "--all", .into = &o.all, .help = "Each line of the C library, too"},
                {.name = "--json", .into = &o.json, .help = "All functions and lines as JSON"},
                {.name = "--callgrind",
                 .into = &o.callgrind,
                 .help = "Also a file for kcachegrind or callgrind_annotate",
                 .is_path = true}}}),
          .run = [options](Command&) { return profile_program(*options); }};
}

}  // namespace dojo::tools
