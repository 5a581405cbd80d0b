// The parts of the plan of a matrix kernel: groups, windows, pixels, blocks. Each is a function of the step
// and of what was planned before it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "codegen/kernel_plan.h"
#include "codegen/kernel_step.h"

namespace dojo::codegen {

inline bool contains(const std::vector<int>& axes, int axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

// matrix_plan.cpp. Nothing if the step has no matrix form worth using, or none that fits.
std::optional<KernelPlan> plan_matrix(const KernelStep& step, std::int64_t panel_bytes);

// The groups of a product, in one block each; the axes of `outer`, and others that both operands and the
// output share, stay outside. The batch as a chain axis does so too, which a scatter cannot have.
enum class Sums : std::uint8_t { stored, scattered };
std::optional<MatrixPlan> group_axes(const KernelStep& step, const std::vector<int>& outer, Sums sums);

// The elements from one row of the chain to the next, if the operand lies as a panel with these columns.
std::optional<std::int64_t> panel_stride(const KernelStep& step, const std::vector<LoopAxis>& axes,
                                         const KernelOperand& operand, const MatrixProduct& product,
                                         const Block& columns);

// scatter_plan.cpp
KernelPlan plan_scatter(const KernelStep& step);
std::optional<KernelPlan> plan_matrix_scatter(const KernelStep& step, std::int64_t panel_bytes);

// block_choice.cpp. The sizes of the first axes of m, n and k for which the panels fit and the matrix unit
// has the least to do; nothing if no sizes fit. The left panel is packed whole along the chain where it fits
// in a third of the room, so that it need not be packed for every block of columns.
struct BlockChoice {
  std::int64_t m = 1, n = 1, k = 1;
  bool left_whole = false;
  std::int64_t cost = 0;  // about so many instructions
};
std::optional<BlockChoice> choose_blocks(const KernelStep& step, const MatrixPlan& uncut,
                                         std::int64_t panel_bytes);

// window_plan.cpp. Whether the right operand can be read so; pitches of the copy are still open.
std::optional<Windows> find_windows(const KernelStep& step, const MatrixProduct& product);
// Elements of the copy for a block of `rows` along the first column axis and `chain` along the first chain
// axis; 0 in place.
std::int64_t copied_elements(const KernelStep& step, const MatrixProduct& product, const Windows& windows,
                             std::int64_t rows, std::int64_t chain);
// Columns from the first to the last, those between rows included.
std::int64_t window_columns(const KernelStep& step, const Windows& windows, std::int64_t rows);
// The same windows with the pitches of the copy, now that the sizes of blocks are known.
Windows with_pitches(const KernelStep& step, const MatrixProduct& product, Windows windows);

// pixel_plan.cpp. Whether the right operand can be read so; pitches of the copy are still open.
std::optional<Pixels> find_pixels(const KernelStep& step, const MatrixProduct& product);
std::int64_t points(const KernelStep& step, const Pixels& pixels, std::size_t k);
// Columns that lie side by side.
std::int64_t pixel_run(const KernelStep& step, const Pixels& pixels, std::int64_t channels);
// Rows (k = 0) or columns (1) of the image that `count` chain steps along the dimension read.
std::int64_t pixels_read(const KernelStep& step, const Pixels& pixels, std::size_t k, std::int64_t count);
// Elements of the copy.
std::int64_t copied_elements(const KernelStep& step, const Pixels& pixels, std::int64_t rows,
                             std::int64_t channels);
Pixels with_pitches(const KernelStep& step, const MatrixProduct& product, Pixels pixels);

}  // namespace dojo::codegen
