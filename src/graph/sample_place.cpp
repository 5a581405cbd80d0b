#include "graph/sample_place.h"

#include <functional>

namespace dojo::graph {
namespace {

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

void for_each_index(StructuredOp& op, const std::function<void(AffineIndex&)>& change) {
  const auto of = [&](Access& access) {
    for (AffineIndex& index : access.map) change(index);
  };
  for (Access& access : op.in) of(access);
  for (Access& access : op.extra) of(access);
  of(op.out);
}

bool is_zero(const AffineIndex& index) {
  return index.offset == 0 && index.coefficients == std::vector<std::int64_t>(index.coefficients.size(), 0);
}

bool has_outer(const SamplePlace& place) { return place.outer > 1 || place.wide; }

struct Parts {
  AffineIndex outer, inner;
};

// An index as (outer * samples + n) * inner-extent + inner; nothing if it does not stay within the inner part
// of sample n.
std::optional<Parts> parts_of(const AffineIndex& index, const std::vector<Axis>& box, std::size_t axis,
                              const SamplePlace& place, std::int64_t samples) {
  if (index.from != not_computed || index.coefficients[axis] != place.inner) return std::nullopt;
  const std::int64_t round = samples * place.inner, turns = floor_divide(index.offset, round);
  const std::vector<std::int64_t> none(box.size(), 0);
  Parts parts{{none, turns}, {none, index.offset - turns * round}};
  std::int64_t low = parts.inner.offset, high = low;
  for (std::size_t a = 0; a < box.size(); ++a) {
    const std::int64_t k = index.coefficients[a];
    if (a == axis || box[a].extent == 1) continue;
    if (k % round == 0) {
      parts.outer.coefficients[a] = k / round;
    } else {
      parts.inner.coefficients[a] = k;
      (k < 0 ? low : high) += k * (box[a].extent - 1);
    }
  }
  if (low < 0 || high >= place.inner) return std::nullopt;
  if (!has_outer(place) && !is_zero(parts.outer)) return std::nullopt;
  return parts;
}

}  // namespace

std::optional<SampleAxis> sample_axis(const AffineIndex& index, const std::vector<Axis>& box,
                                      const SamplePlace& place, std::int64_t samples) {
  for (std::size_t a = 0; a < box.size(); ++a) {
    const std::int64_t k = index.coefficients[a];
    if (k <= 0 || place.inner % k != 0) continue;
    const std::int64_t inner = place.inner / k, extent = box[a].extent;
    if (extent % (samples * inner) == 0) return SampleAxis{a, extent / (samples * inner), inner};
  }
  return std::nullopt;
}

std::size_t split_axis(StructuredOp& op, const SampleAxis& split, std::int64_t samples) {
  struct Part {
    const char* name;
    std::int64_t extent, step;
  };
  if (split.outer == 1 && split.inner == 1) return split.axis;
  std::vector<Part> parts;
  if (split.outer > 1) parts.push_back({"_outer", split.outer, samples * split.inner});
  parts.push_back({"_sample", samples, split.inner});
  if (split.inner > 1) parts.push_back({"_inner", split.inner, 1});

  const std::string name = op.box[split.axis].name;
  op.box.erase(op.box.begin() + static_cast<std::ptrdiff_t>(split.axis));
  for (std::size_t p = 0; p < parts.size(); ++p)
    op.box.insert(op.box.begin() + static_cast<std::ptrdiff_t>(split.axis + p),
                  {name + parts[p].name, parts[p].extent, false});
  for_each_index(op, [&](AffineIndex& index) {
    const auto place = index.coefficients.begin() + static_cast<std::ptrdiff_t>(split.axis);
    const std::int64_t k = *place;
    std::vector<std::int64_t> steps;
    for (const Part& part : parts) steps.push_back(k * part.step);
    index.coefficients.insert(index.coefficients.erase(place), steps.begin(), steps.end());
  });
  return split.axis + (split.outer > 1 ? 1 : 0);
}

std::optional<SamplePlace> place_along(const Access& access, const std::vector<std::int64_t>& shape,
                                       std::size_t axis, std::size_t dimension, std::int64_t samples) {
  const std::int64_t inner = access.map[dimension].coefficients[axis];
  if (inner <= 0 || shape[dimension] % (samples * inner) != 0) return std::nullopt;
  return SamplePlace{dimension, shape[dimension] / (samples * inner), inner};
}

std::vector<std::int64_t> moved_shape(const std::vector<std::int64_t>& shape, const SamplePlace& place,
                                      std::int64_t samples, Samples become) {
  std::vector<std::int64_t> moved;
  if (become == Samples::first) moved.push_back(samples);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (d != place.dimension) moved.push_back(shape[d]);
    if (d == place.dimension && has_outer(place)) moved.push_back(place.outer);
    if (d == place.dimension && place.inner > 1) moved.push_back(place.inner);
  }
  return moved;
}

bool move_samples(Access& access, const std::vector<Axis>& box, std::size_t axis, const SamplePlace& place,
                  std::int64_t samples, Samples become) {
  const auto parts = parts_of(access.map[place.dimension], box, axis, place, samples);
  if (!parts) return false;
  std::vector<AffineIndex> map;
  if (become == Samples::first) {
    map.push_back({std::vector<std::int64_t>(box.size(), 0), 0});
    map.back().coefficients[axis] = 1;
  }
  for (std::size_t d = 0; d < access.map.size(); ++d) {
    if (d != place.dimension) {
      if (access.map[d].coefficients[axis] != 0) return false;
      map.push_back(access.map[d]);
      continue;
    }
    if (has_outer(place)) map.push_back(parts->outer);
    if (place.inner > 1) map.push_back(parts->inner);
  }
  access.map = std::move(map);
  return true;
}

}  // namespace dojo::graph
