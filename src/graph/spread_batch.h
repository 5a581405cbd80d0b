// Finds the batch in a graph that has none, so that lowering can spread it over the nodes.
//
// A training step that another program has traced comes with concrete shapes; all that is known of its
// samples is which inputs and labels hold one after the other along dimension 0. From these the pass follows
// the samples through the affine maps of all ops and says of every tensor where it holds them
// (sample_place.h): along a dimension, merged with others into one, or not at all.
//
// What is promised:
//
//   bits      The result is a valid graph in which the samples' inputs and labels, and all that is computed
//             of each sample, have the batch (ir.h). The order of the box's points in every op stays, so
//             that every element of every tensor keeps its bits. What changes is where it lies: a computed
//             tensor with samples has them as dimension 0, and what they were merged with as dimensions of
//             their own.
//   constants What is the same for every sample (a constant that was expanded) is read without the batch.
//             What is made of constants and differs from sample to sample (their numbers) has the batch, and
//             such constants become inputs: see `constants`.
//   sums      A sum or maximum over the samples gives a tensor without them, which every op may read:
//             gradients, losses, norms.
//   names     Tensors of the graph keep their ids, and their names but for inputs without samples. New ones
//             (their names end in ".each" or ".wide") are appended; ops that nothing reads any more are
//             removed.
//   outputs   keep their shape, unless they hold samples elsewhere than along dimension 0: see `moved`.
//   groups    Where samples are related to each other in groups of one size, of samples that lie beside
//             each other (pairs) or that many apart (micro-batches), each group is one sample of the batch.
//   resident  Parameters, states, scalars and constants stay as they are.
//
// It runs before fuse(), which has to know of sums over the batch.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "graph/ir.h"
#include "graph/sample_place.h"

namespace dojo::graph {

struct FormerLayout {
  std::vector<std::int64_t> shape;
  SamplePlace place;
  std::int64_t samples = 1;
};

struct SpreadBatch {
  // Why the samples cannot be spread: a sentence without a full stop that names op and tensor. The graph is
  // then as it was. Empty: it has been rewritten.
  std::string refusal;
  // Inputs, labels and outputs whose samples did not lie along dimension 0, by name.
  std::map<std::string, FormerLayout> moved;
  // Inputs that hold no samples, now [samples, ...]: the graph takes the sum over these. So the first sample
  // is to be given what the input held, all others zeros. (-0 becomes 0.)
  std::vector<std::string> whole;
  // Constants that are others for each sample are inputs now: their names and what each is to be given, in
  // the order that a constant has (see `moved`).
  std::map<std::string, std::vector<float>> constants;
};

// `samples`: the names of the inputs and labels that hold them, all of the same extent along dimension 0; or
// where each holds them, as a backward graph is given what its forward graph's outputs were. Throws UserError
// if one is not there or has another number of samples.
SpreadBatch spread_batch(Graph& graph, std::span<const std::string> samples);
SpreadBatch spread_batch(Graph& graph, const std::map<std::string, SamplePlace>& samples);

// Row-major values of one of `moved`: as the graph had them from what they are now, and the reverse.
std::vector<float> in_former_order(std::span<const float> values, const FormerLayout& former);
std::vector<float> sample_by_sample(std::span<const float> values, const FormerLayout& former);

}  // namespace dojo::graph
