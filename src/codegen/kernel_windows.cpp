// The right operand of a matrix product as windows: a convolution reads, for every point of its kernel, the
// same rows of pixels a little further on. So its rows need not be copied into a panel one by one; they are
// listed as places in one array, over each other.
//
// The array is the operand itself where its columns lie one after the other there, and otherwise a staged
// copy with zeros for what lies outside. A convolution with stride s reads every s-th pixel: the copy sorts
// each spatial dimension by remainder ("phase"), [planes..][phases..][pixels..], and within a phase the
// stride is 1. Columns between the end of one row of the result and the begin of the next are computed and
// dropped.
#include <fmt/format.h>

#include <algorithm>

#include "base/index.h"
#include "codegen/kernel_writer.h"
#include "lowering/access.h"

namespace dojo::codegen {
namespace {

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

}  // namespace

// Whether the right operand can be used so; sets windows_.
bool KernelWriter::plan_windows() {
  windows_ = {};
  const Operand& operand = *right_;
  const auto& map = operand.access->map;
  for (const int a : n_.axes) {
    if (axes_[at(a)].run_time) return false;
  }
  if (n_.axes.empty() || k_.axes.size() < 2) return false;
  std::vector<bool> found(axes_.size());
  for (std::size_t d = 0; d < map.size(); ++d) {
    Window window;
    window.dimension = d;
    window.extent = operand.buffer->shape[d];
    window.low = map[d].offset;
    std::int64_t reach = 0;
    for (std::size_t a = 0; a < axes_.size(); ++a) {
      const std::int64_t c = map[d].coefficients[a];
      const int axis = static_cast<int>(a);
      if (c == 0) continue;
      if (found[a]) return false;
      found[a] = true;
      if (contains(n_.axes, axis)) {
        if (window.axis >= 0 || c < 1) return false;
        window.axis = axis, window.stride = c;
      } else if (contains(k_.axes, axis)) {
        if (axes_[a].run_time && (axis != k_.axes[0] || lowering::plain_dimension(*operand.access, a) < 0))
          return false;
        window.taps.emplace_back(axis, c);
        window.low += std::min<std::int64_t>(0, c * (extent(axis) - 1));
        reach += std::abs(c) * (extent(axis) - 1);
      } else if (lowering::plain_dimension(*operand.access, a) != static_cast<int>(d)) {
        return false;
      }
    }
    if (window.axis >= 0) {
      window.phases = std::min(window.stride, reach + 1);
      window.beyond = reach / window.stride;
      windows_.spatial.push_back(window);
    } else if (window.taps.size() == 1 &&
               lowering::plain_dimension(*operand.access, at(window.taps[0].first)) >= 0 &&
               !lowering::may_leave(map[d], op_.box, window.extent)) {
      windows_.planes.push_back(window.taps[0].first);
    } else if (!window.taps.empty()) {
      return false;
    }
  }
  if (windows_.spatial.size() != n_.axes.size()) return false;
  for (std::size_t k = 0; k < n_.axes.size(); ++k) {
    if (windows_.spatial[k].axis != n_.axes[k]) return false;
  }
  windows_.in_place = !operand.guarded && element_type(operand.buffer->format) == panel_type_;
  std::int64_t span = 1;
  for (const int a : n_.axes) {
    windows_.pitch.push_back(stride_of(operand, a));
    span += windows_.pitch.back() * (extent(a) - 1);
  }
  windows_.in_place = windows_.in_place && windows_.pitch.back() == 1 && span <= n_.most() + n_.most() / 4;
  windows_.used = true;
  return true;
}

// Of the staged copy for a block of `rows` along the first column axis and `chain` along the first chain
// axis.
std::int64_t KernelWriter::staged_elements(std::int64_t rows, std::int64_t chain) const {
  if (windows_.in_place) return 0;
  std::int64_t elements = 1;
  for (std::size_t k = 0; k < windows_.spatial.size(); ++k) {
    const Window& window = windows_.spatial[k];
    elements *= window.phases * ((k == 0 ? rows : extent(window.axis)) + window.beyond);
  }
  for (const int a : windows_.planes) elements *= a == k_.axes[0] ? chain : extent(a);
  return elements;
}

// Columns from the first to the last, those between rows included.
std::int64_t KernelWriter::window_columns(std::int64_t rows) const {
  std::int64_t pitch = 1, columns = 1;
  for (std::size_t k = windows_.spatial.size(); k-- > 0;) {
    const Window& window = windows_.spatial[k];
    const std::int64_t step = windows_.in_place ? windows_.pitch[k] : pitch;
    columns += step * ((k == 0 ? rows : extent(window.axis)) - 1);
    pitch *= extent(window.axis) + window.beyond;
  }
  return columns;
}

// Block sizes are known: pitches of the copy, and the list of places.
void KernelWriter::begin_windows() {
  Windows& w = windows_;
  std::int64_t next = 1;
  if (!w.in_place) {
    for (std::size_t k = w.spatial.size(); k-- > 0;) {
      w.pitch[k] = next;
      next *= (k == 0 ? n_.size : extent(w.spatial[k].axis)) + w.spatial[k].beyond;
    }
    for (std::size_t k = w.spatial.size(); k-- > 0;) {
      w.spatial[k].phase_pitch = next;
      next *= w.spatial[k].phases;
    }
    for (std::size_t k = w.planes.size(); k-- > 0;) {
      w.plane_pitch.insert(w.plane_pitch.begin(), next);
      next *= w.planes[k] == k_.axes[0] ? k_.size : extent(w.planes[k]);
    }
    reserve(next, panel_type_, "staged");
  }
  reserve(k_.most() + 2, "int32_t", "places");
  std::string place, row;
  const AffineText whole = position(*right_);
  for (std::size_t k = 0; k < k_.axes.size(); ++k) {
    const int a = k_.axes[k];
    const LoopAxis& axis = axes_[at(a)];
    const std::int64_t count = k == 0 ? k_.size : axis.extent;
    code_.open(fmt::format("for (long {0} = 0; {0} < {1}; ++{0})", axis.variable, count));
    row = row.empty() ? axis.variable : fmt::format("({}) * {} + {}", row, count, axis.variable);
    if (w.in_place) place += fmt::format("{} * {} + ", whole.strides[at(a)], axis.variable);
  }
  if (!w.in_place) {
    for (std::size_t k = 0; k < w.planes.size(); ++k)
      place += fmt::format("{} * {} + ", w.plane_pitch[k], axes_[at(w.planes[k])].variable);
    for (std::size_t k = 0; k < w.spatial.size(); ++k) {
      const Window& window = w.spatial[k];
      if (window.taps.empty()) continue;
      std::string tap = fmt::format("{}", right_->access->map[window.dimension].offset - window.low);
      for (const auto& [axis, c] : window.taps) tap += fmt::format(" + {} * {}", c, axes_[at(axis)].variable);
      place += fmt::format("({0}) % {1} * {2} + ({0}) / {1} * {3} + ", tap, window.stride, window.phase_pitch,
                           w.pitch[k]);
    }
  }
  code_.line(fmt::format("places[{}] = static_cast<int32_t>({}0);", row, place));
  for (std::size_t k = 0; k < k_.axes.size(); ++k) code_.close();
}

// Fills the copy for the present blocks; gives the pointer that `places` count from.
std::string KernelWriter::stage_windows(const BlockStarts& starts) {
  const Windows& w = windows_;
  AffineText start = position(*right_, starts);
  for (const Block* block : {&n_, &k_}) {
    for (const int a : block->axes) start.strides[at(a)] = 0;
  }
  if (w.in_place) return fmt::format("{} + {}", right_->pointer, to_text(start, axes_));

  // Where pixel 0 of every spatial dimension would lie: low and the blocks' starts go into the pixels'
  // indices.
  std::string source = right_->pointer, target = "staged";
  const graph::AffineIndex strides = lowering::linear(*right_->access, axes_.size(), right_->buffer->shape);
  for (std::size_t a = 0; a < axes_.size(); ++a) {
    const int axis = static_cast<int>(a);
    const bool plane = contains(w.planes, axis);
    if (right_->shifted && axis == step_.tile_axis && strides.coefficients[a] != 0)
      source += fmt::format(" + {} * first", strides.coefficients[a]);
    if (contains(n_.axes, axis) || (contains(k_.axes, axis) && !plane) || strides.coefficients[a] == 0)
      continue;
    source += fmt::format(" + {} * {}", strides.coefficients[a],
                          starts.contains(axis) ? fmt::format("({} + {})", starts.at(axis), axes_[a].variable)
                                                : axes_[a].variable);
  }
  std::size_t open = 0;
  for (std::size_t k = 0; k < w.planes.size(); ++k) {
    const int a = w.planes[k];
    open += open_loop(a);
    target += fmt::format(" + {} * {}", w.plane_pitch[k], axes_[at(a)].variable);
  }
  std::string inside;
  std::vector<std::int64_t> stride_of_dimension(right_->buffer->shape.size(), 1);
  for (std::size_t d = stride_of_dimension.size() - 1; d-- > 0;)
    stride_of_dimension[d] = stride_of_dimension[d + 1] * right_->buffer->shape[d + 1];
  for (std::size_t k = 0; k + 1 < w.spatial.size(); ++k) {
    const Window& window = w.spatial[k];
    const LoopAxis& axis = axes_[at(window.axis)];
    const std::string& v = axis.variable;
    if (window.phases > 1) {
      code_.open(fmt::format("for (long {0}_phase = 0; {0}_phase < {1}; ++{0}_phase)", v, window.phases));
      ++open;
    }
    code_.open(fmt::format("for (long {0}_place = 0; {0}_place < {1} + {2}; ++{0}_place)", v, axis.count,
                           window.beyond));
    ++open;
    const std::string phase = window.phases > 1 ? v + "_phase" : "0";
    const std::string from = starts.contains(window.axis) ? " + " + starts.at(window.axis) : "";
    code_.line(fmt::format("const long {0}_pixel = {1} * ({0}_place{2}) + {3} + {4};", v, window.stride, from,
                           phase, window.low));
    source += fmt::format(" + {} * {}_pixel", stride_of_dimension[window.dimension], v);
    target += fmt::format(" + {} * {} + {} * {}_place", window.phase_pitch, phase, w.pitch[k], v);
    const std::int64_t last = window.stride * (op_.box[at(window.axis)].extent - 1 + window.beyond) +
                              window.phases - 1 + window.low;
    if (window.low < 0 || last >= window.extent)
      inside += fmt::format("{}static_cast<unsigned long>({}_pixel) < {}", inside.empty() ? "" : " && ", v,
                            window.extent);
  }
  stage_row(source, target, inside);
  for (std::size_t k = 0; k < open; ++k) code_.close();
  return "staged";
}

// One row of pixels, sorted by phase.
void KernelWriter::stage_row(const std::string& source, const std::string& target,
                             const std::string& inside) {
  const Window& window = windows_.spatial.back();
  const std::int64_t places = extent(window.axis) + window.beyond;
  const std::string source_type = element_type(right_->buffer->format);
  code_.line(fmt::format("const {}* __restrict const from = {};", source_type, source));
  code_.line(fmt::format("{}* __restrict const to = {};", panel_type_, target));
  const auto clear = [&](std::int64_t begin, std::int64_t end) {
    if (begin < end) code_.line(fmt::format("for (long e = {}; e < {}; ++e) to[e] = 0;", begin, end));
  };
  std::vector<std::pair<std::int64_t, std::int64_t>> valid;  // places by phase
  for (std::int64_t phase = 0; phase < window.phases; ++phase) {
    const std::int64_t first = window.low + phase;
    const std::int64_t begin = std::clamp<std::int64_t>(-floor_divide(first, window.stride), 0, places);
    const std::int64_t end =
        std::clamp(floor_divide(window.extent - 1 - first, window.stride) + 1, begin, places);
    valid.emplace_back(begin, end);
  }
  const auto clear_outside = [&] {
    std::int64_t begin = 0;
    for (std::size_t phase = 0; phase < valid.size(); ++phase) {
      const std::int64_t base = static_cast<std::int64_t>(phase) * window.phase_pitch;
      clear(base + begin, base + valid[phase].first);
      clear(base + valid[phase].second, base + places);
    }
  };
  if (!inside.empty()) {
    code_.open(fmt::format("if (!({}))", inside));
    for (std::int64_t phase = 0; phase < window.phases; ++phase)
      clear(phase * window.phase_pitch, phase * window.phase_pitch + places);
    code_.line("continue;");
    code_.close();
  }
  clear_outside();
  if (window.stride == 2 && window.phases == 2 && source_type == "bf16" && panel_type_ == "bf16") {
    const std::int64_t begin = std::max(valid[0].first, valid[1].first);
    const std::int64_t end = std::max(begin, std::min(valid[0].second, valid[1].second));
    code_.line(fmt::format("dojo::split(to + {0}, to + {1}, from + {2}, {3});", begin,
                           window.phase_pitch + begin, 2 * begin + window.low, end - begin));
    for (std::int64_t phase = 0; phase < 2; ++phase) {
      const auto [low, high] = valid[static_cast<std::size_t>(phase)];
      for (std::int64_t e = low; e < high; ++e) {
        if (e < begin || e >= end)
          code_.line(
              fmt::format("to[{}] = from[{}];", phase * window.phase_pitch + e, 2 * e + phase + window.low));
      }
    }
    return;
  }
  for (std::int64_t phase = 0; phase < window.phases; ++phase) {
    const auto [begin, end] = valid[static_cast<std::size_t>(phase)];
    if (begin == end) continue;
    code_.line(
        "#pragma clang loop vectorize(assume_safety) vectorize_width(16, scalable) interleave(disable)");
    code_.line(fmt::format(
        "for (long e = {}; e < {}; ++e) to[{} + e] = static_cast<{}>(static_cast<float>(from[{} * e + {}]));",
        begin, end, phase * window.phase_pitch, panel_type_, window.stride, phase + window.low));
  }
}

// The columns that a block has, as text; one for each point and those between rows.
std::string KernelWriter::window_columns_text() const {
  std::int64_t rest = 1;
  for (std::size_t k = 1; k < n_.axes.size(); ++k) rest += windows_.pitch[k] * (extent(n_.axes[k]) - 1);
  return fmt::format("({} - 1) * {} + {}", n_.count, windows_.pitch[0], rest);
}

AffineText KernelWriter::window_index(std::int64_t row_stride) const {
  AffineText index = panel_index(m_, Block{}, row_stride);
  for (std::size_t k = 0; k < n_.axes.size(); ++k) index.strides[at(n_.axes[k])] = windows_.pitch[k];
  return index;
}

}  // namespace dojo::codegen
