#include "lowering/tile_steps.h"

#include <algorithm>

#include "base/error.h"
#include "base/index.h"
#include "graph/expression.h"
#include "lowering/access.h"
#include "lowering/gather_form.h"
#include "lowering/row_sums.h"

namespace dojo::lowering {

using graph::Access;
using graph::AffineIndex;
using graph::StructuredOp;
using graph::Tensor;
using graph::TensorId;
using numerics::Format;

AffineIndex index_along(std::size_t axes, std::size_t axis) {
  AffineIndex index{std::vector<std::int64_t>(axes, 0), 0};
  index.coefficients[axis] = 1;
  return index;
}

Access elements_of(const std::vector<std::int64_t>& shape, StructuredOp& op, std::size_t axes) {
  Access access;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    op.box.push_back({fmt::format("d{}", d), shape[d], false});
    access.map.push_back(index_along(axes, d));
  }
  return access;
}

namespace {

// The cuts of the loops around a step, and where each axis begins in terms of their turns.
struct Loops {
  std::vector<TilesStep::Cut> shared, turns;
  std::vector<std::vector<std::int64_t>> first;  // by axis, by loop (shared ones first): points
};
Loops loops_of(const StructuredOp& op, const TilePlan& plan) {
  Loops loops;
  std::vector<std::vector<std::pair<std::size_t, std::int64_t>>> moves(op.box.size());
  const auto cut = [&](std::vector<TilesStep::Cut>& cuts, std::size_t axis, std::int64_t count,
                       std::int64_t size, std::size_t number) {
    cuts.push_back({op.box[axis].name, count});
    moves[axis].emplace_back(number, size);
  };
  std::size_t number = 0;
  for (std::size_t a = 0; a < op.box.size(); ++a) {
    if (static_cast<int>(a) == plan.parted) cut(loops.shared, a, plan.parts(op), plan.part, number++);
    if (plan.ways[a] != Cutting::shared || plan.size[a] == op.box[a].extent) continue;
    cut(loops.shared, a, (op.box[a].extent + plan.size[a] - 1) / plan.size[a], plan.size[a], number++);
  }
  for (std::size_t a = 0; a < op.box.size(); ++a)
    if (plan.turns_of(op, a) > 1) cut(loops.turns, a, plan.turns_of(op, a), plan.size[a], number++);
  for (const auto& of_axis : moves) {
    loops.first.emplace_back(number, 0);
    for (const auto& [loop, points] : of_axis) loops.first.back()[loop] = points;
  }
  return loops;
}
Origin origin(const BoxRange& range, const Loops& loops) {
  Origin place{range.low, std::vector<std::int64_t>(loops.shared.size() + loops.turns.size(), 0)};
  for (std::size_t a = 0; a < range.coefficients.size(); ++a)
    for (std::size_t loop = 0; loop < place.coefficients.size(); ++loop)
      place.coefficients[loop] += range.coefficients[a] * loops.first[a][loop];
  return place;
}
std::vector<Origin> origins(const BoxImage& image, const Loops& loops) {
  std::vector<Origin> places;
  for (const BoxRange& range : image) places.push_back(origin(range, loops));
  return places;
}
Shape extents(const BoxImage& image) {
  Shape shape;
  for (const BoxRange& range : image) shape.push_back(range.extent);
  return shape;
}

// An extra of the op over a box whose first axes are the output's dimensions. Each of its dimensions is a
// constant or one of the output's; `low`: what the extra's buffer begins with.
Access over_output(const StructuredOp& op, const Access& extra, std::size_t axes,
                   const std::vector<std::int64_t>& low) {
  Access access = extra;
  for (std::size_t d = 0; d < access.map.size(); ++d) {
    const auto same = std::ranges::find(op.out.map, extra.map[d]);
    const bool constant =
        std::ranges::all_of(extra.map[d].coefficients, [](std::int64_t c) { return c == 0; });
    if (constant) {
      access.map[d] = {std::vector<std::int64_t>(axes, 0), extra.map[d].offset - (low.empty() ? 0 : low[d])};
    } else {
      DOJO_ENSURE(same != op.out.map.end());
      access.map[d] = index_along(axes, static_cast<std::size_t>(same - op.out.map.begin()));
    }
  }
  return access;
}

// What the epilogue reads for the output's box `written`.
BoxImage image_of_extra(const StructuredOp& op, const Access& extra, const BoxImage& written) {
  BoxImage image;
  for (const AffineIndex& index : extra.map) {
    const auto same = std::ranges::find(op.out.map, index);
    const bool constant = std::ranges::all_of(index.coefficients, [](std::int64_t c) { return c == 0; });
    DOJO_ENSURE(constant || same != op.out.map.end());
    image.push_back(constant ? BoxRange{index.offset, 1, std::vector<std::int64_t>(op.box.size(), 0)}
                             : written[static_cast<std::size_t>(same - op.out.map.begin())]);
  }
  return image;
}

class TileWriter {
public:
  TileWriter(LoweredProgram& program, const std::vector<Tensor>& tensors, const HomeOf& home_of)
      : program_(program), tensors_(tensors), home_of_(home_of) {}

