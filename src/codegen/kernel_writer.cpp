#include "codegen/kernel_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/index.h"
#include "codegen/kernel.h"
#include "codegen/scalar_text.h"
#include "graph/scalar_operations.h"
#include "lowering/access.h"

namespace dojo::codegen {
namespace {

// Whether a NaN that is read there has no sign: conversions to FP32 give the canonical one.
bool is_signless(const KernelOperand& operand) { return operand.buffer->format != numerics::Format::fp32; }

void append(std::string& sum, const std::string& term) { sum += sum.empty() ? term : " + " + term; }

// Computed indices are variables: of what is read, declared where the inputs are read, and of what is
// written.
constexpr std::string_view in_index = "index";
std::string_view prefix_of(const KernelOperand& operand) {
  return operand.pointer == "out" ? out_index : in_index;
}

// Elements that no point reaches hold 0.
void write_zeros(KernelWriter& to) {
  const KernelStep& step = to.step();
  const int batch = step.step.batch_axis;
  const std::int64_t elements = step.out.buffer->elements();
  const std::string count = batch >= 0 && lowering::reaches(step.op.out, at(batch))
                                ? fmt::format("{} * valid", elements / step.op.box[at(batch)].extent)
                                : fmt::format("{}", elements);
  to.code().line("#pragma clang loop vectorize(assume_safety) vectorize_width(16, scalable)");
  to.code().line(fmt::format("for (long e = 0; e < {}; ++e) out[e] = {{}};", count));
}

std::string write_body(KernelWriter& to, const KernelPlan& plan) {
  if (plan.zeroed_first) write_zeros(to);
  std::visit([&](const auto& form) { write_form(to, form); }, plan.form);
  return to.end();
}

// The function of the other form, if the plan has one.
std::string write_all_samples(const KernelStep& step, const KernelPlan& plan, const std::string& name) {
  if (plan.all_samples.empty()) return {};
  return write_kernel_function(step.program, with_all_samples(step.step), plan.all_samples.front(), name);
}

}  // namespace

std::string write_kernel(const lowering::LoweredProgram& program, const lowering::ComputeStep& compute,
                         const KernelPlan& plan, unsigned id) {
  const KernelStep step(program, compute);
  KernelWriter to(step, plan, id);
  const std::string all = fmt::format("op_{}_all_samples", id), before = write_all_samples(step, plan, all);
  to.begin();
  if (!before.empty()) to.call_if_all_samples(all);
  return before + write_body(to, plan);
}

std::string write_kernel_function(const lowering::LoweredProgram& program,
                                  const lowering::ComputeStep& compute, const KernelPlan& plan,
                                  const std::string& name) {
  const KernelStep step(program, compute);
  KernelWriter to(step, plan, 0);
  const std::string all = name + "_all_samples", before = write_all_samples(step, plan, all);
  to.begin_function(name);
  if (!before.empty()) to.call_if_all_samples(all);
  return before + write_body(to, plan);
}

void KernelWriter::begin() {
  const auto shape = [&](lowering::BufferId id) {
    return fmt::format("{}[{}]", step_.program.at(id).name, fmt::join(step_.program.at(id).shape, "x"));
  };
  const graph::StructuredOp& op = step_.op;
  const lowering::ComputeStep& compute = step_.step;
  std::vector<std::string> reads;
  for (const graph::Access& access : op.in) reads.push_back(shape(access.tensor));
  for (const graph::Access& access : op.extra) reads.push_back(shape(access.tensor));
  code_.comment(fmt::format("{} ({}): {} from {}", op.name, op.origin.empty() ? "no ONNX node" : op.origin,
                            shape(op.out.tensor), fmt::join(reads, ", ")));
  code_.open_op(id_, compute.tile_axis >= 0 ? "long tile" : "");
  code_.line(fmt::format("DOJO_MARK({});", id_));
  if (compute.batch_axis >= 0) code_.line("const long valid = valid_samples;");
  if (compute.tile_axis >= 0) {
    code_.line(fmt::format("const long first = tile * {}, rows = smaller({}, {} - first);", compute.tile_rows,
                           compute.tile_rows, op.box[at(compute.tile_axis)].extent));
  }
  for (const KernelOperand& operand : step_.in) declare(operand, true);
  for (const KernelOperand& operand : step_.extra) declare(operand, true);
  declare(step_.out, false);
}

void KernelWriter::begin_function(const std::string& name) {
  std::vector<std::string> parameters;
  for (const KernelOperand& operand : step_.in) parameters.push_back(pointer(operand, true));
  for (const KernelOperand& operand : step_.extra) parameters.push_back(pointer(operand, true));
  parameters.push_back(pointer(step_.out, false));
  if (plan_.scratch_bytes != 0) parameters.push_back(fmt::format("char* const scratch_{}", id_));
  if (step_.step.batch_axis >= 0) parameters.push_back("const long valid");
  code_.open(fmt::format("static void {}({})", name, fmt::join(parameters, ", ")));
}

void KernelWriter::call_if_all_samples(const std::string& name) {
  std::vector<std::string> arguments;
  for (const KernelOperand& operand : step_.in) arguments.push_back(operand.pointer);
  for (const KernelOperand& operand : step_.extra) arguments.push_back(operand.pointer);
  arguments.push_back(step_.out.pointer);
  if (plan_.all_samples.front().scratch_bytes != 0) arguments.push_back(fmt::format("scratch_{}", id_));
  code_.line(fmt::format("if (valid == {}) return {}({});", step_.op.box[at(step_.step.batch_axis)].extent,
                         name, fmt::join(arguments, ", ")));
}

std::string KernelWriter::end() {
  code_.close();
  return code_.text();
}

std::string KernelWriter::pointer(const KernelOperand& operand, bool constant) {
  return fmt::format("{}{}* __restrict const {}", constant ? "const " : "",
                     element_type(operand.buffer->format), operand.pointer);
}

void KernelWriter::declare(const KernelOperand& operand, bool constant) {
  code_.line(fmt::format("{} = {};", pointer(operand, constant),
                         buffer_name(step_.program, operand.access->tensor)));
}

void KernelWriter::declare_scratch(const std::string& name) {
  const auto area = std::ranges::find(plan_.scratch, name, &ScratchArea::name);
  DOJO_ENSURE(area != plan_.scratch.end());
  code_.line(fmt::format("{0}* __restrict const {1} = reinterpret_cast<{0}*>(scratch_{2} + {3});", area->type,
                         name, id_, area->offset));
}

void KernelWriter::open_loop(int axis, const Scope& scope) {
  const LoopAxis& of = scope.axes[at(axis)];
  code_.open(fmt::format("for (long {0} = 0; {0} < {1}; ++{0})", of.variable, of.count));
}

AffineText KernelWriter::affine(const graph::AffineIndex& index, const KernelOperand& operand,
                                const Scope& scope) const {
  AffineText text{index.coefficients, ""};
  if (index.offset != 0) append(text.base, fmt::format("{}", index.offset));
  for (const auto& [axis, start] : scope.starts) {
    if (index.coefficients[at(axis)] != 0)
      append(text.base, fmt::format("{} * {}", index.coefficients[at(axis)], start));
  }
  const int tiled = step_.step.tile_axis;
  if (operand.shifted && index.coefficients[at(tiled)] != 0)
    append(text.base, fmt::format("{} * first", index.coefficients[at(tiled)]));
  return text;
}

AffineText KernelWriter::position(const KernelOperand& operand, const Scope& scope) const {
  return affine(lowering::linear(*operand.access, step_.axes.size(), operand.buffer->shape), operand, scope);
}

std::string KernelWriter::block_pointer(const KernelOperand& operand, const std::vector<const Block*>& blocks,
                                        const Scope& scope) const {
  AffineText start = position(operand, scope);
  for (const Block* block : blocks) {
    for (const int a : block->axes) start.strides[at(a)] = 0;
  }
  return fmt::format("{} + {}", operand.pointer, to_text(start, scope.axes));
}

std::size_t KernelWriter::add(IndexList& list, const KernelOperand& operand, const Scope& scope) const {
  list.first.push_back(list.indices.size());
  list.indices.push_back(position(operand, scope));
  if (operand.guarded) {
    for (const graph::AffineIndex& index : operand.access->map)
      list.indices.push_back(affine(index, operand, scope));
  }
  return list.first.size() - 1;
}

void KernelWriter::add_inputs(IndexList& list, const Scope& scope) const {
  for (const KernelOperand& operand : step_.in) add(list, operand, scope);
}

void KernelWriter::add_output(IndexList& list, const Scope& scope) const {
  add(list, step_.out, scope);
  for (const KernelOperand& operand : step_.extra) add(list, operand, scope);
}

void KernelWriter::declare_indices(const std::vector<const graph::Access*>& accesses, std::string_view prefix,
                                   const IndexList& list, const std::vector<std::string>& texts) {
  std::set<std::int32_t> sources;
  for (const graph::Access* access : accesses)
    for (const graph::AffineIndex& index : access->map)
      if (index.from != graph::not_computed) sources.insert(index.from);
  for (const std::int32_t k : sources)
    code_.line(
        fmt::format("const long {}{} = index_of({});", prefix, k, read(step_.in[at(k)], list, at(k), texts)));
}

std::string KernelWriter::with_computed(const std::string& position, std::span<const graph::AffineIndex> map,
                                        std::span<const std::int64_t> shape, std::string_view prefix) {
  std::string text = position;
  std::int64_t stride = 1;
  for (std::size_t d = map.size(); d-- > 0; stride *= shape[d])
    if (map[d].from != graph::not_computed)
      append(text, fmt::format("{} * {}{}", stride, prefix, map[d].from));
  return text;
}

std::string KernelWriter::inside(const KernelOperand& operand, const IndexList& list, std::size_t which,
                                 const std::vector<std::string>& texts) const {
  std::string condition;
  const std::vector<graph::Axis> box = step_.box_of(operand);
  for (std::size_t d = 0; d < operand.access->map.size(); ++d) {
    if (!lowering::may_leave(operand.access->map[d], box, operand.buffer->shape[d])) continue;
    if (!condition.empty()) condition += " && ";
    const graph::AffineIndex& index = operand.access->map[d];
    std::string text = texts[list.first[which] + 1 + d];
    if (index.from != graph::not_computed) append(text, fmt::format("{}{}", prefix_of(operand), index.from));
    condition += fmt::format("static_cast<unsigned long>({}) < {}", text, operand.buffer->shape[d]);
  }
  return condition;
}

std::string KernelWriter::read(const KernelOperand& operand, const IndexList& list, std::size_t which,
                               const std::vector<std::string>& texts) const {
  const std::string position =
      with_computed(texts[list.first[which]], operand.access->map, operand.buffer->shape, prefix_of(operand));
  std::string value = fmt::format("static_cast<float>({}[{}])", operand.pointer, position);
  if (!operand.guarded) return value;
  return fmt::format("({} ? {} : {})", inside(operand, list, which, texts), value,
                     literal(operand.access->outside));
}

std::vector<std::string> KernelWriter::read_inputs(const IndexList& list,
                                                   const std::vector<std::string>& texts) {
  std::vector<const graph::Access*> accesses;
  for (const graph::Access& access : step_.op.in) accesses.push_back(&access);
  declare_indices(accesses, in_index, list, texts);
  std::vector<std::string> arguments;
  for (std::size_t k = 0; k < step_.in.size(); ++k) arguments.push_back(read(step_.in[k], list, k, texts));
  return arguments;
}

std::string KernelWriter::evaluate(const graph::Expression& expression,
                                   const std::vector<std::string>& arguments,
                                   const std::vector<bool>& signless_arguments, const std::string& prefix,
                                   const std::string& fma_into) {
  using graph::Scalar;
  const std::vector<bool> signless = signless_nodes(expression, signless_arguments);
  std::vector<std::string> names;
  const auto name_of = [&](std::int32_t node) { return node < 0 ? std::string() : names[at(node)]; };
  const auto is_number = [&](std::int32_t node) {
    return node >= 0 && expression.nodes[at(node)].op == Scalar::constant &&
           !std::isnan(expression.nodes[at(node)].value);
  };
  for (std::size_t k = 0; k < expression.nodes.size(); ++k) {
    const graph::ScalarNode& node = expression.nodes[k];
    if (node.op == Scalar::constant) {
      names.push_back(literal(node.value));
      continue;
    }
    const bool input = node.op == Scalar::input, last = k + 1 == expression.nodes.size();
    const ScalarOperands operands{input ? "" : name_of(node.a), name_of(node.b), name_of(node.c),
                                  is_number(node.b), !input && node.a >= 0 && signless[at(node.a)]};
    if (last && !fma_into.empty())
      return fmt::format("scalar::fma({}, {}, {})", operands.a, operands.b, fma_into);
    names.push_back(fmt::format("{}{}", prefix, k));
    code_.line(fmt::format("const float {} = {};", names.back(),
                           input ? arguments[at(node.a)] : scalar_text(node.op, operands)));
  }
  return names.back();
}

std::string KernelWriter::identity() const {
  return step_.op.reduction == graph::Reduction::maximum ? "-__builtin_inff()" : "0.0f";
}

std::string KernelWriter::combine(const std::string& accumulator, const std::vector<std::string>& arguments) {
  using graph::Reduction;
  const graph::StructuredOp& op = step_.op;
  std::vector<bool> signless;
  for (const KernelOperand& operand : step_.in) signless.push_back(is_signless(operand));
  if (op.reduction == Reduction::sum && op.body.nodes.back().op == graph::Scalar::multiply)
    return evaluate(op.body, arguments, signless, "e", accumulator);
  std::string value = evaluate(op.body, arguments, signless, "e");
  if (op.reduction == Reduction::sum) return fmt::format("{} + {}", accumulator, value);
  if (op.reduction == Reduction::maximum) return fmt::format("scalar::maximum({}, {})", accumulator, value);
  return value;
}

void KernelWriter::store(const std::string& value, const KernelOperand& out,
                         const std::vector<KernelOperand>& extra, const IndexList& list, std::size_t which,
                         const std::vector<std::string>& texts) {
  std::string result = value;
  if (!step_.op.epilogue.empty()) {
    code_.line(fmt::format("const float sum = {};", value));
    std::vector<std::string> arguments = {"sum"};
    std::vector<bool> signless = {step_.op.reduction == graph::Reduction::sum};
    for (std::size_t k = 0; k < extra.size(); ++k) {
      arguments.push_back(read(extra[k], list, which + 1 + k, texts));
      signless.push_back(is_signless(extra[k]));
    }
    result = evaluate(step_.op.epilogue, arguments, signless, "r");
  }
  const std::string target = fmt::format("{}[{}]", out.pointer, texts[list.first[which]]);
  if (step_.step.accumulate) result = fmt::format("{} + ({})", target, result);
  const std::string guard = out.guarded ? fmt::format("if ({}) ", inside(out, list, which, texts)) : "";
  code_.line(
      fmt::format("{}{} = static_cast<{}>({});", guard, target, element_type(out.buffer->format), result));
}

}  // namespace dojo::codegen
