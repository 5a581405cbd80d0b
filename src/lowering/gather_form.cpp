#include "lowering/gather_form.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/index.h"
#include "lowering/access.h"

namespace dojo::lowering {
namespace {

using graph::Access;
using graph::AffineIndex;

// A dimension of out whose index is s * o + d * k + c.
struct Scattered {
  std::size_t dimension = 0;
  int o = -1, k = -1;
  std::int64_t s = 1, d = 1, c = 0, extent = 1;
};

// One remainder of it: k = first + step * a; o = u - back * a + ahead.
struct Remainder {
  std::int64_t places = 0, taps = 0, first = 0, step = 1, back = 0, ahead = 0;
};

Remainder remainder(const Scattered& dim, std::int64_t taps, std::int64_t p) {
  Remainder r;
  r.places = (dim.extent - p + dim.s - 1) / dim.s;
  r.step = dim.s / std::gcd(dim.s, dim.d);
  r.back = dim.d * r.step / dim.s;
  while (r.first < taps && (p - dim.d * r.first - dim.c) % dim.s != 0) ++r.first;
  r.taps = (taps - r.first + r.step - 1) / r.step;
  r.ahead = (p - dim.d * r.first - dim.c) / dim.s;
  return r;
}

bool depends(const Access& access, int axis) { return reaches(access, at(axis)); }

// The scattered dimensions; nothing if the op is of another form.
std::optional<std::vector<Scattered>> scattered_dimensions(const ComputeStep& step, const Shape& shape) {
  const graph::StructuredOp& op = step.op;
  std::vector<Scattered> found;
  for (std::size_t d = 0; d < op.out.map.size(); ++d) {
    const AffineIndex& index = op.out.map[d];
    std::vector<int> used;
    for (std::size_t a = 0; a < op.box.size(); ++a) {
      if (reaches(index, a)) used.push_back(static_cast<int>(a));
    }
    if (used.size() == 1 && plain_dimension(op.out, at(used[0])) == static_cast<int>(d) &&
        (op.box[at(used[0])].extent == shape[d] || used[0] == step.batch_axis))
      continue;
    if (used.size() != 2) return std::nullopt;
    if (op.box[at(used[0])].extent < op.box[at(used[1])].extent) std::swap(used[0], used[1]);
    const Scattered dim{d,
                        used[0],
                        used[1],
                        index.coefficients[at(used[0])],
                        index.coefficients[at(used[1])],
                        index.offset,
                        shape[d]};
    const bool steps_itself = dim.o == step.batch_axis || dim.k == step.batch_axis ||
                              dim.o == step.tile_axis || dim.k == step.tile_axis;
    if (dim.s < 1 || dim.d < 1 || steps_itself) return std::nullopt;
    found.push_back(dim);
  }
  for (const Scattered& dim : found) {
    // Each of the two axes belongs to one operand, whose dimension it is.
    const bool first = depends(op.in[0], dim.o) && !depends(op.in[1], dim.o) && depends(op.in[1], dim.k) &&
                       !depends(op.in[0], dim.k);
    const bool second = depends(op.in[1], dim.o) && !depends(op.in[0], dim.o) && depends(op.in[0], dim.k) &&
                        !depends(op.in[1], dim.k);
    if (!first && !second) return std::nullopt;
    const Access& of_o = op.in[first ? 0 : 1];
    const Access& of_k = op.in[first ? 1 : 0];
    if (plain_dimension(of_o, at(dim.o)) < 0 || plain_dimension(of_k, at(dim.k)) < 0 || of_o.outside != 0)
      return std::nullopt;
    for (const Access& extra : op.extra) {
      if (!same_map(extra, op.out) && (depends(extra, dim.o) || depends(extra, dim.k))) return std::nullopt;
    }
    for (std::int64_t p = 0; p < dim.s; ++p) {
      const Remainder r = remainder(dim, op.box[at(dim.k)].extent, p);
      if (r.taps < 1 || r.places < 1) return std::nullopt;
    }
  }
  return found;
}

ComputeStep part(const ComputeStep& whole, const std::vector<Scattered>& dims,
                 const std::vector<std::int64_t>& remainders) {
  ComputeStep step = whole;
  step.only_reached = true;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const Scattered& dim = dims[i];
    const Remainder r = remainder(dim, whole.op.box[at(dim.k)].extent, remainders[i]);
    step.op.box[at(dim.o)].extent = r.places;
    step.op.box[at(dim.k)].extent = r.taps;
    AffineIndex out{std::vector<std::int64_t>(step.op.box.size(), 0), remainders[i]};
    out.coefficients[at(dim.o)] = dim.s;
    for (Access& extra : step.op.extra) {
      if (same_map(extra, whole.op.out) || extra.map.size() == step.op.out.map.size()) {
        if (reaches(extra.map[dim.dimension], at(dim.o))) extra.map[dim.dimension] = out;
      }
    }
    step.op.out.map[dim.dimension] = out;
    for (Access& in : step.op.in) {
      for (AffineIndex& index : in.map) {
        if (reaches(index, at(dim.o))) {
          index.coefficients[at(dim.k)] = -r.back;
          index.offset = r.ahead;
        } else if (reaches(index, at(dim.k))) {
          index.coefficients[at(dim.k)] = r.step;
          index.offset = r.first;
        }
      }
    }
  }
  return step;
}

}  // namespace

std::vector<ComputeStep> gather_form(const LoweredProgram& program, const ComputeStep& step) {
  const Shape& shape = program.at(step.op.out.tensor).shape;
  if (!is_contraction(step.op) || injective(step.op, shape)) return {step};
  const auto dims = scattered_dimensions(step, shape);
  if (!dims || dims->empty()) return {step};
  std::vector<ComputeStep> parts;
  std::vector<std::int64_t> remainders(dims->size(), 0);
  for (bool more = true; more;) {
    parts.push_back(part(step, *dims, remainders));
    more = false;
    for (std::size_t i = dims->size(); i-- > 0 && !more;) {
      more = ++remainders[i] < (*dims)[i].s;
      if (!more) remainders[i] = 0;
    }
  }
  return parts;
}

}  // namespace dojo::lowering
