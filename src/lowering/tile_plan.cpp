#include "lowering/tile_plan.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "lowering/access.h"
#include "lowering/op_rates.h"

namespace dojo::lowering {

using graph::Access;
using graph::AffineIndex;
using graph::StructuredOp;
using graph::Tensor;

namespace {

std::int64_t pieces(std::int64_t whole, std::int64_t size) { return (whole + size - 1) / size; }

// Whether a computed index of any access moves with the axis, which then has to begin at 0.
bool offsets_a_computed_index(const StructuredOp& op, std::size_t axis) {
  const auto moved = [&](const Access& access) {
    return std::ranges::any_of(access.map, [&](const AffineIndex& index) {
      return index.from != graph::not_computed && reaches(index, axis);
    });
  };
  return moved(op.out) || std::ranges::any_of(op.in, moved);
}

// The output's elements under pieces of the axis do not touch, and every element is under one.
bool separates_output(const StructuredOp& op, std::size_t axis, const std::vector<std::int64_t>& shape) {
  int found = -1;
  for (std::size_t d = 0; d < op.out.map.size(); ++d) {
    if (!reaches(op.out.map[d], axis)) continue;
    if (found >= 0) return false;
    found = static_cast<int>(d);
  }
  if (found < 0) return false;
  const AffineIndex& index = op.out.map[static_cast<std::size_t>(found)];
  const std::int64_t step = index.coefficients[axis];
  if (index.from != graph::not_computed || index.offset != 0 || step <= 0) return false;
  std::int64_t within = 0;  // how far the other axes reach
  for (std::size_t a = 0; a < op.box.size(); ++a) {
    if (a == axis || index.coefficients[a] == 0) continue;
    if (index.coefficients[a] < 0) return false;
    within += index.coefficients[a] * (op.box[a].extent - 1);
  }
  return within < step && step * op.box[axis].extent >= shape[static_cast<std::size_t>(found)];
}

}  // namespace

std::vector<Cutting> ways_to_cut(const StructuredOp& op, const std::vector<Tensor>& tensors) {
  const auto& shape = tensors[static_cast<std::size_t>(op.out.tensor)].shape;
  std::vector<Cutting> ways;
  for (std::size_t a = 0; a < op.box.size(); ++a) {
    const bool summed = op.reduction == graph::Reduction::sum && !reaches(op.out, a);
    if (op.box[a].extent == 1 || offsets_a_computed_index(op, a))
      ways.push_back(Cutting::whole);
    else if (separates_output(op, a, shape))
      ways.push_back(Cutting::shared);
    else
      ways.push_back(summed ? Cutting::in_turns : Cutting::whole);
  }
  return ways;
}

BoxImage image_read(const StructuredOp& op, const Access& access, const std::vector<std::int64_t>& shape,
                    const std::vector<std::int64_t>& size) {
  BoxImage image;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const AffineIndex& index = access.map[d];
    BoxRange range{index.offset, 1, std::vector<std::int64_t>(op.box.size(), 0)};
    if (index.from != graph::not_computed) {
      range.low = 0, range.extent = shape[d];
      image.push_back(std::move(range));
      continue;
    }
    for (std::size_t a = 0; a < op.box.size(); ++a) {
      const std::int64_t reach = index.coefficients[a] * (size[a] - 1);
      if (reach < 0) range.low += reach;
      range.extent += reach < 0 ? -reach : reach;
      if (size[a] < op.box[a].extent) range.coefficients[a] = index.coefficients[a];
    }
    image.push_back(std::move(range));
  }
  return image;
}

BoxImage image_written(const StructuredOp& op, const std::vector<std::int64_t>& shape,
                       const std::vector<std::int64_t>& size) {
  BoxImage image;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    BoxRange range{0, shape[d], std::vector<std::int64_t>(op.box.size(), 0)};
    for (std::size_t a = 0; a < op.box.size(); ++a) {
      const std::int64_t step = op.out.map[d].coefficients[a];
      if (step == 0 || size[a] == op.box[a].extent) continue;
      range.extent = step * size[a];
      range.coefficients[a] = step;
    }
    image.push_back(std::move(range));
  }
  return image;
}

std::int64_t elements(const BoxImage& image) {
  std::int64_t count = 1;
  for (const BoxRange& range : image) count *= range.extent;
  return count;
}

std::int64_t TilePlan::turns_of(const StructuredOp& op, std::size_t axis) const {
  if (ways[axis] != Cutting::in_turns && static_cast<int>(axis) != parted) return 1;
  return pieces(static_cast<int>(axis) == parted ? part : op.box[axis].extent, size[axis]);
}

std::int64_t TilePlan::parts(const StructuredOp& op) const {
  return parted < 0 ? 1 : pieces(op.box[static_cast<std::size_t>(parted)].extent, part);
}

namespace {

constexpr double worth_parts = 5000;  // estimated cycles without them

// Estimated cycles of an op that is cut in some way; the plan with the fewest is taken. The estimates need
// only put plans in order.
class TileSearch {
public:
  TileSearch(const StructuredOp& op, const std::vector<Tensor>& tensors, const TileLimits& limits)
      : op_(op), tensors_(tensors), limits_(limits) {}

