// What a kernel is going to do, as a value: which form it takes, how its axes are grouped and cut, what it
// copies, and what that takes of SRAM. plan_kernel() (kernel.h) decides it, write_kernel() turns it into C++.
//
// Numbers of axes are places in the op's box.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "numerics/format.h"

namespace dojo::codegen {

// A group of axes that a matrix product takes for one. The first of them is cut into blocks of `size`.
struct Block {
  std::vector<int> axes;
  std::int64_t size = 1, inner = 1;  // of the first axis; of all others together
  std::int64_t most() const { return size * inner; }
};

// A spatial dimension of the right operand, read through a window that moves along a column axis.
struct Window {
  int axis = -1;  // of the columns
  std::size_t dimension = 0;
  std::int64_t extent = 1, stride = 1;
  std::int64_t low = 0;                            // the first index that is read
  std::vector<std::pair<int, std::int64_t>> taps;  // chain axes and their coefficients
  std::int64_t phases = 1, beyond = 0;             // remainders in use; places needed behind the columns' own
  std::int64_t phase_pitch = 0;                    // elements of the copy from one remainder to the next
};

// The right operand as windows (window_plan.cpp).
struct Windows {
  bool in_place = false;                         // no copy: the operand lies as it is wanted
  std::vector<Window> spatial;                   // one for each column axis
  std::vector<int> planes;                       // chain axes that are dimensions of their own
  std::vector<std::int64_t> pitch, plane_pitch;  // elements of a step along a column axis; of a plane
};

// A spatial dimension of the right operand whose index is stride * chain + dilation * point + low.
struct PixelDimension {
  std::size_t dimension = 0;
  int chain = -1, point = -1;  // axes; -1: the dimension has no point
  std::int64_t extent = 1, stride = 1, dilation = 1, low = 0;
};

// The right operand as pixels with the channels last (pixel_plan.cpp).
struct Pixels {
  int channel = -1;  // the column axis that is a dimension of its own
  std::vector<PixelDimension> spatial;
  bool stacked = false;  // all rows that a chain step reads stand before the channels
  std::int64_t pixel_pitch = 0, row_pitch = 0;
};

// sums[m][n] (+)= sum over k of left[k][m] * right[k][n], of panels that are used in place, copied, or (right
// operands) read at listed places of one array.
struct MatrixProduct {
  std::size_t left = 0, right = 1;  // numbers of the op's inputs
  Block m, n, k;
  numerics::Format panel = numerics::Format::fp32;
  bool left_in_place = false, right_in_place = false;
  bool left_whole = false;  // the copy of the left operand holds the whole chain
  std::optional<Windows> windows;
  std::optional<Pixels> pixels;
  bool listed() const { return windows || pixels; }
};

// Part of the output, in FP32: what is under its leading dimensions that are one axis each.
struct Slice {
  std::vector<int> outer;  // these axes; they are dimensions 0, 1... of the output
  std::int64_t elements = 1;
  bool in_place = false;
};

// The axes inside a slice, in an order that brings the contributions to every element in ir.h's order.
struct ScatterOrder {
  std::vector<int> axes;
  std::vector<int> backwards;  // those that run from their end to 0
  bool free = false;           // points next to each other along the last axis do not meet
};

// Every point by itself, in any order.
struct LoopsPlan {};

// Reductions along the chain: into one accumulator for each point, or a row of them along one axis.
struct ChainPlan {
  int lane = -1;           // this axis; -1: one accumulator
  std::int64_t width = 1;  // accumulators
};

// Points that meet in the same elements, added into a slice.
struct ScatterPlan {
  Slice slice;
  ScatterOrder order;
};

// Blocks of m outside, of n and k inside them, so that every sum runs over k ascending.
struct MatrixPlan {
  MatrixProduct product;
  std::vector<int> outer;        // axes of the loops around it
  int batch_chain = -1;          // the batch as outermost chain axis
  bool sums_in_place = false;    // they lie in the output
  std::int64_t sums_stride = 0;  // elements from one row to the next
  std::int64_t cost = 0;         // about so many instructions, by which the blocks were chosen
};

// Products into sums, and from there into a slice.
struct MatrixScatterPlan {
  MatrixProduct product;
  Slice slice;
  ScatterOrder order;
};

// What a kernel keeps in SRAM while it runs.
struct ScratchArea {
  std::string name, type;
  std::int64_t elements = 0;
  std::uint64_t offset = 0;
};

struct KernelPlan {
  std::variant<LoopsPlan, ChainPlan, ScatterPlan, MatrixPlan, MatrixScatterPlan> form;
  bool zeroed_first = false;  // elements that no point reaches
  std::vector<ScratchArea> scratch;
  std::uint64_t scratch_bytes = 0;  // at the address named scratch_ID
  // Of a whole launch on one node with all its samples (one tile's share for tiled steps).
  std::uint64_t multiply_adds = 0;
  // What is done instead where no sample is missing, if that can be a matrix product and this cannot: the
  // batch stands inside the chain. One or none; it shares this plan's scratch.
  std::vector<KernelPlan> all_samples;

  // Behind all others, from a multiple of 64 on.
  void reserve(std::string name, std::string type, std::int64_t elements);
};

// "loops", "chain", "scatter", "matrix", "matrix scatter"; of what is done where no sample is missing.
std::string kind_of(const KernelPlan& plan);

}  // namespace dojo::codegen