  void write(const StructuredOp& op, const TilePlan& plan, TensorId result) {
    const Loops loops = loops_of(op, plan);
    const Tensor& out = tensor(op.out.tensor);
    const BoxImage written = image_written(op, out.shape, plan.size);
    const bool parted = result != op.out.tensor;
    const bool finished = plan.in_turns && !parted && (out.format != Format::fp32 || !op.epilogue.empty());
    TilesStep tiles{op.name, loops.shared, true, {}, plan.ahead}, turns{op.name, loops.turns, false, {}};

    ComputeStep compute = local_op(op, plan, loops);
    std::vector<std::pair<Access, Operand>> known;
    for (Access& access : compute.op.in) {
      const auto same = std::ranges::find_if(known, [&](const auto& before) {
        return before.first.tensor == access.tensor && same_map(before.first, access) &&
               before.first.outside == access.outside;
      });
      if (same != known.end()) {
        move_into(access, same->second);
        continue;
      }
      const Access original = access;
      Operand fetched =
          operand(access, image_read(op, access, tensor(access.tensor).shape, plan.size), loops);
      if (fetched.fetch)
        (plan.in_turns && fetched.moves_in_turns ? turns : tiles).body.emplace_back(*fetched.fetch);
      move_into(access, fetched);
      known.emplace_back(original, std::move(fetched));
    }
    std::vector<std::pair<Access, Operand>> extras;
    for (const Access& access : op.extra) {
      extras.emplace_back(access, operand(access, image_of_extra(op, access, written), loops));
      if (extras.back().second.fetch) tiles.body.emplace_back(*extras.back().second.fetch);
    }

    const Shape shape = extents(written);
    const BufferId sums = scratch(out.name + ".tile", shape, finished || parted ? Format::fp32 : out.format);
    compute.op.out.tensor = sums;
    compute.accumulate = plan.in_turns;
    if (plan.in_turns) {
      compute.op.extra.clear();
      compute.op.epilogue = {};
      tiles.body.emplace_back(FillStep{sums, 0.0f});
      add_compute(turns.body, compute);
      tiles.body.emplace_back(std::move(turns));
    } else {
      for (std::size_t k = 0; k < extras.size(); ++k) move_into(compute.op.extra[k], extras[k].second);
      add_compute(tiles.body, compute);
    }
    BufferId stored = sums;
    if (finished) {
      stored = scratch(out.name + ".finished", shape, out.format);
      tiles.body.emplace_back(finish(op, extras, sums, stored));
    }
    StoreBoxStep store{stored, home_of_(result), origins(written, loops)};
    if (parted) {
      Shape in_parts = shape;
      in_parts.insert(in_parts.begin(), 1);
      store.buffer = scratch(program_.at(stored).name + ".part", in_parts, Format::fp32, stored);
      Origin part{0, std::vector<std::int64_t>(loops.shared.size() + loops.turns.size(), 0)};
      std::size_t loop = 0;
      while (loops.first[at(plan.parted)][loop] == 0) ++loop;
      part.coefficients[loop] = 1;
      store.origin.insert(store.origin.begin(), part);
    }
    tiles.body.emplace_back(std::move(store));
    if (tiles.ahead) make_room_for_two(tiles);
    program_.steps.emplace_back(std::move(tiles));
  }

private:
  const Tensor& tensor(TensorId id) const { return tensors_[at(id)]; }
  BufferId scratch(std::string name, Shape shape, Format format, BufferId view_of = no_buffer) {
    Buffer buffer{std::move(name), std::move(shape), format, Storage::scratch, 0, view_of, {}};
    buffer.capacity = buffer.elements();
    program_.buffers.push_back(std::move(buffer));
    return static_cast<BufferId>(program_.buffers.size() - 1);
  }

  // Of what is fetched: the second begins on a whole register.
  void make_room_for_two(const TilesStep& tiles) {
    for (const Step& step : tiles.body) {
      if (const auto* turns = std::get_if<TilesStep>(&step)) make_room_for_two(*turns);
      if (const auto* fetch = std::get_if<FetchBoxStep>(&step)) {
        Buffer& buffer = program_.buffers[at(fetch->buffer)];
        buffer.capacity = 2 * buffer.elements_apart();
      }
    }
  }

