// The right operand of a matrix product as windows: a convolution reads, for every point of its kernel, the
// same rows of pixels a little further on. So its rows need not be copied into a panel one by one; they are
// listed as places in one array, over each other.
//
// The array is the operand itself where its columns lie one after the other there, and otherwise a staged
// copy with zeros for what lies outside. A convolution with stride s reads every s-th pixel: the copy sorts
// each spatial dimension by remainder ("phase"), [planes..][phases..][pixels..], and within a phase the
// stride is 1. Columns between the end of one row of the result and the begin of the next are computed and
// dropped.
#include <cstdlib>

#include "base/index.h"
#include "codegen/matrix_plan.h"
#include "lowering/access.h"

namespace dojo::codegen {
namespace {

// One dimension's index, axis by axis; nothing if it has another form. An axis may occur in one dimension.
std::optional<Window> window_of(const KernelStep& step, const MatrixProduct& product, std::size_t dimension,
                                std::vector<bool>& found) {
  const KernelOperand& operand = step.in[product.right];
  const graph::AffineIndex& index = operand.access->map[dimension];
  Window window;
  window.dimension = dimension;
  window.extent = operand.buffer->shape[dimension];
  window.low = index.offset;
  std::int64_t reach = 0;
  for (std::size_t a = 0; a < step.axes.size(); ++a) {
    const std::int64_t c = index.coefficients[a];
    const int axis = static_cast<int>(a);
    if (c == 0) continue;
    if (found[a]) return std::nullopt;
    found[a] = true;
    const int plain = lowering::plain_dimension(*operand.access, a);
    if (contains(product.n.axes, axis)) {
      if (window.axis >= 0 || c < 1) return std::nullopt;
      window.axis = axis, window.stride = c;
    } else if (contains(product.k.axes, axis)) {
      if (step.axes[a].run_time && (axis != product.k.axes[0] || plain < 0)) return std::nullopt;
      window.taps.emplace_back(axis, c);
      window.low += std::min<std::int64_t>(0, c * (step.extent(axis) - 1));
      reach += std::abs(c) * (step.extent(axis) - 1);
    } else if (plain != static_cast<int>(dimension)) {
      return std::nullopt;
    }
  }
  window.phases = std::min(window.stride, reach + 1);
  window.beyond = reach / window.stride;
  return window;
}

bool is_plane(const KernelStep& step, const KernelOperand& operand, const Window& window) {
  return window.taps.size() == 1 &&
         lowering::plain_dimension(*operand.access, at(window.taps[0].first)) >= 0 &&
         !lowering::may_leave(operand.access->map[window.dimension], step.op.box, window.extent);
}

}  // namespace

std::optional<Windows> find_windows(const KernelStep& step, const MatrixProduct& product) {
  const KernelOperand& operand = step.in[product.right];
  const std::vector<int>& columns = product.n.axes;
  if (columns.empty() || product.k.axes.size() < 2) return std::nullopt;
  if (std::any_of(columns.begin(), columns.end(), [&](int a) { return step.axes[at(a)].run_time; }))
    return std::nullopt;
  Windows windows;
  std::vector<bool> found(step.axes.size());
  for (std::size_t d = 0; d < operand.access->map.size(); ++d) {
    const std::optional<Window> window = window_of(step, product, d, found);
    if (!window) return std::nullopt;
    if (window->axis >= 0) {
      windows.spatial.push_back(*window);
    } else if (is_plane(step, operand, *window)) {
      windows.planes.push_back(window->taps[0].first);
    } else if (!window->taps.empty()) {
      return std::nullopt;
    }
  }
  if (windows.spatial.size() != columns.size()) return std::nullopt;
  const std::vector<std::int64_t> strides = step.strides(operand);
  std::int64_t span = 1;
  for (std::size_t k = 0; k < columns.size(); ++k) {
    if (windows.spatial[k].axis != columns[k]) return std::nullopt;
    windows.pitch.push_back(strides[at(columns[k])]);
    span += windows.pitch.back() * (step.extent(columns[k]) - 1);
  }
  if (windows.pitch.back() != windows.spatial.back().stride) return std::nullopt;  // not the last dimension
  windows.in_place = !operand.guarded && operand.buffer->format == product.panel &&
                     windows.pitch.back() == 1 && span <= product.n.most() + product.n.most() / 4;
  return windows;
}

std::int64_t copied_elements(const KernelStep& step, const MatrixProduct& product, const Windows& windows,
                             std::int64_t rows, std::int64_t chain) {
  if (windows.in_place) return 0;
  std::int64_t elements = 1;
  for (std::size_t k = 0; k < windows.spatial.size(); ++k) {
    const Window& window = windows.spatial[k];
    elements *= window.phases * ((k == 0 ? rows : step.extent(window.axis)) + window.beyond);
  }
  for (const int a : windows.planes) elements *= a == product.k.axes[0] ? chain : step.extent(a);
  return elements;
}

std::int64_t window_columns(const KernelStep& step, const Windows& windows, std::int64_t rows) {
  std::int64_t pitch = 1, columns = 1;
  for (std::size_t k = windows.spatial.size(); k-- > 0;) {
    const Window& window = windows.spatial[k];
    const std::int64_t along = windows.in_place ? windows.pitch[k] : pitch;
    columns += along * ((k == 0 ? rows : step.extent(window.axis)) - 1);
    pitch *= step.extent(window.axis) + window.beyond;
  }
  return columns;
}

Windows with_pitches(const KernelStep& step, const MatrixProduct& product, Windows windows) {
  if (windows.in_place) return windows;
  std::int64_t next = 1;
  for (std::size_t k = windows.spatial.size(); k-- > 0;) {
    const Window& window = windows.spatial[k];
    windows.pitch[k] = next;
    next *= (k == 0 ? product.n.size : step.extent(window.axis)) + window.beyond;
  }
  for (std::size_t k = windows.spatial.size(); k-- > 0;) {
    windows.spatial[k].phase_pitch = next;
    next *= windows.spatial[k].phases;
  }
  windows.plane_pitch.assign(windows.planes.size(), 0);
  for (std::size_t k = windows.planes.size(); k-- > 0;) {
    windows.plane_pitch[k] = next;
    next *= windows.planes[k] == product.k.axes[0] ? product.k.size : step.extent(windows.planes[k]);
  }
  return windows;
}

}  // namespace dojo::codegen
