// dojo conformance: folders of cases as ONNX's backend tests lie, each through importer, interpreter, fuser
// and the emulated machine. A line for each case that is refused or wrong, a table by operator.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json_text.h"
#include "base/printable.h"
#include "commands.h"
#include "graph/fuse.h"
#include "graph/interpreter.h"
#include "machine/machine.h"
#include "machine_options.h"
#include "onnx/case.h"
#include "report/duration.h"
#include "runtime/forward_run.h"

namespace dojo::tools {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct ConformanceOptions {
  std::string folder, machine = "test6";
  bool interpret_only = false, json = false;
};

enum class Outcome { passed, refused, wrong };
constexpr const char* outcome_names[] = {"passed", "refused", "wrong"};

struct Verdict {
  Outcome outcome = Outcome::passed;
  std::string why;
  bool on_machine = false;
};

struct DataSet {
  fs::path folder;
  std::string set;
};

// All data sets of all cases in and under a folder, in the order of their names.
std::vector<DataSet> find_cases(const fs::path& top) {
  if (!fs::is_directory(top)) refuse(top.string(), "is no folder");
  std::vector<DataSet> found;
  const auto add = [&](const fs::path& folder) {
    if (!fs::is_regular_file(folder / "model.onnx")) return;
    for (const auto& inside : fs::directory_iterator(folder))
      if (inside.is_directory() && inside.path().filename().string().starts_with("test_data_set_"))
        found.push_back({folder, inside.path().filename().string()});
  };
  add(top);
  for (const auto& entry : fs::recursive_directory_iterator(top))
    if (entry.is_directory()) add(entry.path());
  if (found.empty()) refuse(top.string(), "holds no folder with model.onnx and test_data_set_0");
  std::ranges::sort(found, {}, [](const DataSet& place) { return std::pair(place.folder, place.set); });
  return found;
}

lowering::Tensors samples_of(const onnx::Case& tested, const onnx::Network& network) {
  lowering::Tensors samples;
  for (const onnx::NetworkInput& input : network.inputs)
    samples[input.name] = onnx::to_floats(tested.inputs[0], input.name);
  return samples;
}

// The first wrong output of a run that gave `value` for output k.
std::string first_difference(const onnx::Case& tested, const onnx::Network& network, const char* stage,
                             const std::function<const std::vector<float>&(std::size_t)>& value) {
  for (std::size_t k = 0; k < tested.outputs.size(); ++k) {
    const auto& shape = network.graph.at(network.outputs[k].tensor).shape;
    const auto found = onnx::difference(value(k), shape, tested.outputs[k], network.outputs[k].name, {});
    if (found) return fmt::format("{}: {}", stage, *found);
  }
  return {};
}

std::string interpreted(const onnx::Case& tested, const onnx::Network& network, const graph::Graph& graph,
                        const char* stage) {
  graph::Interpreter interpreter(graph);
  for (const auto& [name, values] : samples_of(tested, network)) interpreter.set(graph.find(name), values);
  interpreter.run();
  return first_difference(tested, network, stage, [&](std::size_t k) -> const std::vector<float>& {
    return interpreter.value(graph.outputs[k]);
  });
}

std::string emulated(const onnx::Case& tested, const onnx::Network& network, const graph::Graph& graph,
                     const machine::Machine& machine) {
  const runtime::ForwardRun run =
      runtime::run_forward(graph, samples_of(tested, network), machine, lowering::FormatChoice::fp32);
  if (!run.stranded.empty()) return "emulated machine: " + run.stranded;
  return first_difference(tested, network, "emulated machine",
                          [&](std::size_t k) -> const std::vector<float>& {
                            return run.results.at(graph.at(graph.outputs[k]).name);
                          });
}

Verdict judge(const onnx::Case& tested, onnx::Feed feed, const machine::Machine* machine) try {
  const onnx::Network network = onnx::import_case(tested, feed);
  graph::Graph fused = network.graph;
  graph::fuse(fused);
  std::string wrong = interpreted(tested, network, network.graph, "interpreter");
  if (wrong.empty()) wrong = interpreted(tested, network, fused, "fused");
  // Without a batch nothing is left to do on the nodes.
  const bool run = wrong.empty() && machine != nullptr && feed == onnx::Feed::batch;
  if (run) wrong = emulated(tested, network, fused, *machine);
  if (!wrong.empty()) return {Outcome::wrong, wrong, run};
  return {Outcome::passed, "", run};
} catch (const UserError& error) {
  return {Outcome::refused, error.what(), false};
}

// The standard's networks are called as their folders, which the line names anyway.
std::string without_name(const std::string& why, const fs::path& folder) {
  const std::string name = folder.filename().string() + ": ";
  return why.starts_with(name) ? why.substr(name.size()) : why;
}

// A case passes with its first input as a batch or, if that is refused, with all inputs as initialisers.
Verdict judge(const DataSet& place, const machine::Machine* machine, std::string& op) try {
  const onnx::Case tested = onnx::read_case(place.folder, place.set);
  op = tested.op();
  const Verdict batched = judge(tested, onnx::Feed::batch, machine);
  if (batched.outcome != Outcome::refused) return batched;
  const Verdict whole = judge(tested, onnx::Feed::initialisers, nullptr);
  return whole.outcome == Outcome::refused ? batched : whole;
} catch (const UserError& error) {
  return {Outcome::refused, error.what(), false};
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
  const std::vector<DataSet> places = find_cases(options.folder);
  const machine::Machine machine = machine::read_machine(options.machine);
  const Counter counter(places.size());
  std::map<std::string, std::array<int, 3>> by_op;
  std::array<int, 3> total{};
  int on_machine = 0;
  Json cases = Json::array();
  for (std::size_t k = 0; k < places.size(); ++k) {
    std::string op = "unreadable";
    const Verdict verdict = judge(places[k], options.interpret_only ? nullptr : &machine, op);
    const auto which = static_cast<std::size_t>(verdict.outcome);
    const std::string name = fs::relative(places[k].folder, options.folder).string();
    const std::string why = without_name(verdict.why, places[k].folder);
    ++by_op[op][which], ++total[which];
    on_machine += verdict.on_machine;
    cases.push_back({{"case", name},
                     {"set", places[k].set},
                     {"op", op},
                     {"outcome", outcome_names[which]},
                     {"on_machine", verdict.on_machine},
                     {"why", why}});
    if (!options.json && verdict.outcome != Outcome::passed)
      fmt::print("{}\n", printable(fmt::format("{}: {}: {}", outcome_names[which], name, why)));
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
