// Right operands as windows (window_plan.cpp): the list of places, and the copy.
#include <fmt/format.h>

#include <algorithm>

#include "base/index.h"
#include "codegen/kernel.h"
#include "codegen/matrix_plan.h"
#include "codegen/product_writer.h"
#include "lowering/access.h"

namespace dojo::codegen {
namespace {

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

struct Range {
  std::int64_t begin, end;
};

// The places of a row that lie inside the image, by phase.
std::vector<Range> places_inside(const Window& window, std::int64_t places) {
  std::vector<Range> ranges;
  for (std::int64_t phase = 0; phase < window.phases; ++phase) {
    const std::int64_t first = window.low + phase;
    const std::int64_t begin = std::clamp<std::int64_t>(-floor_divide(first, window.stride), 0, places);
    const std::int64_t end =
        std::clamp(floor_divide(window.extent - 1 - first, window.stride) + 1, begin, places);
    ranges.push_back({begin, end});
  }
  return ranges;
}

// Two phases at once, by the device library; what only one of them has is copied one by one.
void split_row(CodeText& code, const Window& window, const std::vector<Range>& valid) {
  const std::int64_t begin = std::max(valid[0].begin, valid[1].begin);
  const std::int64_t end = std::max(begin, std::min(valid[0].end, valid[1].end));
  code.line(fmt::format("dojo::split(to + {0}, to + {1}, from + {2}, {3});", begin,
                        window.phase_pitch + begin, 2 * begin + window.low, end - begin));
  for (std::int64_t phase = 0; phase < 2; ++phase) {
    const Range& own = valid[static_cast<std::size_t>(phase)];
    for (std::int64_t e = own.begin; e < own.end; ++e) {
      if (e >= begin && e < end) continue;
      code.line(
          fmt::format("to[{}] = from[{}];", phase * window.phase_pitch + e, 2 * e + phase + window.low));
    }
  }
}

// One row of pixels, sorted by phase. `inside`: the condition that the row is of the image.
void copy_row(KernelWriter& to, const MatrixProduct& product, const Window& window, const std::string& source,
              const std::string& target, const std::string& inside) {
  CodeText& code = to.code();
  const numerics::Format format = to.step().in[product.right].buffer->format;
  const std::int64_t places = to.step().extent(window.axis) + window.beyond;
  code.line(fmt::format("const {}* __restrict const from = {};", element_type(format), source));
  code.line(fmt::format("{}* __restrict const to = {};", element_type(product.panel), target));
  const auto clear = [&](std::int64_t begin, std::int64_t end) {
    if (begin < end) code.line(fmt::format("for (long e = {}; e < {}; ++e) to[e] = 0;", begin, end));
  };
  if (!inside.empty()) {
    code.open(fmt::format("if (!({}))", inside));
    for (std::int64_t phase = 0; phase < window.phases; ++phase)
      clear(phase * window.phase_pitch, phase * window.phase_pitch + places);
    code.line("continue;");
    code.close();
  }
  const std::vector<Range> valid = places_inside(window, places);
  for (std::size_t phase = 0; phase < valid.size(); ++phase) {
    const std::int64_t base = static_cast<std::int64_t>(phase) * window.phase_pitch;
    clear(base, base + valid[phase].begin);
    clear(base + valid[phase].end, base + places);
  }
  if (window.stride == 2 && window.phases == 2 && format == numerics::Format::bf16 &&
      product.panel == numerics::Format::bf16)
    return split_row(code, window, valid);
  for (std::int64_t phase = 0; phase < window.phases; ++phase) {
    const auto [begin, end] = valid[static_cast<std::size_t>(phase)];
    if (begin == end) continue;
    code.line(
        "#pragma clang loop vectorize(assume_safety) vectorize_width(16, scalable) interleave(disable)");
    code.line(fmt::format(
        "for (long e = {}; e < {}; ++e) to[{} + e] = static_cast<{}>(static_cast<float>(from[{} * e + {}]));",
        begin, end, phase * window.phase_pitch, element_type(product.panel), window.stride,
        phase + window.low));
  }
}

// The place of a row of the chain, over the chain's variables.
std::string place_of_row(const KernelStep& step, const MatrixProduct& product, const Windows& windows) {
  const KernelOperand& operand = step.in[product.right];
  const std::vector<std::int64_t> strides = step.strides(operand);
  const auto variable = [&](int axis) { return step.axes[at(axis)].variable; };
  std::string place;
  if (windows.in_place) {
    for (const int a : product.k.axes) place += fmt::format("{} * {} + ", strides[at(a)], variable(a));
    return place;
  }
  for (std::size_t k = 0; k < windows.planes.size(); ++k)
    place += fmt::format("{} * {} + ", windows.plane_pitch[k], variable(windows.planes[k]));
  for (std::size_t k = 0; k < windows.spatial.size(); ++k) {
    const Window& window = windows.spatial[k];
    if (window.taps.empty()) continue;
    std::string tap = fmt::format("{}", operand.access->map[window.dimension].offset - window.low);
    for (const auto& [axis, c] : window.taps) tap += fmt::format(" + {} * {}", c, variable(axis));
    place += fmt::format("({0}) % {1} * {2} + ({0}) / {1} * {3} + ", tap, window.stride, window.phase_pitch,
                         windows.pitch[k]);
  }
  return place;
}

// Where pixel 0 of every spatial dimension would lie: low and the blocks' starts go into the pixels' indices.
std::string origin_of_windows(const KernelStep& step, const MatrixProduct& product, const Windows& windows,
                              const Scope& scope) {
  const KernelOperand& operand = step.in[product.right];
  const std::vector<std::int64_t> strides = step.strides(operand);
  std::string source = operand.pointer;
  for (std::size_t a = 0; a < step.axes.size(); ++a) {
    const int axis = static_cast<int>(a);
    if (strides[a] == 0) continue;
    if (operand.shifted && axis == step.step.tile_axis) source += fmt::format(" + {} * first", strides[a]);
    const bool of_chain = contains(product.k.axes, axis) && !contains(windows.planes, axis);
    if (contains(product.n.axes, axis) || of_chain) continue;
    const std::string& variable = step.axes[a].variable;
    const auto start = scope.starts.find(axis);
    source += fmt::format(
        " + {} * {}", strides[a],
        start == scope.starts.end() ? variable : fmt::format("({} + {})", start->second, variable));
  }
  return source;
}

}  // namespace

void list_places(KernelWriter& to, const MatrixProduct& product, const Windows& windows) {
  const KernelStep& step = to.step();
  if (!windows.in_place) to.declare_scratch("staged");
  to.declare_scratch("places");
  std::string row;
  for (std::size_t k = 0; k < product.k.axes.size(); ++k) {
    const LoopAxis& axis = step.axes[at(product.k.axes[k])];
    const std::int64_t count = k == 0 ? product.k.size : axis.extent;
    to.code().open(fmt::format("for (long {0} = 0; {0} < {1}; ++{0})", axis.variable, count));
    row = row.empty() ? axis.variable : fmt::format("({}) * {} + {}", row, count, axis.variable);
  }
  to.code().line(
      fmt::format("places[{}] = static_cast<int32_t>({}0);", row, place_of_row(step, product, windows)));
  for (std::size_t k = 0; k < product.k.axes.size(); ++k) to.code().close();
}

std::string copy_windows(KernelWriter& to, const MatrixProduct& product, const Windows& windows,
                         const Scope& scope) {
  const KernelStep& step = to.step();
  CodeText& code = to.code();
  const KernelOperand& operand = step.in[product.right];
  if (windows.in_place) return to.block_pointer(operand, {&product.n, &product.k}, scope);

  std::string source = origin_of_windows(step, product, windows, scope), target = "staged", inside;
  std::size_t open = 0;
  for (std::size_t k = 0; k < windows.planes.size(); ++k) {
    const int a = windows.planes[k];
    to.open_loop(a, scope), ++open;
    target += fmt::format(" + {} * {}", windows.plane_pitch[k], step.axes[at(a)].variable);
  }
  const std::vector<std::int64_t> size_under = sizes_under(operand.buffer->shape);
  for (std::size_t k = 0; k + 1 < windows.spatial.size(); ++k) {
    const Window& window = windows.spatial[k];
    const LoopAxis& axis = scope.axes[at(window.axis)];
    const std::string& v = axis.variable;
    if (window.phases > 1) {
      code.open(fmt::format("for (long {0}_phase = 0; {0}_phase < {1}; ++{0}_phase)", v, window.phases));
      ++open;
    }
    code.open(fmt::format("for (long {0}_place = 0; {0}_place < {1} + {2}; ++{0}_place)", v, axis.count,
                          window.beyond));
    ++open;
    const std::string phase = window.phases > 1 ? v + "_phase" : "0";
    const auto start = scope.starts.find(window.axis);
    const std::string from = start == scope.starts.end() ? "" : " + " + start->second;
    code.line(fmt::format("const long {0}_pixel = {1} * ({0}_place{2}) + {3} + {4};", v, window.stride, from,
                          phase, window.low));
    source += fmt::format(" + {} * {}_pixel", size_under[window.dimension], v);
    target += fmt::format(" + {} * {} + {} * {}_place", window.phase_pitch, phase, windows.pitch[k], v);
    const std::int64_t last = window.stride * (step.op.box[at(window.axis)].extent - 1 + window.beyond) +
                              window.phases - 1 + window.low;
    if (window.low < 0 || last >= window.extent)
      inside += fmt::format("{}static_cast<unsigned long>({}_pixel) < {}", inside.empty() ? "" : " && ", v,
                            window.extent);
  }
  copy_row(to, product, windows.spatial.back(), source, target, inside);
  for (std::size_t k = 0; k < open; ++k) code.close();
  return "staged";
}

std::string columns_text(const KernelStep& step, const MatrixProduct& product, const Windows& windows,
                         const Scope& scope) {
  const std::vector<int>& columns = product.n.axes;
  std::int64_t rest = 1;
  for (std::size_t k = 1; k < columns.size(); ++k) rest += windows.pitch[k] * (step.extent(columns[k]) - 1);
  return fmt::format("({} - 1) * {} + {}", scope.axes[at(columns[0])].count, windows.pitch[0], rest);
}

}  // namespace dojo::codegen
