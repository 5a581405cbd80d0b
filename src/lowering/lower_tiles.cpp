// Lowering: an op that reads or makes a tensor of several tiles runs in a loop over them.
#include <algorithm>

#include "base/error.h"
#include "graph/expression.h"
#include "lowering/gather_form.h"
#include "lowering/lowering.h"

namespace dojo::lowering {

using graph::Access;
using graph::no_tensor;
using graph::StructuredOp;
using graph::Tensor;
using graph::TensorId;
using numerics::Format;

// --- In tiles ---
std::optional<Tiling> Lowering::find_tiling(const StructuredOp& op) {
  Tiling tiling;
  const auto consider = [&](const Access& access) {
    const ShardLayout shard = layout(access.tensor);
    const int axis = tiled_axis(op, access);
    const bool agrees =
        tiling.axis < 0 || (tiling.axis == axis && tiling.layout.tile_rows == shard.tile_rows);
    if (axis < 0 || !agrees) {
      throw UserError(
          op.name,
          fmt::format("cannot use '{}' ({} tiles) tile by tile", graph_.at(access.tensor).name, shard.tiles),
          Refusal::not_yet);
    }
    tiling.axis = axis;
    tiling.layout = shard;
  };
  for (const Access* access : operands(op)) {
    if (gatherable(access->tensor) == no_tensor || layout(access->tensor).tiles == 1) continue;
    consider(*access);
    tiling.parameters.push_back(access->tensor);
  }
  const bool tiled_result =
      is_partial(op) && place_of(op.out.tensor) == Place::sharded && layout(op.out.tensor).tiles > 1;
  if (tiled_result) consider(op.out);
  if (tiling.axis < 0) return std::nullopt;
  tiling.summed = !reaches(op.out, at(tiling.axis));
  if (op.reduction == graph::Reduction::maximum && (tiling.summed || is_partial(op)))
    throw UserError(op.name, "takes a maximum over tiles or over samples of a tensor of several tiles",
                    Refusal::not_yet);
  return tiling;
}

// The axis that runs over dimension 0 of a tiled tensor, if the op can be cut along it.
int Lowering::tiled_axis(const StructuredOp& op, const Access& access) const {
  for (std::size_t a = 0; a < op.box.size(); ++a) {
    if (plain_dimension(access, a) != 0 || op.box[a].extent != graph_.at(access.tensor).shape[0]) continue;
    if (reaches(op.out, a) && plain_dimension(op.out, a) < 0) return -1;
    return static_cast<int>(a);
  }
  return -1;
}

void Lowering::in_tiles(const StructuredOp& op, const Tiling& tiling) {
  const TensorId out = op.out.tensor;
  const Tensor& tensor = graph_.at(out);
  const bool tiled_result = is_partial(op) && place_of(out) == Place::sharded && layout(out).tiles > 1;
  std::map<TensorId, BufferId> replace;
  LoopStep loop{op.name, tiling.layout.tiles, {}};
  std::vector<BufferId> tile_buffers;
  for (const TensorId id : tiling.parameters) {
    if (replace.contains(id)) continue;
    const ShardLayout shard = layout(id);
    Shape shape = graph_.at(id).shape;
    shape[0] = shard.tile_rows;
    const BufferId tile = scratch(graph_.at(id).name + ".tile", shape, graph_.at(id).format, padded(shard));
    loop.body.emplace_back(GatherStep{{{shard_of_[at(gatherable(id))], tile, shard.chunk}}, no_buffer});
    replace[id] = tile;
    tile_buffers.push_back(tile);
  }

  // Where the tiles' sums meet: an FP32 buffer, and afterwards what the op does to the sum.
  const bool separate_sum = tiling.summed && (tensor.format != Format::fp32 || !op.epilogue.empty());
  if (tiled_result) {
    const ShardLayout shard = layout(out);
    Shape shape = tensor.shape;
    shape[0] = shard.tile_rows;
    replace[out] = scratch(tensor.name + ".tile", shape, Format::fp32, padded(shard));
    tile_buffers.push_back(replace[out]);
  } else if (separate_sum) {
    replace[out] = scratch(tensor.name + ".sum", local_shape(tensor), Format::fp32);
  } else {
    replace[out] = make_output(op);
  }
  if (tiling.summed) program_.steps.emplace_back(FillStep{replace[out], 0.0f});

  StructuredOp summed = op;
  if (separate_sum) {
    summed.epilogue = {};
    summed.extra.clear();
  }
  ComputeStep step = localise(summed, replace);
  step.tile_axis = tiling.axis;
  step.tile_rows = tiling.layout.tile_rows;
  step.tile_buffers = tile_buffers;
  step.accumulate = tiling.summed;
  for (ComputeStep& part : gather_form(program_, step)) loop.body.emplace_back(std::move(part));
  if (tiled_result) {
    const ReduceScatterStep::Member member{replace[out], make_shard(out), layout(out).chunk};
    loop.body.emplace_back(ReduceScatterStep{{member}, no_buffer, staging(member.chunk)});
  }
  program_.steps.emplace_back(std::move(loop));
  if (separate_sum) {
    finish_sum(op, replace[out]);
  } else if (!tiled_result) {
    buffer_of_[at(out)] = replace[out];
    if (is_partial(op)) reduce_whole(out, replace[out]);
  }
}

// out = epilogue(sum), element by element over out's own box.
void Lowering::finish_sum(const StructuredOp& op, BufferId sum) {
  const Tensor& tensor = graph_.at(op.out.tensor);
  StructuredOp rest;
  rest.name = op.name + ".finish";
  rest.origin = op.origin;
  const bool plain = injective(op, tensor.shape);
  Access identity;
  for (std::size_t d = 0; d < tensor.shape.size(); ++d) {
    rest.box.push_back({fmt::format("d{}", d), tensor.shape[d], d == 0 && tensor.has_batch});
    graph::AffineIndex index{std::vector<std::int64_t>(tensor.shape.size(), 0), 0};
    index.coefficients[d] = 1;
    identity.map.push_back(index);
  }
  rest.out = identity;
  rest.out.tensor = op.out.tensor;
  rest.in = {identity};
  rest.in[0].tensor = op.out.tensor;
  for (const Access& extra : op.extra) rest.in.push_back(over_output(op, extra, identity, plain));
  rest.body = op.epilogue;
  if (rest.body.empty()) rest.body = graph::copy_of_input();

  const BufferId result = scratch(tensor.name, local_shape(tensor), tensor.format);
  ComputeStep step = localise(rest, {{op.out.tensor, result}});
  step.op.in[0].tensor = sum;
  program_.steps.emplace_back(std::move(step));
  buffer_of_[at(op.out.tensor)] = result;
}

// An extra of `op` as an access over the box of out's dimensions.
Access Lowering::over_output(const StructuredOp& op, const Access& extra, const Access& identity,
                             bool plain) const {
  Access access = extra;
  if (same_map(extra, op.out)) {
    access.map = identity.map;
    return access;
  }
  for (graph::AffineIndex& index : access.map) {
    graph::AffineIndex moved{std::vector<std::int64_t>(op.out.map.size(), 0), index.offset};
    for (std::size_t a = 0; a < op.box.size(); ++a) {
      if (!reaches(index, a)) continue;
      const int dimension = plain ? plain_dimension(op.out, a) : -1;
      if (dimension < 0)
        throw UserError(op.name, "ends in an expression that does not follow its output", Refusal::not_yet);
      moved.coefficients[at(dimension)] += index.coefficients[a];
    }
    index = moved;
  }
  return access;
}

}  // namespace dojo::lowering
