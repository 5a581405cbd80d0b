// Contributions into a slice of the output, and from there into the output.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/index.h"
#include "codegen/product_writer.h"
#include "lowering/access.h"

namespace dojo::codegen {
namespace {

// Opens loops over the outer axes; what is under them is the slice, zeroed (or -infinite).
void open_slice(KernelWriter& to, const Slice& slice) {
  const KernelStep& step = to.step();
  if (!slice.in_place) to.declare_scratch("slice");
  for (const int a : slice.outer) to.open_loop(a, to.scope());
  if (slice.in_place) {
    AffineText start{std::vector<std::int64_t>(step.axes.size(), 0), ""};
    const std::vector<std::int64_t> strides = step.strides(step.out);
    for (const int a : slice.outer) {
      start.strides[at(a)] = strides[at(a)];
      if (step.out.shifted && a == step.step.tile_axis)
        start.base = fmt::format("{} * first", strides[at(a)]);
    }
    to.code().line(fmt::format("float* __restrict const slice = out + {};", to_text(start, step.axes)));
  }
  to.code().line("#pragma clang loop vectorize(assume_safety) vectorize_width(16, scalable)");
  to.code().line(fmt::format("for (long e = 0; e < {}; ++e) slice[e] = {};", slice.elements, to.identity()));
}

// Where a point lands within the slice.
AffineText slice_position(const KernelWriter& to, const KernelStep& step, const Slice& slice,
                          const Scope& scope) {
  graph::Access inner;
  std::vector<std::int64_t> shape;
  for (std::size_t d = slice.outer.size(); d < step.op.out.map.size(); ++d) {
    inner.map.push_back(step.op.out.map[d]);
    shape.push_back(step.out.buffer->shape[d]);
  }
  const AffineText whole = to.affine(lowering::linear(inner, step.axes.size(), shape), KernelOperand{}, {});
  AffineText moved = whole;
  for (const auto& [axis, start] : scope.starts) {
    const std::int64_t stride = whole.strides[at(axis)];
    if (stride != 0) moved.base += fmt::format("{}{} * {}", moved.base.empty() ? "" : " + ", stride, start);
  }
  return moved;
}

// An operand of the epilogue over the outer axes of a slice, which are the box's, and one axis for each
// dimension of the output inside it, which stand behind the box's.
AffineText along_output(const KernelStep& step, const Slice& slice, const KernelOperand& operand) {
  const std::size_t prefix = slice.outer.size(), box = step.axes.size();
  AffineText text{std::vector<std::int64_t>(box + step.out.buffer->shape.size() - prefix, 0), ""};
  const auto add_base = [&](const std::string& term) {
    text.base += (text.base.empty() ? "" : " + ") + term;
  };
  std::int64_t stride = 1;
  for (std::size_t d = operand.access->map.size(); d-- > 0; stride *= operand.buffer->shape[d]) {
    const graph::AffineIndex& index = operand.access->map[d];
    const bool constant = std::all_of(index.coefficients.begin(), index.coefficients.end(),
                                      [](std::int64_t c) { return c == 0; });
    if (constant) {
      if (index.offset != 0) add_base(fmt::format("{}", stride * index.offset));
      continue;
    }
    const auto found = std::ranges::find(step.op.out.map, index);
    DOJO_ENSURE(found != step.op.out.map.end());
    const auto dimension = static_cast<std::size_t>(found - step.op.out.map.begin());
    text.strides[dimension < prefix ? at(slice.outer[dimension]) : box + dimension - prefix] += stride;
    if (dimension < prefix && slice.outer[dimension] == step.step.tile_axis && operand.shifted)
      add_base(fmt::format("{} * first", stride));
  }
  return text;
}

// Out of the slice through the epilogue into the output, where nothing leaves it.
void store_slice(KernelWriter& to, const Slice& slice, const Scope& scope) {
  const KernelStep& step = to.step();
  const auto& shape = step.out.buffer->shape;
  const std::size_t prefix = slice.outer.size(), box = step.axes.size();
  const auto unguarded = [](KernelOperand operand) {
    operand.guarded = false;
    return operand;
  };
  std::vector<LoopAxis> axes = scope.axes;
  std::vector<int> order;
  for (std::size_t d = prefix; d < shape.size(); ++d) {
    order.push_back(static_cast<int>(axes.size()));
    axes.push_back({fmt::format("d{}", d), fmt::format("{}", shape[d]), shape[d], false, false});
  }
  IndexList list;
  std::vector<KernelOperand> extra;
  const auto enter = [&](const KernelOperand& operand) {
    list.first.push_back(list.indices.size());
    list.indices.push_back(along_output(step, slice, operand));
  };
  enter(step.out);
  for (const KernelOperand& operand : step.extra) {
    enter(operand);
    extra.push_back(unguarded(operand));
  }
  AffineText element{std::vector<std::int64_t>(axes.size(), 0), ""};
  std::int64_t stride = 1;
  for (std::size_t d = shape.size(); d-- > prefix; stride *= shape[d])
    element.strides[box + d - prefix] = stride;
  list.indices.push_back(element);
  write_nest(to.code(), axes, order, list.indices, Order::free, [&](const auto& texts) {
    to.store(fmt::format("slice[{}]", texts.back()), unguarded(step.out), extra, list, 0, texts);
  });
}

void close_slice(KernelWriter& to, const Slice& slice, const Scope& scope) {
  if (!slice.in_place) store_slice(to, slice, scope);
  for (std::size_t k = 0; k < slice.outer.size(); ++k) to.code().close();
}

Scope in_order(const KernelWriter& to, const ScatterOrder& order) {
  Scope scope = to.scope();
  for (const int a : order.backwards) scope.axes[at(a)].reversed = true;
  return scope;
}

std::string guard_of(const KernelWriter& to, const KernelOperand& out, const IndexList& list,
                     std::size_t which, const std::vector<std::string>& texts) {
  return out.guarded ? fmt::format("if ({}) ", to.inside(out, list, which, texts)) : "";
}

}  // namespace

void write_form(KernelWriter& to, const ScatterPlan& plan) {
  const KernelStep& step = to.step();
  CodeText& code = to.code();
  open_slice(to, plan.slice);
  const Scope scope = in_order(to, plan.order);
  IndexList list;
  to.add_inputs(list, scope);
  to.add(list, step.out, scope);
  const std::size_t target = list.indices.size();
  list.indices.push_back(slice_position(to, step, plan.slice, scope));
  const Order freedom = plan.order.free && step.chain.empty() ? Order::vectorised : Order::given;
  write_nest(code, scope.axes, plan.order.axes, list.indices, freedom, [&](const auto& outer_texts) {
    std::string value = "acc";
    if (step.chain.empty()) {
      value = to.combine(to.identity(), to.read_inputs(list, outer_texts));
    } else {
      code.line(fmt::format("float acc = {};", to.identity()));
      write_nest(code, scope.axes, step.chain, list.indices, Order::given, [&](const auto& texts) {
        code.line(fmt::format("acc = {};", to.combine("acc", to.read_inputs(list, texts))));
      });
    }
    to.declare_indices({&step.op.out}, out_index, list, outer_texts);
    const std::span map = std::span(step.op.out.map).subspan(plan.slice.outer.size());
    const std::span shape = std::span(step.out.buffer->shape).subspan(plan.slice.outer.size());
    const std::string element =
        fmt::format("slice[{}]", KernelWriter::with_computed(outer_texts[target], map, shape, out_index));
    const std::string guard = guard_of(to, step.out, list, step.in.size(), outer_texts);
    if (step.op.reduction == graph::Reduction::maximum)
      value = fmt::format("scalar::maximum({}, {})", element, value);
    if (step.op.reduction == graph::Reduction::sum) value = fmt::format("{} + ({})", element, value);
    code.line(fmt::format("{}{} = {};", guard, element, value));
  });
  close_slice(to, plan.slice, scope);
}

void write_form(KernelWriter& to, const MatrixScatterPlan& plan) {
  const KernelStep& step = to.step();
  const MatrixProduct& product = plan.product;
  CodeText& code = to.code();
  if (!product.left_in_place) to.declare_scratch("left");
  if (!product.right_in_place) to.declare_scratch("right");
  to.declare_scratch("sums");
  open_slice(to, plan.slice);
  std::size_t open = 0;
  const Scope rows = enter_block(to, product.m, in_order(to, plan.order), open);
  const Scope cells = enter_block(to, product.n, rows, open);
  multiply(to, product, product.n.most(), Into::fresh_sums, cells);
  IndexList list;
  to.add(list, step.out, cells);
  const std::size_t target = list.indices.size();
  list.indices.push_back(slice_position(to, step, plan.slice, cells));
  list.indices.push_back(panel_index(step, product.m, product.n, product.n.most()));
  write_nest(code, cells.axes, plan.order.axes, list.indices, Order::vectorised, [&](const auto& texts) {
    code.line(fmt::format("{0}slice[{1}] = slice[{1}] + sums[{2}];", guard_of(to, step.out, list, 0, texts),
                          texts[target], texts[target + 1]));
  });
  for (std::size_t k = 0; k < open; ++k) code.close();
  close_slice(to, plan.slice, cells);
}

}  // namespace dojo::codegen
