// The text of matrix products (matrix_writer.cpp), with right operands that are read at listed places
// (window_writer.cpp, pixel_writer.cpp).
#pragma once

#include <string>

#include "codegen/kernel_writer.h"

namespace dojo::codegen {

// Opens the loop over the blocks of a group if there is more than one, and counts it in `open`. Gives what
// holds inside.
Scope enter_block(KernelWriter& to, const Block& block, const Scope& scope, std::size_t& open);

// How many elements a group has at this place, as text.
std::string size_text(const Block& block, const Scope& scope);

// A row-major index over the axes of two groups: rows `row_stride` apart, columns side by side.
AffineText panel_index(const KernelStep& step, const Block& rows, const Block& columns,
                       std::int64_t row_stride);

// sums = product of the present blocks, or added to them; rows of sums lie `stride` apart.
enum class Into : std::uint8_t { fresh_sums, present_sums };
void multiply(KernelWriter& to, const MatrixProduct& product, std::int64_t stride, Into into,
              const Scope& scope);

// Declares the copy and the list of places, and fills the list.
void list_places(KernelWriter& to, const MatrixProduct& product, const Windows& windows);
void list_places(KernelWriter& to, const MatrixProduct& product, const Pixels& pixels);

// Fills the copy for the present blocks; gives the pointer that places count from.
std::string copy_windows(KernelWriter& to, const MatrixProduct& product, const Windows& windows,
                         const Scope& scope);
void copy_pixels(KernelWriter& to, const MatrixProduct& product, const Pixels& pixels, const Scope& scope);

// The columns that a block has: one for each point, and those between rows.
std::string columns_text(const KernelStep& step, const MatrixProduct& product, const Windows& windows,
                         const Scope& scope);

// One product for each point of the kernel, or for each row of points where those of a row lie side by side.
void multiply_pixels(KernelWriter& to, const MatrixProduct& product, const Pixels& pixels,
                     const std::string& left, std::int64_t left_stride, std::int64_t stride, Into into,
                     const Scope& scope);

// Where a cell of the sums lies.
AffineText cell_index(const KernelStep& step, const MatrixProduct& product, std::int64_t row_stride);

}  // namespace dojo::codegen
