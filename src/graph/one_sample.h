// A graph that has no batch as one sample of a batch of one: what the whole machine works at together.
//
// Every input x becomes an input [1, x...] with the batch, and a sum over that batch, after which every node
// holds x. What is computed from it has no batch and is computed by every node alike, except for elementwise
// arithmetic on parameters and states, which is spread (lowering/placement.h). So it runs on any number of
// nodes, and on more than one no faster; spread_batch.h is the pass that does better.
#pragma once

#include "graph/ir.h"

namespace dojo::graph {

// The inputs keep their names, and every other tensor its id. A graph without inputs gets one of
// a single element, "nothing", which no op reads. A tensor that has a batch already is a broken invariant.
void as_one_sample(Graph& graph);

}  // namespace dojo::graph
