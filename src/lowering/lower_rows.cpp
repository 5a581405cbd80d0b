// Lowering: rows of a tensor of several tiles that are found by computed numbers. A lookup (an embedding)
// goes over the tiles: each gives those of its rows that are asked for, all others are 0 there, and the
// results are added. A sum at computed places (its gradient) goes over the tiles of its result in the same
// way, and drops what is written to others. The numbers of the rows within a tile are made anew for each.
#include <algorithm>

#include "base/error.h"
#include "graph/expression.h"
#include "lowering/lowering.h"

namespace dojo::lowering {

using graph::Access;
using graph::Formula;
using graph::no_tensor;
using graph::Scalar;
using graph::StructuredOp;
using graph::Tensor;
using graph::TensorId;
using numerics::Format;

namespace {

// Dimension 0 is the computed number and nothing else, the others stay inside.
bool finds_rows(const StructuredOp& op, const Access& access, const Shape& shape) {
  if (access.map.empty() || access.map[0].from == graph::not_computed || access.map[0].offset != 0)
    return false;
  for (std::size_t a = 0; a < op.box.size(); ++a)
    if (reaches(access.map[0], a)) return false;
  for (std::size_t d = 1; d < shape.size(); ++d)
    if (may_leave(access.map[d], op.box, shape[d])) return false;
  return true;
}

bool uses_index(const StructuredOp& op, std::int32_t from) {
  return std::ranges::any_of(graph::inputs_used(op.body), [from](std::int32_t k) { return k == from; });
}

}  // namespace

bool Lowering::looks_up_tiles(const StructuredOp& op) const {
  if (op.reduction != graph::Reduction::none || !op.epilogue.empty() || op.body.nodes.size() != 1 ||
      op.body.nodes[0].op != Scalar::input || graph::has_computed_index(op.out))
    return false;
  const Access& table = op.in[at(op.body.nodes[0].a)];
  return gatherable(table.tensor) != no_tensor && layout(table.tensor).tiles > 1 &&
         finds_rows(op, table, graph_.at(table.tensor).shape);
}

bool Lowering::adds_to_tiles(const StructuredOp& op) const {
  const Tensor& out = graph_.at(op.out.tensor);
  return op.reduction == graph::Reduction::sum && is_partial(op) && op.epilogue.empty() &&
         place_of(op.out.tensor) == Place::sharded && layout(op.out.tensor).tiles > 1 &&
         finds_rows(op, op.out, out.shape) && !uses_index(op, op.out.map[0].from) &&
         std::ranges::none_of(op.in, [](const Access& access) { return graph::has_computed_index(access); });
}

// rows[..] = what the index says, without its fraction, less the first row of the tile.
ComputeStep Lowering::rows_in_tile(const StructuredOp& op, TensorId index, BufferId first, BufferId rows) {
  StructuredOp step;
  step.name = op.name + ".rows";
  step.origin = op.origin;
  const Tensor& tensor = graph_.at(index);
  Access whole{index, {}, 0};
  for (std::size_t d = 0; d < tensor.shape.size(); ++d) {
    step.box.push_back({fmt::format("d{}", d), tensor.shape[d], d == 0 && tensor.has_batch});
    whole.map.push_back({std::vector<std::int64_t>(tensor.shape.size(), 0), 0});
    whole.map.back().coefficients[d] = 1;
  }
  step.in = {whole};
  step.out = whole;
  Formula f;
  const auto number = f.input(0);
  const auto cut = f.select(f.less(number, f.constant(0)), f.negate(f.apply(Scalar::floor, f.negate(number))),
                            f.apply(Scalar::floor, number));
  step.body = f.finish(f.subtract(cut, f.input(1)));
  ComputeStep local = localise(step, {{index, rows}});
  local.op.in[0].tensor = operand(index);
  local.op.in.push_back({first, {}, 0});
  return local;
}

// The loop over the tiles; `body` is what happens to one, once the numbers of its rows are there.
void Lowering::over_tiles(const StructuredOp& op, const RowTiles& tiles, std::vector<Step> before,
                          std::vector<Step> body) {
  StructuredOp next;
  next.name = op.name + ".next";
  next.origin = op.origin;
  next.in = {{tiles.first, {}, 0}};
  next.out = {tiles.first, {}, 0};
  Formula f;
  next.body = f.finish(f.add(f.input(0), f.constant(static_cast<float>(tiles.layout.tile_rows))));
  ComputeStep step;
  step.op = std::move(next);

  LoopStep loop{op.name, tiles.layout.tiles, std::move(before)};
  loop.body.emplace_back(rows_in_tile(op, tiles.index, tiles.first, tiles.rows));
  for (Step& one : body) loop.body.push_back(std::move(one));
  loop.body.emplace_back(std::move(step));
  program_.steps.emplace_back(FillStep{tiles.first, 0.0f});
  program_.steps.emplace_back(std::move(loop));
}

Lowering::RowTiles Lowering::row_tiles(const StructuredOp& op, TensorId tiled, std::int32_t from) {
  const TensorId index = op.in[at(from)].tensor;
  const Tensor& numbers = graph_.at(index);
  operand(index);  // gathered before the loop, if it must be
  return {layout(tiled), index, scratch(op.name + ".first", {}, Format::fp32),
          scratch(op.name + ".rows", local_shape(numbers), Format::fp32)};
}

void Lowering::look_up_in_tiles(const StructuredOp& op) {
  const TensorId out = op.out.tensor;
  const auto looked_up = at(op.body.nodes[0].a);
  const TensorId table = op.in[looked_up].tensor;
  const std::int32_t from = op.in[looked_up].map[0].from;
  const RowTiles tiles = row_tiles(op, table, from);
  Shape shape = graph_.at(table).shape;
  shape[0] = tiles.layout.tile_rows;
  const BufferId tile =
      scratch(graph_.at(table).name + ".tile", shape, graph_.at(table).format, padded(tiles.layout));
  const BufferId sum = scratch(graph_.at(out).name + ".sum", local_shape(graph_.at(out)), Format::fp32);
  StructuredOp within = op;
  within.reduction = graph::Reduction::sum;
  within.in[looked_up].outside = 0;
  ComputeStep step = localise(within, {{table, tile}, {out, sum}});
  step.op.in[at(from)].tensor = tiles.rows;
  step.accumulate = true;
  const GatherStep gather{{{shard_of_[at(gatherable(table))], tile, tiles.layout.chunk}}, no_buffer};
  program_.steps.emplace_back(FillStep{sum, 0.0f});
  over_tiles(op, tiles, {gather}, {step});

  // What no tile has lies outside.
  StructuredOp finish = op;
  finish.name += ".finish";
  finish.in = {op.out, op.in[at(from)]};
  Formula f;
  const auto rows = static_cast<float>(graph_.at(table).shape[0]);
  const auto exists = f.multiply(f.less(f.constant(-1), f.input(1)), f.less(f.input(1), f.constant(rows)));
  finish.body = f.finish(f.select(exists, f.input(0), f.constant(op.in[looked_up].outside)));
  const BufferId result = make_output(op);
  ComputeStep last = localise(finish, {{out, result}});
  last.op.in[0].tensor = sum;
  program_.steps.emplace_back(std::move(last));
  buffer_of_[at(out)] = result;
}

void Lowering::add_to_tiles(const StructuredOp& op) {
  const TensorId out = op.out.tensor;
  const RowTiles tiles = row_tiles(op, out, op.out.map[0].from);
  Shape shape = graph_.at(out).shape;
  shape[0] = tiles.layout.tile_rows;
  const BufferId tile = scratch(graph_.at(out).name + ".tile", shape, Format::fp32, padded(tiles.layout));
  ComputeStep step = localise(op, {{out, tile}});
  step.op.in[at(op.out.map[0].from)].tensor = tiles.rows;
  const ReduceScatterStep::Member member{tile, make_shard(out), tiles.layout.chunk};
  over_tiles(op, tiles, {}, {step, ReduceScatterStep{{member}, no_buffer, staging(member.chunk)}});
}

}  // namespace dojo::lowering
