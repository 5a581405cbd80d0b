// Sums over whole images (gradients of biases, means, statistics), row by row.
//
// Summed pixel by pixel, a value of every channel is wanted at a time, and those lie far apart. So rows are
// summed first, all their pixels side by side, and then the pixels of the sum row. This changes the order of
// the sum: what it becomes stands in the lowered program as any other steps.
#pragma once

#include <vector>

#include "lowering/lowered.h"

namespace dojo::lowering {

// The step, or the two that replace it; the row of sums between them is a new buffer.
std::vector<ComputeStep> row_sums(LoweredProgram& program, const ComputeStep& step);

}  // namespace dojo::lowering
