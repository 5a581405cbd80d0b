#include "codegen/kernel_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/index.h"
#include "codegen/scalar_text.h"
#include "graph/scalar_operations.h"
#include "lowering/access.h"

namespace dojo::codegen {
namespace {

std::string identifier(std::string_view name) {
  std::string text;
  for (const char c : name) text += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text[0])) != 0) text = "t" + text;
  return text;
}

// Whether a NaN that is read there has no sign: conversions to FP32 give the canonical one.
bool is_signless(const Operand& operand) { return operand.buffer->format != numerics::Format::fp32; }

void append(std::string& sum, const std::string& term) { sum += sum.empty() ? term : " + " + term; }

}  // namespace

// The number first: op_7, scratch_7 and many a macro are taken, and a file may call its tensors so.
std::string buffer_name(const lowering::LoweredProgram& program, lowering::BufferId id) {
  return fmt::format("t{}_{}", id, identifier(program.at(id).name));
}

std::string element_type(numerics::Format format) {
  switch (format) {
    case numerics::Format::fp32:
      return "float";
    case numerics::Format::bf16:
      return "bf16";
    case numerics::Format::u8:
      return "uint8_t";
    case numerics::Format::cfloat8_143:
      return "dojo::cfloat8_143";
    case numerics::Format::cfloat8_152:
      return "dojo::cfloat8_152";
    default:
      throw UserError(numerics::name(format), "no kernel reads or writes this format", Refusal::not_yet);
  }
}

Kernel write_kernel(const lowering::LoweredProgram& program, const lowering::ComputeStep& step, unsigned id,
                    std::int64_t panel_bytes) {
  return KernelWriter(program, step, id, panel_bytes).write();
}

KernelWriter::KernelWriter(const lowering::LoweredProgram& program, const lowering::ComputeStep& step,
                           unsigned id, std::int64_t panel_bytes)
    : program_(program),
      step_(step),
      op_(step.op),
      id_(id),
      panel_bytes_(panel_bytes),
      chain_(lowering::chain_axes(op_)),
      parallel_(lowering::parallel_axes(op_)) {
  std::set<std::string> taken = {"tile", "first", "rows", "valid", "out"};
  for (std::size_t a = 0; a < op_.box.size(); ++a) {
    LoopAxis axis;
    axis.variable = identifier(op_.box[a].name);
    while (!taken.insert(axis.variable).second) axis.variable += fmt::format("_{}", a);
    axis.extent = op_.box[a].extent;
    axis.count = fmt::format("{}", axis.extent);
    if (static_cast<int>(a) == step.batch_axis) axis.count = "valid", axis.run_time = true;
    if (static_cast<int>(a) == step.tile_axis)
      axis.count = "rows", axis.run_time = true, axis.extent = std::min(axis.extent, step.tile_rows);
    axes_.push_back(axis);
  }
  for (std::size_t k = 0; k < op_.in.size(); ++k)
    in_.push_back(make_operand(op_.in[k], fmt::format("in{}", k)));
  for (std::size_t k = 0; k < op_.extra.size(); ++k)
    extra_.push_back(make_operand(op_.extra[k], fmt::format("extra{}", k)));
  out_ = make_operand(op_.out, "out");
}

Operand KernelWriter::make_operand(const graph::Access& access, const std::string& pointer) const {
  Operand operand{&access, &program_.at(access.tensor), pointer, false, false};
  const auto& tiles = step_.tile_buffers;
  operand.shifted =
      step_.tile_axis >= 0 && std::find(tiles.begin(), tiles.end(), access.tensor) == tiles.end();
  std::vector<graph::Axis> box = op_.box;
  if (step_.tile_axis >= 0 && !operand.shifted) box[at(step_.tile_axis)].extent = extent(step_.tile_axis);
  operand.guarded = lowering::may_leave(access, box, operand.buffer->shape);
  return operand;
}

Kernel KernelWriter::write() {
  const auto shape = [&](lowering::BufferId id) {
    return fmt::format("{}[{}]", program_.at(id).name, fmt::join(program_.at(id).shape, "x"));
  };
  if (lowering::is_contraction(op_)) {  // before blocks cut the axes
    kernel_.multiply_adds = 1;
    for (const LoopAxis& axis : axes_) kernel_.multiply_adds *= static_cast<std::uint64_t>(axis.extent);
  }
  std::vector<std::string> reads;
  for (const graph::Access& access : op_.in) reads.push_back(shape(access.tensor));
  for (const graph::Access& access : op_.extra) reads.push_back(shape(access.tensor));
  code_.comment(fmt::format("{} ({}): {} from {}", op_.name, op_.origin.empty() ? "no ONNX node" : op_.origin,
                            shape(op_.out.tensor), fmt::join(reads, ", ")));
  code_.open(fmt::format("static void op_{}({})", id_, step_.tile_axis >= 0 ? "long tile" : ""));
  code_.line(fmt::format("DOJO_MARK({});", id_));
  if (step_.batch_axis >= 0) code_.line("const long valid = valid_samples;");
  if (step_.tile_axis >= 0) {
    code_.line(fmt::format("const long first = tile * {}, rows = smaller({}, {} - first);", step_.tile_rows,
                           step_.tile_rows, op_.box[at(step_.tile_axis)].extent));
  }
  for (const Operand& operand : in_) declare(operand, true);
  for (const Operand& operand : extra_) declare(operand, true);
  declare(out_, false);
  write_loops();
  code_.close();
  kernel_.text = code_.text();
  return std::move(kernel_);
}

