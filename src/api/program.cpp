#include "api/program.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/json_text.h"
#include "graph/fuse.h"
#include "graph/one_sample.h"
#include "graph/valid_samples.h"
#include "report/explanation.h"

namespace dojo::api {
namespace {

onnx::AtenProgram imported(std::string_view container) {
  const onnx::Model model = onnx::parse_model(container, "the container");
  if (!onnx::is_aten(model))
    throw UserError("the container", "holds no operators of the domain 'aten'", Refusal::not_yet);
  return onnx::import_aten(model, model.graph.name.empty() ? "the container" : model.graph.name);
}

// What the compiler wants beside a step, and nobody runs: a forward pass that knows the same tensors.
graph::Graph idle(const graph::Graph& step) {
  graph::Graph forward;
  forward.name = step.name;
  for (const graph::Tensor& tensor : step.tensors)
    if (tensor.role != graph::Role::value && tensor.role != graph::Role::constant) forward.add(tensor);
  return forward;
}

}  // namespace

Program::Program(std::string_view container, const Options& options)
    : machine_(options.machine), described_(imported(container)) {
  if (options.is_interpreted) {
    spread_.refusal = "the interpreter has no nodes";
    if (!described_.valid.empty())
      throw UserError(described_.valid, "counts samples, and " + spread_.refusal, Refusal::unsupported);
    interpreter_.emplace(described_.graph);
  } else {
    compile(options);
  }
  Values zeros;
  for (const onnx::AtenState& state : described_.states)
    zeros.emplace_back(static_cast<std::size_t>(graph::element_count(state.value.shape)), 0.0f);
  write_states(zeros);
}

void Program::compile(const Options& options) {
  graph::Graph& graph = described_.graph;
  spread();
  graph::fuse(graph);
  for (const graph::TensorId id : graph.outputs) results_.push_back(graph.at(id).name);
  codegen::Options compile;
  compile.nodes = options.nodes;
  compile.formats = options.formats;
  system::Host host;
  host.threads = options.threads;
  host.interrupted = [this] { return interrupted_.load(); };
  resident_.emplace(machine_, codegen::compile(graph, idle(graph), machine_, compile), host);
  const codegen::CompiledNetwork& network = resident_->network();
  explanation_ = json_text(report::program_account_json(network, network.train), 1);
  costs_.nodes = network.nodes;
  costs_.samples = static_cast<std::uint32_t>(network.batch);
}

const std::string& Program::explanation() const {
  if (explanation_.empty()) throw UserError("the interpreter", "compiles nothing", Refusal::unsupported);
  return explanation_;
}

void Program::spread() {
  if (described_.samples.empty()) {
    spread_.refusal = "no input is said to hold samples";
  } else {
    spread_ = graph::spread_batch(described_.graph, described_.samples);
  }
  graph::Graph& graph = described_.graph;
  const std::string& valid = described_.valid;
  if (spread_.refusal.empty() && !valid.empty()) {
    if (spread_.moved.contains(valid))
      throw UserError(valid, "counts samples that are related in groups, of which none is left out",
                      Refusal::unsupported);
    if (graph.at(graph.find(valid)).shape.size() != 1)
      refuse(valid, "does not hold one number for each sample");
    graph::leave_samples_out(graph, graph.find(valid));
  } else if (!valid.empty()) {
    throw UserError(valid, "counts samples that are not spread: " + spread_.refusal, Refusal::unsupported);
  } else if (!spread_.refusal.empty()) {
    graph::as_one_sample(graph);
  }
}

std::optional<graph::SamplePlace> Program::place_of(const std::string& name) const {
  if (!spread_.refusal.empty()) return std::nullopt;
  const auto moved = spread_.moved.find(name);
  if (moved != spread_.moved.end()) return moved->second.place;
  const graph::Graph& graph = described_.graph;
  const graph::TensorId id = graph.find(name);  // none of an input that nothing reads
  if (id == graph::no_tensor || !graph.at(id).has_batch) return std::nullopt;
  return graph::SamplePlace{};
}

std::optional<graph::SamplePlace> Program::samples_of(const onnx::AtenValue& input) const {
  const bool is_whole = std::ranges::find(spread_.whole, input.name) != spread_.whole.end();
  return is_whole ? std::nullopt : place_of(input.name);
}

std::optional<graph::SamplePlace> Program::samples_of(const onnx::AtenOutput& output) const {
  return spread_.refusal.empty() ? place_of(results_[output.result]) : std::nullopt;
}

// An input as the program takes it: samples along dimension 0.
std::vector<float> Program::received(const onnx::AtenValue& input, const std::vector<float>& values) const {
  const auto moved = spread_.moved.find(input.name);
  if (moved != spread_.moved.end()) return graph::sample_by_sample(values, moved->second);
  if (std::ranges::find(spread_.whole, input.name) == spread_.whole.end()) return values;
  std::vector<float> first(values.size() * static_cast<std::size_t>(resident_->network().batch), 0.0f);
  std::ranges::copy(values, first.begin());
  return first;
}

std::vector<float> Program::given(const onnx::AtenOutput& output, const lowering::Tensors& results) const {
  const std::string& name = results_[output.result];
  const auto moved = spread_.moved.find(name);
  return moved == spread_.moved.end() ? results.at(name)
                                      : graph::in_former_order(results.at(name), moved->second);
}

void Program::write_states(const Values& values) {
  DOJO_ENSURE(values.size() == described_.states.size());
  if (interpreter_) {
    for (std::size_t k = 0; k < values.size(); ++k)
      interpreter_->set(described_.graph.find(described_.states[k].value.name), values[k]);
    return;
  }
  lowering::Tensors tensors;
  for (std::size_t k = 0; k < values.size(); ++k) tensors[described_.states[k].value.name] = values[k];
  const std::string reason = resident_->load(tensors);
  if (!reason.empty()) refuse("load", "{}", reason);
}

Values Program::read_states() {
  Values values;
  if (interpreter_) {
    for (const onnx::AtenState& state : described_.states)
      values.push_back(interpreter_->value(described_.graph.find(state.value.name)));
    return values;
  }
  const lowering::Tensors tensors = resident_->store();
  for (const onnx::AtenState& state : described_.states) values.push_back(tensors.at(state.value.name));
  return values;
}

Values Program::interpret(const Values& inputs) {
  const graph::Graph& graph = described_.graph;
  for (std::size_t k = 0; k < inputs.size(); ++k)
    interpreter_->set(graph.find(described_.inputs[k].name), inputs[k]);
  interpreter_->run();
  Values outputs;
  for (const onnx::AtenOutput& output : described_.outputs)
    outputs.push_back(interpreter_->value(graph.outputs[output.result]));
  interpreter_->update();
  ++costs_.runs;
  return outputs;
}

std::variant<Values, Unfinished> Program::run(const Values& inputs) {
  DOJO_ENSURE(inputs.size() == described_.inputs.size());
  interrupted_ = false;
  if (interpreter_) return interpret(inputs);
  lowering::Tensors samples;
  std::vector<std::pair<std::string, float>> scalars;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const onnx::AtenValue& input = described_.inputs[k];
    if (input.shape.empty()) {
      scalars.emplace_back(input.name, inputs[k][0]);
    } else {
      samples[input.name] = received(input, inputs[k]);
    }
  }
  for (const auto& [name, values] : spread_.constants) {
    const auto moved = spread_.moved.find(name);
    samples[name] = moved == spread_.moved.end() ? values : graph::sample_by_sample(values, moved->second);
  }
  if (samples.empty()) samples["nothing"] = {0};  // graph/one_sample.h
  const runtime::ResidentRun run = resident_->run(runtime::ResidentNetwork::Program::train, samples, scalars);
  if (run.interrupted || !run.stranded.empty()) return Unfinished{run.interrupted, run.stranded};
  ++costs_.runs;
  costs_.cycles = run.cycles;
  costs_.total_cycles += run.cycles;
  Values outputs;
  for (const onnx::AtenOutput& output : described_.outputs) outputs.push_back(given(output, run.results));
  return outputs;
}

}  // namespace dojo::api
