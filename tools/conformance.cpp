// dojo conformance: folders of cases as ONNX's backend tests lie, each through importer, interpreter, fuser
// and the emulated machine. A line for each case that is refused, wrong or did not
// run on the machine, a table by operator.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "base/printable.h"
#include "commands.h"
#include "machine/machine.h"
#include "machine_options.h"
#include "report/duration.h"
#include "runtime/conformance.h"

namespace dojo::tools {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct ConformanceOptions {
  std::string folder, machine = "test6";
  bool interpret_only = false, json = false;
};

constexpr const char* outcome_names[] = {"passed", "refused", "wrong"};

const char* said_of(const runtime::CaseVerdict& verdict) {
  return verdict.outcome == runtime::CaseOutcome::passed
             ? "passed as known numbers alone"
             : outcome_names[static_cast<std::size_t>(verdict.outcome)];
}

// Rewritten in place on a terminal; elsewhere the findings alone show how far it is.
class Counter {
public:
  explicit Counter(std::size_t all) : all_(all) {}
  void show(std::size_t done) const {
    if (!terminal_) return;
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
    const double left = spent.count() / static_cast<double>(done) * static_cast<double>(all_ - done);
    fmt::print(stderr, "\r\033[K{}{}", fmt::format("case {}/{}, {} left", done, all_, report::duration(left)),
               done == all_ ? "\r\033[K" : "");
  }

private:
  std::size_t all_;
  bool terminal_ = isatty(STDERR_FILENO) != 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

int run_conformance(const ConformanceOptions& options) {
  const std::vector<runtime::ConformanceCase> places = runtime::find_cases(options.folder);
  const machine::Machine machine = machine::read_machine(options.machine);
  const Counter counter(places.size());
  std::map<std::string, std::array<int, 3>> by_op;
  std::array<int, 3> total{};
  int on_machine = 0;
  Json cases = Json::array();
  for (std::size_t k = 0; k < places.size(); ++k) {
    const runtime::CaseVerdict verdict =
        runtime::judge_case(places[k], options.interpret_only ? nullptr : &machine);
    const auto which = static_cast<std::size_t>(verdict.outcome);
    const fs::path inside = fs::relative(places[k].folder, options.folder);
    const std::string name =
        inside == "." ? fs::canonical(options.folder).filename().string() : inside.string();
    ++by_op[verdict.op][which], ++total[which];
    on_machine += verdict.on_machine;
    cases.push_back({{"case", name},
                     {"set", places[k].set},
                     {"op", verdict.op},
                     {"outcome", outcome_names[which]},
                     {"on_machine", verdict.on_machine},
                     {"why", verdict.why}});
    if (!options.json && !verdict.why.empty())
      fmt::print("{}\n", printable(fmt::format("{}: {}: {}", said_of(verdict), name, verdict.why)));
    counter.show(k + 1);
  }
  if (options.json) {
    const Json all = {{"passed", total[0]},
                      {"on_machine", on_machine},
                      {"refused", total[1]},
                      {"wrong", total[2]},
                      {"cases", cases}};
    fmt::print("{}\n", json_text(all, 2));
  } else {
    fmt::print("\n{:<24} {:>7} {:>8} {:>6}\n", "operator", "passed", "refused", "wrong");
    for (const auto& [op, counts] : by_op)
      fmt::print("{:<24} {:>7} {:>8} {:>6}\n", op, counts[0], counts[1], counts[2]);
    fmt::print("{:<24} {:>7} {:>8} {:>6}\n{} of them on the emulated machine\n", "all", total[0], total[1],
               total[2], on_machine);
  }
  return total[2] == 0 ? 0 : 1;
}

}  // namespace

Command conformance_command() {
  auto options = std::make_shared<ConformanceOptions>();
  ConformanceOptions& o = *options;
  return {.name = "conformance",
          .summary = "Run cases that lie as ONNX's backend tests do; 1 if any is wrong",
          .options = {{.name = "DIR",
                       .into = &o.folder,
                       .help = "Folder of cases, or one case",
                       .is_path = true,
                       .required = true},
                      machine_option(o.machine),
                      {.name = "--interpret-only",
                       .into = &o.interpret_only,
                       .help = "Interpreter and fuser alone, not the emulated machine"},
                      {.name = "--json", .into = &o.json, .help = "Print every case as JSON"}},
          .run = [options](Command&) { return run_conformance(*options); }};
}

}  // namespace dojo::tools