  // A tile's operand: fetched, unless every node holds it anyway.
  struct Operand {
    BufferId buffer;
    std::vector<std::int64_t> low;  // what the access' offsets become smaller by
    std::optional<FetchBoxStep> fetch;
    bool moves_in_turns = false;
  };
  Operand operand(const Access& access, const BoxImage& image, const Loops& loops) {
    const BufferId home = home_of_(access.tensor);
    const Buffer& whole = program_.at(home);
    if (whole.shape.empty() && !in_hbm(whole.storage)) return {home, {}, {}, false};
    Operand operand;
    for (const BoxRange& range : image) operand.low.push_back(range.low);
    FetchBoxStep fetch{home, no_buffer, origins(image, loops), access.outside};
    for (const Origin& place : fetch.origin)
      for (std::size_t loop = loops.shared.size(); loop < place.coefficients.size(); ++loop)
        operand.moves_in_turns |= place.coefficients[loop] != 0;
    fetch.buffer = operand.buffer = scratch(whole.name + ".tile", extents(image), whole.format);
    operand.fetch = std::move(fetch);
    return operand;
  }

  // The op on one tile: extents of the tile, offsets within what was fetched.
  ComputeStep local_op(const StructuredOp& op, const TilePlan& plan, const Loops& loops) const {
    ComputeStep step;
    step.op = op;
    for (std::size_t a = 0; a < op.box.size(); ++a) {
      graph::Axis& axis = step.op.box[a];
      axis.extent = plan.size[a];
      if (!axis.is_batch) continue;
      if (!reaches(op.out, a)) {
        step.batch_axis = static_cast<int>(a);
        step.first_sample = origin({0, 1, index_along(op.box.size(), a).coefficients}, loops);
      } else {
        axis.is_batch = false;  // all samples are computed, those that nobody asks for, too
      }
    }
    return step;
  }
  static void move_into(Access& access, const Operand& operand) {
    access.tensor = operand.buffer;
    for (std::size_t d = 0; d < operand.low.size(); ++d)
      if (access.map[d].from == graph::not_computed) access.map[d].offset -= operand.low[d];
  }

  void add_compute(std::vector<Step>& body, const ComputeStep& step) {
    for (const ComputeStep& part : gather_form(program_, step))
      for (ComputeStep& one : row_sums(program_, part)) body.emplace_back(std::move(one));
  }

  // stored = epilogue(sums), element by element.
  ComputeStep finish(const StructuredOp& op, const std::vector<std::pair<Access, Operand>>& extras,
                     BufferId sums, BufferId stored) const {
    ComputeStep step;
    step.op.name = op.name + ".finish";
    step.op.origin = op.origin;
    const Shape& shape = program_.at(stored).shape;
    step.op.out = elements_of(shape, step.op, shape.size());
    step.op.in = {step.op.out};
    step.op.in[0].tensor = sums;
    step.op.out.tensor = stored;
    for (const auto& [access, operand] : extras) {
      step.op.in.push_back(over_output(op, access, shape.size(), operand.low));
      step.op.in.back().tensor = operand.buffer;
    }
    step.op.body = op.epilogue.empty() ? graph::copy_of_input() : op.epilogue;
    return step;
  }

  LoweredProgram& program_;
  const std::vector<Tensor>& tensors_;
  const HomeOf& home_of_;
};

}  // namespace

StructuredOp sum_of_parts(const StructuredOp& op, const std::vector<Tensor>& tensors, TensorId parts) {
  StructuredOp total;
  total.name = op.name + ".total";
  total.origin = op.origin;
  const Tensor& out = tensors[at(op.out.tensor)];
  const std::size_t axes = out.shape.size() + 1;
  Access element = elements_of(out.shape, total, axes);
  total.box.push_back({"part", tensors[at(parts)].shape[0], false});
  total.out = element;
  total.out.tensor = op.out.tensor;
  total.in = {element};
  total.in[0].tensor = parts;
  total.in[0].map.insert(total.in[0].map.begin(), index_along(axes, axes - 1));
  total.body = graph::copy_of_input();
  total.reduction = op.reduction;
  for (const Access& extra : op.extra) total.extra.push_back(over_output(op, extra, axes, {}));
  total.epilogue = op.epilogue;
  return total;
}

void add_tiles(LoweredProgram& program, const std::vector<Tensor>& tensors, const HomeOf& home_of,
               const StructuredOp& op, const TilePlan& plan, TensorId result) {
  TileWriter(program, tensors, home_of).write(op, plan, result);
}

}  // namespace dojo::lowering
