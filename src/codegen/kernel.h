// The C++ of one compute step.
//
// A sum of products whose axes fall into rows, columns and chain goes to the matrix unit: operands are packed
// into panels [k][m] and [k][n], used in place where they lie so already, or (images) read at listed places
// of one array; they are multiplied block by block into an FP32 panel and stored from there. Where output
// elements collide the panel is added into an FP32 slice of the output in an order that visits every
// element's contributions as ir.h says. Everything else becomes loops with a vectorisable innermost one.
// Blocking never changes an order of summation, so all variants of a kernel give the same bits.
#pragma once

#include <cstdint>
#include <string>

#include "lowering/lowered.h"

namespace dojo::codegen {

struct Kernel {
  std::string text;                 // a function "static void op_ID(long tile)"
  std::string kind;                 // "matrix", "matrix scatter", "loops", "chain", "scatter"
  std::uint64_t scratch_bytes = 0;  // at the address named scratch_ID
  std::uint64_t multiply_adds =
      0;  // of a whole launch on one node with all its samples (one tile's share for tiled steps)
};

// Panels of a kernel take about this much SRAM in all.
constexpr std::int64_t default_panel_bytes = 256 * 1024;

Kernel write_kernel(const lowering::LoweredProgram& program, const lowering::ComputeStep& step, unsigned id,
                    std::int64_t panel_bytes);

// The C++ name and element type of a buffer.
std::string buffer_name(const lowering::LoweredProgram& program, lowering::BufferId id);
std::string element_type(numerics::Format format);

}  // namespace dojo::codegen