  // With a second half of every operand's buffer, or with larger tiles instead.
  TilePlan run() const {
    const TilePlan at_once = search(false), ahead = search(true);
    TilePlan best = cost(ahead) < cost(at_once) ? ahead : at_once;
    if (bytes(best) > limits_.bytes)
      throw UserError(
          op_.name,
          fmt::format("needs {} bytes for its smallest tile where {} are free", bytes(best), limits_.bytes),
          Refusal::not_yet);
    for (std::size_t a = 0; a < op_.box.size(); ++a) best.in_turns |= best.turns_of(op_, a) > 1;
    return best;
  }

private:
  TilePlan search(bool ahead) const {
    TilePlan best;
    best.ways = ways_to_cut(op_, tensors_);
    best.ahead = ahead;
    for (const graph::Axis& axis : op_.box) best.size.push_back(axis.extent);
    const TilePlan whole = best;
    best = cut(best);
    double least = cost(best);
    const bool idle = tiles(best) < limits_.nodes;
    for (std::size_t a = 0; a < op_.box.size() && idle && least > worth_parts; ++a) {
      double before = least;
      for (TilePlan parted = whole; make_parts(parted, a) && parted.parts(op_) <= 2 * limits_.nodes;) {
        const TilePlan next = cut(parted);
        const double now = cost(next);
        if (now < least) least = now, best = next;
        if (now > 2 * before) break;
        before = now;
      }
    }
    return best;
  }

  bool is_chain(std::size_t axis) const { return graph::is_chain_axis(op_, axis); }

  // Other sizes that are worth a try: of one piece more or less, and of about twice or half as many. Every
  // point of a chain counts once, so its pieces are equal; but for a batch, which ends where its samples end.
  // What lies beyond the output is not stored.
  static std::vector<std::int64_t> smaller(std::int64_t whole, std::int64_t size, bool equal) {
    const std::int64_t now = pieces(whole, size);
    std::vector<std::int64_t> sizes = {pieces(whole, now * 2)};
    if (now > 1) sizes.push_back(std::min(pieces(whole, now + 1), size - 1));
    for (std::int64_t& next : sizes)
      while (equal && whole % next != 0) --next;
    return sizes;
  }
  static std::vector<std::int64_t> larger(std::int64_t whole, std::int64_t size, bool equal) {
    const std::int64_t now = pieces(whole, size);
    if (now == 1) return {};
    std::vector<std::int64_t> sizes = {pieces(whole, now - 1), pieces(whole, now / 2)};
    for (std::int64_t& next : sizes)
      while (equal && whole % next != 0) ++next;
    return sizes;
  }

  // The plan with other sizes as long as that helps: of one axis, or of one smaller and of another larger.
  TilePlan cut(TilePlan plan) const {
    for (double least = cost(plan);;) {
      std::optional<TilePlan> better;
      const auto try_it = [&](const TilePlan& next) {
        if (const double now = cost(next); now < least) least = now, better = next;
      };
      const auto with = [](TilePlan next, std::size_t a, std::int64_t size) {
        next.size[a] = size;
        return next;
      };
      const std::vector<Sizes> sizes = other_sizes(plan);
      for (std::size_t a = 0; a < sizes.size(); ++a) {
        for (const std::int64_t size : sizes[a].smaller) try_it(with(plan, a, size));
        for (const std::int64_t size : sizes[a].larger) try_it(with(plan, a, size));
      }
      for (std::size_t a = 0; a < sizes.size() && !better; ++a)
        for (std::size_t b = 0; b < sizes.size(); ++b)
          for (const std::int64_t size : sizes[a].smaller)
            for (const std::int64_t more : sizes[b].larger)
              if (a != b) try_it(with(with(plan, a, size), b, more));
      if (!better) return plan;
      plan = *better;
    }
  }

  struct Sizes {
    std::vector<std::int64_t> smaller, larger;
  };
  std::vector<Sizes> other_sizes(const TilePlan& plan) const {
    std::vector<Sizes> sizes(op_.box.size());
    for (std::size_t a = 0; a < op_.box.size(); ++a) {
      const bool parted = static_cast<int>(a) == plan.parted;
      if (parted ? !summed() : plan.ways[a] == Cutting::whole) continue;
      const bool equal = parted || (plan.ways[a] == Cutting::in_turns && !op_.box[a].is_batch);
      const std::int64_t whole = parted ? plan.part : op_.box[a].extent;
      if (plan.size[a] > 1) sizes[a].smaller = smaller(whole, plan.size[a], equal);
      sizes[a].larger = larger(whole, plan.size[a], equal);
    }
    return sizes;
  }

  // About twice as many parts of the axis; false if that cannot be.
  bool make_parts(TilePlan& plan, std::size_t axis) const {
    const graph::Axis& along = op_.box[axis];
    const bool reduced = summed() || (op_.reduction == graph::Reduction::maximum && !along.is_batch);
    if (!is_chain(axis) || !reduced || along.extent < 4) return false;
    plan.part = smaller(along.extent, plan.parted < 0 ? along.extent : plan.part, !along.is_batch).front();
    plan.parted = static_cast<int>(axis);
    plan.size[axis] = plan.part;
    return plan.part > 1;
  }

