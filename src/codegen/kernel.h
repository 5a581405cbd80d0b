// The C++ of one compute step, in two steps: a plan, and its text.
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

#include "codegen/kernel_plan.h"
#include "lowering/lowered.h"

namespace dojo::codegen {

// Panels of a kernel take about this much SRAM in all.
constexpr std::int64_t default_panel_bytes = 256 * 1024;

KernelPlan plan_kernel(const lowering::LoweredProgram& program, const lowering::ComputeStep& step,
                       std::int64_t panel_bytes);

// The step for launches in which no sample is missing.
lowering::ComputeStep with_all_samples(const lowering::ComputeStep& step);

// A function "DOJO_STEP void op_ID(long tile)" that does what the plan of this step says.
std::string write_kernel(const lowering::LoweredProgram& program, const lowering::ComputeStep& step,
                         const KernelPlan& plan, unsigned id);

// The same as a function of its operands, "static void NAME(in0, ..., extra0, ..., out, scratch, valid)",
// which says nothing of where they lie or whose they are: equal texts are one kernel. `scratch` stands there
// if the plan has some, `valid` if the step has a batch axis.
std::string write_kernel_function(const lowering::LoweredProgram& program, const lowering::ComputeStep& step,
                                  const KernelPlan& plan, const std::string& name);

// The plan in a few lines, axes by their names.
std::string to_text(const KernelPlan& plan, const lowering::ComputeStep& step);

// The C++ name and element type of a buffer.
std::string buffer_name(const lowering::LoweredProgram& program, lowering::BufferId id);
std::string element_type(numerics::Format format);

}  // namespace dojo::codegen
