// Where the samples of a batch lie in a tensor that was not made for spreading, and how its indices are taken
// apart there.
//
// A view may have merged the samples with other dimensions: [N, T, C] as [N*T, C] in front of a matrix, [T,
// N, C] as [T*N, C]. So a dimension of extent outer * samples * inner holds sample n, at outer part o and
// inner part i, in element (o * samples + n) * inner + i. An axis of a box that runs over it is taken apart
// in the same way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "graph/ir.h"

namespace dojo::graph {

struct SamplePlace {
  std::size_t dimension = 0;
  std::int64_t outer = 1, inner = 1;
  bool wide = false;  // an outer part of 1 is to be a dimension, so that an index may leave it
  auto operator<=>(const SamplePlace&) const = default;
};

struct SampleAxis {
  std::size_t axis = 0;
  std::int64_t outer = 1, inner = 1;
  bool operator==(const SampleAxis&) const = default;
};

// The axis by which an index of the place's dimension runs over the samples, if there is one. That the index
// follows it and no other is left to move_samples.
std::optional<SampleAxis> sample_axis(const AffineIndex& index, const std::vector<Axis>& box,
                                      const SamplePlace& place, std::int64_t samples);

// Puts up to three axes, outer, samples and inner, in the place of one: the same points in the same order.
// Returns the number of the one over the samples.
std::size_t split_axis(StructuredOp& op, const SampleAxis& split, std::int64_t samples);

// Where dimension `dimension` of a tensor of this shape has the samples if it is indexed along `axis`, which
// runs over them; nothing if they do not fit.
std::optional<SamplePlace> place_along(const Access& access, const std::vector<std::int64_t>& shape,
                                       std::size_t axis, std::size_t dimension, std::int64_t samples);

// The tensor's shape with the samples moved in front, or taken out. What remains of the
// dimension stays where it was: its outer part, then its inner part, each only if it is more than 1 (the
// outer one if `wide`, too).
enum class Samples : std::uint8_t { first, none };
std::vector<std::int64_t> moved_shape(const std::vector<std::int64_t>& shape, const SamplePlace& place,
                                      std::int64_t samples, Samples become);

// The same of an access by whose axis `axis` the samples are run through one by one; false, and the access is
// of no use any more, if they are not.
bool move_samples(Access& access, const std::vector<Axis>& box, std::size_t axis, const SamplePlace& place,
                  std::int64_t samples, Samples become);

}  // namespace dojo::graph
