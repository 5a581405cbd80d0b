// Leaves samples of a batch out, so that a program for so many samples serves every smaller number of them.
//
// `valid` is an input with the batch, of shape [N]: 1 for a sample that counts, 0 for one that is left out.
// Of samples that are left out, all inputs and labels are 0. What is promised then:
//
//   sums      A sum or maximum over the batch is one over the samples that count. If they come first, it has
//             the bits that a batch of them alone would give it: nothing is added but +0.
//   samples   What is computed of each sample is as it was; of one that is left out it is of no use, and
//             may be infinite or NaN.
//   products  A contraction over the batch stays one (a chain of fma): its operands are set to 0 before it.
//   numbers   A constant of the graph that was made from N (of a mean) stays. Who left samples out has to
//             give such numbers as scalars.
//
// It runs between spread_batch() and fuse().
#pragma once

#include "graph/ir.h"

namespace dojo::graph {

void leave_samples_out(Graph& graph, TensorId valid);

}  // namespace dojo::graph
