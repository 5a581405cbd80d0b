// Kernels that are plain loops.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/index.h"
#include "codegen/kernel_writer.h"
#include "lowering/access.h"

namespace dojo::codegen {
namespace {

constexpr std::int64_t longest_accumulator = 4096;

}  // namespace

void KernelWriter::write_loops() {
  const bool plain = lowering::injective(op_, out_.buffer->shape);
  // Whether every element gets its value from a point. (A batch smaller than the buffer leaves padding, which
  // nobody reads.)
  const bool complete = lowering::covers(op_, out_.buffer->shape) || step_.only_reached ||
                        (plain && step_.tile_axis >= 0 && !out_.guarded);
  if (lowering::is_contraction(op_)) {
    if (plain && complete && plan_matrix({}, false)) return write_matrix();
    if (!plain || !complete) return write_matrix_scatter();
  }
  const bool only_holes =
      plain && !complete && op_.epilogue.empty() && op_.reduction != graph::Reduction::maximum;
  if (!plain || (!complete && !only_holes)) return write_scatter();
  if (!complete) fill_output();
  chain_.empty() ? write_parallel() : write_chain();
}

// Elements that no point reaches hold 0.
void KernelWriter::fill_output() {
  if (step_.tile_axis >= 0)
    throw UserError(op_.name, "leaves holes in an output that is made tile by tile", Refusal::not_yet);
  const std::int64_t row = out_.buffer->elements() / (step_.batch_axis >= 0 ? program_.samples_per_node : 1);
  const std::string count = step_.batch_axis >= 0 && lowering::reaches(op_.out, at(step_.batch_axis))
                                ? fmt::format("{} * valid", row)
                                : fmt::format("{}", out_.buffer->elements());
  code_.line("#pragma clang loop vectorize(assume_safety) vectorize_width(16, scalable)");
  code_.line(fmt::format("for (long e = 0; e < {}; ++e) out[e] = {{}};", count));
}

void KernelWriter::write_parallel() {
  kernel_.kind = "loops";
  IndexList list;
  for (const Operand& operand : in_) add(list, operand);
  add_output(list, {});
  write_nest(code_, axes_, parallel_, list.indices, Order::free, [&](const auto& texts) {
    const std::vector<std::string> arguments = read_inputs(list, texts);
    store(combine(identity(), arguments), list, in_.size(), texts);
  });
}

// A row of accumulators along one parallel axis; the chain runs outside of it.
void KernelWriter::write_chain() {
  kernel_.kind = "chain";
  IndexList list;
  for (const Operand& operand : in_) add(list, operand);
  add_output(list, {});
  std::vector<AffineText> in_indices(
      list.indices.begin(), list.indices.begin() + static_cast<std::ptrdiff_t>(list.first[in_.size()]));
  const int lane = vector_axis(axes_, parallel_, in_indices);
  const bool scalar = lane < 0 || extent(lane) < 4;
  const bool sum = op_.reduction == graph::Reduction::sum;
  if (scalar) {
    write_nest(code_, axes_, parallel_, list.indices, Order::given, [&](const auto& outer_texts) {
      code_.line(fmt::format("float acc = {};", identity()));
      write_nest(code_, axes_, chain_, list.indices, Order::given, [&](const auto& texts) {
        code_.line(fmt::format("acc = {};", combine("acc", read_inputs(list, texts))));
      });
      store(sum ? "0.0f + acc" : "acc", list, in_.size(), outer_texts);
    });
    return;
  }

  std::vector<int> order = parallel_;
  std::erase(order, lane);
  LoopAxis& axis = axes_[at(lane)];
  BlockStarts starts;
  const std::int64_t width = std::min(axis.extent, longest_accumulator);
  reserve(width, "float", "acc");
  write_nest(code_, axes_, order, {}, Order::given, [&](const auto&) {
    const LoopAxis whole = axis;
    const bool blocked = width < whole.extent;
    if (blocked) {
      code_.open(fmt::format("for (long lane = 0; lane < {}; lane += {})", whole.count, width));
      code_.line(fmt::format("const long lanes = smaller({}, {} - lane);", width, whole.count));
      starts[lane] = "lane";
      axis.count = "lanes";
      axis.run_time = true;
      axis.extent = width;
      list = {};
      for (const Operand& operand : in_) add(list, operand, starts);
      add_output(list, starts);
    }
    AffineText lane_index{std::vector<std::int64_t>(axes_.size(), 0), ""};
    lane_index.strides[at(lane)] = 1;
    const std::size_t acc = list.indices.size();
    list.indices.push_back(lane_index);
    write_nest(code_, axes_, {lane}, list.indices, Order::vectorised,
               [&](const auto& texts) { code_.line(fmt::format("acc[{}] = {};", texts[acc], identity())); });
    std::vector<int> inner = chain_;
    inner.push_back(lane);
    write_nest(code_, axes_, inner, list.indices, Order::vectorised, [&](const auto& texts) {
      code_.line(fmt::format("acc[{0}] = {1};", texts[acc],
                             combine(fmt::format("acc[{}]", texts[acc]), read_inputs(list, texts))));
    });
    write_nest(code_, axes_, {lane}, list.indices, Order::vectorised, [&](const auto& texts) {
      store(fmt::format("{}acc[{}]", sum ? "0.0f + " : "", texts[acc]), list, in_.size(), texts);
    });
    if (blocked) code_.close();
    axis = whole;
  });
}

}  // namespace dojo::codegen