void KernelWriter::declare(const Operand& operand, bool constant) {
  const std::string type = element_type(operand.buffer->format);
  code_.line(fmt::format("{}{}* __restrict const {} = {};", constant ? "const " : "", type, operand.pointer,
                         buffer_name(program_, operand.access->tensor)));
}

AffineText KernelWriter::affine(const graph::AffineIndex& index, const Operand& operand,
                                const BlockStarts& starts) const {
  AffineText text{index.coefficients, ""};
  if (index.offset != 0) append(text.base, fmt::format("{}", index.offset));
  for (const auto& [axis, start] : starts) {
    if (index.coefficients[at(axis)] != 0)
      append(text.base, fmt::format("{} * {}", index.coefficients[at(axis)], start));
  }
  if (operand.shifted && index.coefficients[at(step_.tile_axis)] != 0) {
    append(text.base, fmt::format("{} * first", index.coefficients[at(step_.tile_axis)]));
  }
  return text;
}

AffineText KernelWriter::position(const Operand& operand, const BlockStarts& starts) const {
  return affine(lowering::linear(*operand.access, axes_.size(), operand.buffer->shape), operand, starts);
}

std::size_t KernelWriter::add(IndexList& list, const Operand& operand, const BlockStarts& starts) const {
  list.first.push_back(list.indices.size());
  list.indices.push_back(position(operand, starts));
  if (operand.guarded) {
    for (const graph::AffineIndex& index : operand.access->map)
      list.indices.push_back(affine(index, operand, starts));
  }
  return list.first.size() - 1;
}

std::string KernelWriter::inside(const Operand& operand, const IndexList& list, std::size_t which,
                                 const std::vector<std::string>& texts) const {
  std::string condition;
  std::vector<graph::Axis> box = op_.box;
  if (step_.tile_axis >= 0 && !operand.shifted) box[at(step_.tile_axis)].extent = extent(step_.tile_axis);
  for (std::size_t d = 0; d < operand.access->map.size(); ++d) {
    if (!lowering::may_leave(operand.access->map[d], box, operand.buffer->shape[d])) continue;
    if (!condition.empty()) condition += " && ";
    condition += fmt::format("static_cast<unsigned long>({}) < {}", texts[list.first[which] + 1 + d],
                             operand.buffer->shape[d]);
  }
  return condition;
}

std::string KernelWriter::read(const Operand& operand, const IndexList& list, std::size_t which,
                               const std::vector<std::string>& texts) const {
  const std::string value =
      fmt::format("static_cast<float>({}[{}])", operand.pointer, texts[list.first[which]]);
  if (!operand.guarded) return value;
  return fmt::format("({} ? {} : {})", inside(operand, list, which, texts), value,
                     literal(operand.access->outside));
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
  return op_.reduction == graph::Reduction::maximum ? "-__builtin_inff()" : "0.0f";
}

std::string KernelWriter::combine(const std::string& accumulator, const std::vector<std::string>& arguments) {
  using graph::Reduction;
  std::vector<bool> signless;
  for (const Operand& operand : in_) signless.push_back(is_signless(operand));
  if (op_.reduction == Reduction::sum && op_.body.nodes.back().op == graph::Scalar::multiply) {
    return evaluate(op_.body, arguments, signless, "e", accumulator);
  }
  const std::string value = evaluate(op_.body, arguments, signless, "e");
  if (op_.reduction == Reduction::sum) return fmt::format("{} + {}", accumulator, value);
  if (op_.reduction == Reduction::maximum) return fmt::format("scalar::maximum({}, {})", accumulator, value);
  return value;
}

std::vector<std::string> KernelWriter::read_inputs(const IndexList& list,
                                                   const std::vector<std::string>& texts) const {
  std::vector<std::string> arguments;
  for (std::size_t k = 0; k < in_.size(); ++k) arguments.push_back(read(in_[k], list, k, texts));
  return arguments;
}

std::string KernelWriter::reserve(std::int64_t elements, const std::string& type, const std::string& name) {
  const std::uint64_t size = type == "bf16" ? 2 : 4;
  code_.line(fmt::format("{0}* __restrict const {1} = reinterpret_cast<{0}*>(scratch_{2} + {3});", type, name,
                         id_, kernel_.scratch_bytes));
  kernel_.scratch_bytes += (static_cast<std::uint64_t>(elements) * size + 63) / 64 * 64;
  return name;
}

void KernelWriter::add_output(IndexList& list, const BlockStarts& starts) const {
  add(list, out_, starts);
  for (const Operand& operand : extra_) add(list, operand, starts);
}

void KernelWriter::store(const std::string& value, const IndexList& list, std::size_t which,
                         const std::vector<std::string>& texts) {
  std::string result = value;
  if (!op_.epilogue.empty()) {
    code_.line(fmt::format("const float sum = {};", value));
    std::vector<std::string> arguments = {"sum"};
    std::vector<bool> signless = {op_.reduction == graph::Reduction::sum};
    for (std::size_t k = 0; k < extra_.size(); ++k) {
      arguments.push_back(read(extra_[k], list, which + 1 + k, texts));
      signless.push_back(is_signless(extra_[k]));
    }
    result = evaluate(op_.epilogue, arguments, signless, "r");
  }
  const std::string target = fmt::format("out[{}]", texts[list.first[which]]);
  if (step_.accumulate) result = fmt::format("{} + ({})", target, result);
  const std::string guard = out_.guarded ? fmt::format("if ({}) ", inside(out_, list, which, texts)) : "";
  code_.line(
      fmt::format("{}{} = static_cast<{}>({});", guard, target, element_type(out_.buffer->format), result));
}

}  // namespace dojo::codegen
