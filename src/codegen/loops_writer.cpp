// Kernels that are plain loops.
#include <fmt/format.h>

#include <algorithm>

#include "base/index.h"
#include "codegen/kernel_writer.h"

namespace dojo::codegen {
namespace {

// The sum of a chain is added to the output, which starts from 0 (graph/ir.h).
const char* before_sum(const KernelStep& step) {
  return step.op.reduction == graph::Reduction::sum ? "0.0f + " : "";
}

void write_single_accumulator(KernelWriter& to) {
  const KernelStep& step = to.step();
  const Scope scope = to.scope();
  IndexList list;
  to.add_inputs(list, scope);
  to.add_output(list, scope);
  write_nest(to.code(), scope.axes, step.parallel, list.indices, Order::given, [&](const auto& outer_texts) {
    to.code().line(fmt::format("float acc = {};", to.identity()));
    write_nest(to.code(), scope.axes, step.chain, list.indices, Order::given, [&](const auto& texts) {
      to.code().line(fmt::format("acc = {};", to.combine("acc", to.read_inputs(list, texts))));
    });
    to.store(fmt::format("{}acc", before_sum(step)), step.out, step.extra, list, step.in.size(), outer_texts);
  });
}

// A row of accumulators along the lane; the chain runs outside of it.
void write_row(KernelWriter& to, int lane, const Scope& scope) {
  const KernelStep& step = to.step();
  CodeText& code = to.code();
  IndexList list;
  to.add_inputs(list, scope);
  to.add_output(list, scope);
  AffineText lane_index{std::vector<std::int64_t>(step.axes.size(), 0), ""};
  lane_index.strides[at(lane)] = 1;
  const std::size_t acc = list.indices.size();
  list.indices.push_back(lane_index);
  write_nest(code, scope.axes, {lane}, list.indices, Order::vectorised,
             [&](const auto& texts) { code.line(fmt::format("acc[{}] = {};", texts[acc], to.identity())); });
  std::vector<int> inner = step.chain;
  inner.push_back(lane);
  write_nest(code, scope.axes, inner, list.indices, Order::vectorised, [&](const auto& texts) {
    code.line(fmt::format("acc[{0}] = {1};", texts[acc],
                          to.combine(fmt::format("acc[{}]", texts[acc]), to.read_inputs(list, texts))));
  });
  write_nest(code, scope.axes, {lane}, list.indices, Order::vectorised, [&](const auto& texts) {
    to.store(fmt::format("{}acc[{}]", before_sum(step), texts[acc]), step.out, step.extra, list,
             step.in.size(), texts);
  });
}

}  // namespace

void write_form(KernelWriter& to, const LoopsPlan&) {
  const KernelStep& step = to.step();
  const Scope scope = to.scope();
  IndexList list;
  to.add_inputs(list, scope);
  to.add_output(list, scope);
  write_nest(to.code(), scope.axes, step.parallel, list.indices, Order::free, [&](const auto& texts) {
    const std::vector<std::string> arguments = to.read_inputs(list, texts);
    to.store(to.combine(to.identity(), arguments), step.out, step.extra, list, step.in.size(), texts);
  });
}

void write_form(KernelWriter& to, const ChainPlan& plan) {
  if (plan.lane < 0) return write_single_accumulator(to);
  CodeText& code = to.code();
  const Scope whole = to.scope();
  const LoopAxis& lane = whole.axes[at(plan.lane)];
  std::vector<int> order = to.step().parallel;
  std::erase(order, plan.lane);
  to.declare_scratch("acc");
  write_nest(code, whole.axes, order, {}, Order::given, [&](const auto&) {
    if (plan.width >= lane.extent) return write_row(to, plan.lane, whole);
    code.open(fmt::format("for (long lane = 0; lane < {}; lane += {})", lane.count, plan.width));
    code.line(fmt::format("const long lanes = smaller({}, {} - lane);", plan.width, lane.count));
    Scope block = whole;
    block.starts[plan.lane] = "lane";
    LoopAxis& cut = block.axes[at(plan.lane)];
    cut.count = "lanes", cut.run_time = true, cut.extent = plan.width;
    write_row(to, plan.lane, block);
    code.close();
  });
}

}  // namespace dojo::codegen
