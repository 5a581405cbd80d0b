#include "runtime/conformance.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "base/error.h"
#include "graph/fuse.h"
#include "graph/interpreter.h"
#include "graph/one_sample.h"
#include "onnx/case.h"
#include "runtime/forward_run.h"

namespace dojo::runtime {
namespace {

namespace fs = std::filesystem;

lowering::Tensors samples_of(const onnx::Case& tested, const onnx::Network& network) {
  lowering::Tensors samples;
  for (const onnx::NetworkInput& input : network.inputs)
    samples[input.name] = onnx::to_floats(onnx::input_of(tested, input.name), input.name);
  return samples;
}

// The first wrong output of a run that gave `value` for output k.
std::string first_difference(const onnx::Case& tested, const onnx::Network& network, const char* stage,
                             const std::function<const std::vector<float>&(std::size_t)>& value) {
  for (std::size_t k = 0; k < tested.outputs.size(); ++k) {
    const auto& shape = network.graph.at(network.outputs[k].tensor).shape;
    const auto found =
        onnx::difference(value(k), shape, tested.outputs[k], network.outputs[k].name, tested.tolerance(k));
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
  lowering::Tensors samples = samples_of(tested, network);
  if (samples.empty()) samples["nothing"] = {0};  // what a graph without inputs is given (graph/one_sample.h)
  const ForwardRun run = run_forward(graph, samples, machine, {.formats = lowering::FormatChoice::fp32});
  if (!run.stranded.empty()) return "emulated machine: " + run.stranded;
  return first_difference(tested, network, "emulated machine",
                          [&](std::size_t k) -> const std::vector<float>& {
                            return run.results.at(graph.at(graph.outputs[k]).name);
                          });
}

// On the machine, unless every input is an initialiser: then nothing of it is left to be done there.
CaseVerdict judged(const onnx::Case& tested, onnx::Feed feed, const machine::Machine* machine) try {
  const onnx::Network network = onnx::import_case(tested, feed);
  graph::Graph fused = network.graph;
  graph::fuse(fused);
  std::string wrong = interpreted(tested, network, network.graph, "interpreter");
  if (wrong.empty()) wrong = interpreted(tested, network, fused, "fused");
  const bool is_fed = !network.inputs.empty() || tested.inputs.empty();
  const bool run = wrong.empty() && machine != nullptr && is_fed;
  if (run && feed != onnx::Feed::batch) graph::as_one_sample(fused);
  if (run) wrong = emulated(tested, network, fused, *machine);
  if (!wrong.empty()) return {CaseOutcome::wrong, wrong, run};
  return {CaseOutcome::passed, "", run};
} catch (const UserError& error) {
  return {CaseOutcome::refused, error.what(), false};
}

// The ways to feed a case, from the one that a user's network takes to the one that leaves nothing to do.
std::vector<onnx::Feed> feeds_of(const onnx::Case& tested) {
  using enum onnx::Feed;
  std::vector<onnx::Feed> feeds = {tensors, floating_tensors, bounded_tensors, first_bounded_tensor,
                                   initialisers};
  if (!tested.inputs.empty() && !tested.inputs[0].dims.empty()) feeds.insert(feeds.begin(), batch);
  return feeds;
}

// The standard's networks are called as their folders, which the line names anyway.
std::string without_name(const std::string& why, const fs::path& folder) {
  const std::string name = folder.filename().string() + ": ";
  return why.starts_with(name) ? why.substr(name.size()) : why;
}

}  // namespace

std::vector<ConformanceCase> find_cases(const fs::path& top) {
  if (!fs::is_directory(top)) refuse(top.string(), "is no folder");
  std::vector<ConformanceCase> found;
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
  std::ranges::sort(found, {},
                    [](const ConformanceCase& place) { return std::pair(place.folder, place.set); });
  return found;
}

CaseVerdict judge_case(const ConformanceCase& place, const machine::Machine* machine) {
  CaseVerdict verdict{CaseOutcome::refused};
  std::string op = "unreadable";
  try {
    const onnx::Case tested = onnx::read_case(place.folder, place.set);
    op = tested.op();
    std::string last;
    for (const onnx::Feed feed : feeds_of(tested)) {
      CaseVerdict other = judged(tested, feed, machine);
      if (other.outcome == CaseOutcome::refused) {
        last = other.why;
        if (verdict.why.empty()) verdict.why = other.why;
        continue;
      }
      const bool is_settled = other.outcome == CaseOutcome::wrong || other.on_machine || machine == nullptr;
      if (is_settled) {
        verdict = std::move(other);
        break;
      }
      verdict.outcome = CaseOutcome::passed;  // as known numbers; another way may take it to the machine
      if (feed == onnx::Feed::initialisers) verdict.why = last;
    }
  } catch (const UserError& error) {
    verdict = {CaseOutcome::refused, error.what(), false};
  }
  verdict.op = op;
  verdict.why = without_name(verdict.why, place.folder);
  return verdict;
}

}  // namespace dojo::runtime