  bool summed() const { return op_.reduction == graph::Reduction::sum; }
  double tiles(const TilePlan& plan) const {
    double count = static_cast<double>(plan.parts(op_));
    for (std::size_t a = 0; a < op_.box.size(); ++a)
      if (plan.ways[a] == Cutting::shared)
        count *= static_cast<double>(pieces(op_.box[a].extent, plan.size[a]));
    return count;
  }

  struct Moved {
    double bytes = 0, rows = 0;
  };
  static Moved moved(const BoxImage& image, const std::vector<std::int64_t>& shape, std::int64_t element) {
    Moved moved{static_cast<double>(elements(image) * element), 1};
    bool inside = true;
    for (std::size_t d = image.size(); d-- > 0;) {
      if (!inside) moved.rows *= static_cast<double>(image[d].extent);
      inside = inside && image[d].extent == shape[d];
    }
    moved.rows += moved.bytes / unit_of_hbm;
    return moved;
  }

  std::int64_t bytes(const TilePlan& plan) const {
    std::int64_t sum = 0;
    for (const Access& access : op_.in) sum += bytes(read(access, plan), access.tensor);
    const BoxImage out = image_written(op_, shape(op_.out.tensor), plan.size);
    for (const Access& access : op_.extra) sum += elements(out) * element(access.tensor);
    if (plan.ahead) sum *= 2;
    bool turns = false;
    for (std::size_t a = 0; a < op_.box.size(); ++a) turns |= plan.turns_of(op_, a) > 1;
    const std::int64_t stored = plan.parted >= 0 ? 4 : element(op_.out.tensor);
    const bool finished = turns && plan.parted < 0 && (stored < 4 || !op_.epilogue.empty());
    return sum + elements(out) * (finished ? 4 + stored : stored);
  }

  std::int64_t bytes(const BoxImage& image, graph::TensorId id) const {
    return elements(image) * element(id);
  }
  const std::vector<std::int64_t>& shape(graph::TensorId id) const {
    return tensors_[static_cast<std::size_t>(id)].shape;
  }
  std::int64_t element(graph::TensorId id) const {
    return numerics::storage_bytes(tensors_[static_cast<std::size_t>(id)].format);
  }
  BoxImage read(const Access& access, const TilePlan& plan) const {
    return image_read(op_, access, shape(access.tensor), plan.size);
  }

  double cost(const TilePlan& plan) const {
    const StructuredOp& op = op_;
    double turns = 1;
    for (std::size_t a = 0; a < op.box.size(); ++a) {
      turns *= static_cast<double>(plan.turns_of(op, a));
    }
    const double nodes = limits_.nodes, shares = tiles(plan), active = std::min(shares, nodes);
    const double rate = std::min(port_bytes_per_cycle, limits_.hbm_bytes_per_cycle / active);
    Moved in;
    for (const Access& access : op.in) {
      const Moved one = moved(read(access, plan), shape(access.tensor), element(access.tensor));
      in.bytes += one.bytes, in.rows += one.rows;
    }
    const BoxImage written = image_written(op, shape(op.out.tensor), plan.size);
    const Moved out = moved(written, shape(op.out.tensor), plan.parted < 0 ? element(op.out.tensor) : 4);
    const double extras = static_cast<double>(op.extra.size());
    const double arrival = turns * (in.bytes / rate + start_of_a_box) + extras * out.bytes / rate,
                 asking = row_of_a_box * (turns * in.rows + extras * out.rows),
                 compute = turns * compute_cycles(op, plan.size, narrow()),
                 storing = out.bytes / rate + row_of_a_box * out.rows + start_of_a_box;
    const double rounds = std::ceil(shares / nodes), pieces = rounds * turns;
    const double fetched = plan.ahead ? arrival / pieces + std::max(0.0, arrival - compute) : arrival;
    double sum = rounds * (asking + fetched + compute + storing);
    if (plan.parted >= 0) {
      const double all = static_cast<double>(plan.parts(op)) * 4 *
                         static_cast<double>(graph::element_count(shape(op.out.tensor)));
      sum += 2 * all / limits_.hbm_bytes_per_cycle + all / 4 / nodes + 3000;
    }
    const double over = static_cast<double>(bytes(plan)) / static_cast<double>(limits_.bytes);
    return over > 1 ? sum + 1e15 * over : sum;
  }

  bool narrow() const {
    return is_contraction(op_) && element(op_.in[0].tensor) < 4 && element(op_.in[1].tensor) < 4;
  }

  const StructuredOp& op_;
  const std::vector<Tensor>& tensors_;
  const TileLimits& limits_;
};

}  // namespace

TilePlan plan_tiles(const StructuredOp& op, const std::vector<Tensor>& tensors, const TileLimits& limits) {
  return TileSearch(op, tensors, limits).run();
}

}  // namespace dojo::lowering
