#include "lowering/lowered_interpreter.h"

#include <algorithm>

#include "base/error.h"
#include "graph/interpreter.h"
#include "lowering/access.h"
#include "numerics/format.h"

namespace dojo::lowering {
namespace {

std::size_t index(std::int64_t value) { return static_cast<std::size_t>(value); }

// A step's op for one node and tile as a graph of its own: tensors are the operands.
struct LocalOp {
  graph::Graph graph;
  graph::StructuredOp op;
  std::vector<BufferId> buffers;  // by tensor
};

LocalOp localise(const LoweredProgram& program, const ComputeStep& step, std::int64_t valid,
                 std::int64_t tile) {
  LocalOp local;
  local.op = step.op;
  if (step.batch_axis >= 0) local.op.box[index(step.batch_axis)].extent = valid;
  std::int64_t first_row = 0;
  if (step.tile_axis >= 0) {
    graph::Axis& axis = local.op.box[index(step.tile_axis)];
    first_row = tile * step.tile_rows;
    axis.extent = std::min(step.tile_rows, axis.extent - first_row);
  }
  const auto rewrite = [&](graph::Access& access) {
    const BufferId id = access.tensor;
    const bool in_tile =
        std::find(step.tile_buffers.begin(), step.tile_buffers.end(), id) != step.tile_buffers.end();
    if (step.tile_axis >= 0 && !in_tile) {
      for (graph::AffineIndex& dimension : access.map)
        dimension.offset += dimension.coefficients[index(step.tile_axis)] * first_row;
    }
    const Buffer& buffer = program.at(id);
    graph::Tensor tensor;
    tensor.name = fmt::format("{}.{}", buffer.name, local.buffers.size());
    tensor.shape = buffer.shape;
    tensor.format = buffer.format;
    access.tensor = static_cast<graph::TensorId>(local.graph.tensors.size());
    local.graph.tensors.push_back(std::move(tensor));
    local.buffers.push_back(id);
  };
  for (graph::Access& access : local.op.in) rewrite(access);
  for (graph::Access& access : local.op.extra) rewrite(access);
  rewrite(local.op.out);
  return local;
}

// The elements of out that some point of the box writes.
std::vector<bool> reached_elements(const graph::StructuredOp& op, const Shape& shape) {
  std::size_t elements = 1;
  for (const std::int64_t extent : shape) elements *= index(extent);
  std::vector<bool> reached(elements, false);
  std::vector<int> axes = parallel_axes(op);
  std::vector<std::int64_t> point(op.box.size(), 0);
  const graph::AffineIndex position = linear(op.out, op.box.size(), shape);
  for (bool more = true; more;) {
    std::int64_t element = position.offset;
    for (const int a : axes) element += position.coefficients[index(a)] * point[index(a)];
    reached[index(element)] = true;
    more = false;
    for (std::size_t i = axes.size(); i-- > 0 && !more;) {
      std::int64_t& step = point[index(axes[i])];
      more = ++step < op.box[index(axes[i])].extent;
      if (!more) step = 0;
    }
  }
  return reached;
}

// Of a node's chunk of a tile, how much is of the tensor.
std::int64_t held(const ShardLayout& shard, unsigned slot, std::int64_t tile) {
  const std::int64_t tile_elements = shard.tile_rows * shard.row_elements,
                     left = shard.rows * shard.row_elements - tile * tile_elements;
  return std::clamp<std::int64_t>(std::min(tile_elements, left) - slot * shard.chunk, 0, shard.chunk);
}

}  // namespace

LoweredInterpreter::LoweredInterpreter(const LoweredProgram& program) : program_(program) {
  in_tiles_ =
      std::ranges::any_of(program.buffers, [](const Buffer& buffer) { return in_hbm(buffer.storage); });
  Values values;
  for (const Buffer& buffer : program.buffers) {
    std::vector<float> elements = buffer.data;
    const bool of_tiles = in_tiles_ && buffer.storage == Storage::scratch && !buffer.shape.empty();
    elements.resize(index(buffer.view_of == no_buffer && !of_tiles ? buffer.capacity : 0));
    values.push_back(std::move(elements));
  }
  nodes_.assign(in_tiles_ ? 1 : program.mesh.nodes(), values);
}

std::vector<float>& LoweredInterpreter::at(unsigned node, BufferId buffer) {
  return nodes_[node][index(program_.root(buffer))];
}

std::int64_t LoweredInterpreter::valid_on(unsigned node) const {
  const std::int64_t first = node * program_.samples_per_node;
  return std::clamp<std::int64_t>(valid_ - first, 0, program_.samples_per_node);
}

void LoweredInterpreter::set_persistent(const Tensors& tensors) {
  for (const Buffer& buffer : program_.buffers) {
    if (buffer.storage != Storage::persistent && buffer.storage != Storage::resident) continue;
    if (!buffer.data.empty()) continue;
    const auto found = tensors.find(buffer.name);
    if (found == tensors.end()) refuse(buffer.name, "has no value");
    const BufferId id = program_.find(buffer.name);
    if (buffer.storage == Storage::resident) {
      at(0, id) = found->second;
      continue;
    }
    const std::int64_t count = static_cast<std::int64_t>(found->second.size());
    const ShardLayout shard = program_.shards.at(buffer.name);
    const std::int64_t tile_elements = shard.tile_rows * shard.row_elements;
    for (std::int64_t e = 0; e < count; ++e) {
      const std::int64_t tile = e / tile_elements, within = e % tile_elements;
      const unsigned node = program_.mesh.node_of(static_cast<unsigned>(within / shard.chunk));
      at(node, id)[index(tile * shard.chunk + within % shard.chunk)] = found->second[index(e)];
    }
  }
}

Tensors LoweredInterpreter::persistent() const {
  Tensors tensors;
  for (std::size_t id = 0; id < program_.buffers.size(); ++id) {
    const Buffer& buffer = program_.buffers[id];
    if (buffer.storage == Storage::resident && buffer.data.empty()) tensors[buffer.name] = nodes_[0][id];
  }
  for (const auto& [name, shard] : program_.shards) {
    if (program_.at(program_.find(name)).storage == Storage::resident) continue;
    std::vector<float>& values = tensors[name];
    const std::int64_t tile_elements = shard.tile_rows * shard.row_elements;
    for (std::int64_t e = 0; e < shard.rows * shard.row_elements; ++e) {
      const std::int64_t tile = e / tile_elements, within = e % tile_elements;
      const unsigned node = program_.mesh.node_of(static_cast<unsigned>(within / shard.chunk));
      values.push_back(
          nodes_[node][index(program_.find(name))][index(tile * shard.chunk + within % shard.chunk)]);
    }
  }
  return tensors;
}

void LoweredInterpreter::run(const Tensors& samples, std::int64_t valid, const Tensors& scalars) {
  valid_ = valid;
  samples_ = &samples;
  scalars_ = &scalars;
  results_.clear();
  for (const Step& step : program_.steps) run_step(step, 0);
}

void LoweredInterpreter::run_step(const Step& step, std::int64_t tile) {
  if (const auto* s = std::get_if<FetchStep>(&step)) return fetch(*s);
  if (const auto* s = std::get_if<GatherStep>(&step)) return gather(*s, tile);
  if (const auto* s = std::get_if<ReduceScatterStep>(&step)) return reduce_scatter(*s, tile);
  if (const auto* s = std::get_if<AllReduceStep>(&step)) return all_reduce(*s);
  if (const auto* s = std::get_if<TakeShardStep>(&step)) return take_shard(*s);
  if (const auto* s = std::get_if<ClearPaddingStep>(&step)) return clear_padding(*s);
  if (const auto* s = std::get_if<StoreStep>(&step)) return store(*s);
  if (const auto* s = std::get_if<FetchBoxStep>(&step)) return fetch_box(*s);
  if (const auto* s = std::get_if<StoreBoxStep>(&step)) return store_box(*s);
  if (const auto* s = std::get_if<TilesStep>(&step)) return tiles(*s);
  if (const auto* s = std::get_if<LoopStep>(&step)) {
    for (std::int64_t t = 0; t < s->tiles; ++t) {
      for (const Step& inner : s->body) run_step(inner, t);
    }
    return;
  }
  for (unsigned node = 0; node < nodes_.size(); ++node) {
    if (const auto* s = std::get_if<ComputeStep>(&step)) compute(*s, node, tile);
    if (const auto* s = std::get_if<FillStep>(&step)) std::ranges::fill(at(node, s->buffer), s->value);
  }
}

void LoweredInterpreter::fetch(const FetchStep& step) {
  for (unsigned node = 0; node < nodes_.size(); ++node) {
    for (const FetchStep::Field& field : step.fields) {
      const auto found = samples_->find(field.name);
      if (found == samples_->end()) refuse(field.name, "has no samples");
      const Buffer& buffer = program_.at(field.buffer);
      const bool whole = in_hbm(buffer.storage);
      const std::int64_t row = buffer.elements() / (whole ? program_.batch : program_.samples_per_node);
      const std::int64_t first = node * program_.samples_per_node * row;
      for (std::int64_t e = 0; e < (whole ? valid_ : valid_on(node)) * row; ++e) {
        at(node, field.buffer)[index(e)] = numerics::round_to(buffer.format, found->second[index(first + e)]);
      }
    }
    for (const BufferId id : step.scalars) at(node, id)[0] = scalars_->at(program_.at(id).name)[0];
  }
}

void LoweredInterpreter::compute(const ComputeStep& step, unsigned node, std::int64_t tile) {
  const std::int64_t most = step.batch_axis < 0 ? 0 : step.op.box[index(step.batch_axis)].extent;
  const std::int64_t valid = step.first_sample
                                 ? std::clamp<std::int64_t>(valid_ - at_turn(*step.first_sample), 0, most)
                                 : valid_on(node);
  std::vector<float>& out = at(node, step.op.out.tensor);
  const Buffer& target = program_.at(step.op.out.tensor);
  const bool partial = step.batch_axis >= 0 && !reaches(step.op.out, index(step.batch_axis));
  if (step.batch_axis >= 0 && valid == 0) {
    if (partial && !step.accumulate) std::fill_n(out.begin(), target.elements(), 0.0f);
    return;
  }
  const LocalOp local = localise(program_, step, valid, tile);
  Values values;
  for (const BufferId id : local.buffers) {
    const std::vector<float>& whole = at(node, id);
    values.emplace_back(whole.begin(), whole.begin() + program_.at(id).elements());
  }
  const std::vector<float> result = graph::interpret(local.graph, local.op, values);

  // A tile of a whole output is its rows only; everything else is written whole.
  const bool rows_only = step.tile_axis >= 0 && !step.accumulate &&
                         std::find(step.tile_buffers.begin(), step.tile_buffers.end(), step.op.out.tensor) ==
                             step.tile_buffers.end();
  const int dimension = rows_only ? plain_dimension(step.op.out, index(step.tile_axis)) : -1;
  std::int64_t inner = 1;
  for (std::size_t d = index(dimension + 1); rows_only && d < target.shape.size(); ++d)
    inner *= target.shape[d];
  const std::int64_t first = tile * step.tile_rows;
  const std::vector<bool> reached =
      step.only_reached ? reached_elements(local.op, target.shape) : std::vector<bool>{};
  for (std::int64_t e = 0; e < target.elements(); ++e) {
    if (step.only_reached && !reached[index(e)]) continue;
    if (rows_only) {
      const std::int64_t row = e / inner % target.shape[index(dimension)];
      if (row < first || row >= first + step.tile_rows) continue;
    }
    out[index(e)] = step.accumulate ? out[index(e)] + result[index(e)] : result[index(e)];
  }
}

void LoweredInterpreter::gather(const GatherStep& step, std::int64_t tile) {
  const unsigned count = program_.mesh.nodes();
  for (const GatherStep::Member& member : step.members) {
    const Buffer& full = program_.at(member.full);
    std::vector<float> whole(index(full.capacity));
    for (unsigned node = 0; node < count; ++node) {
      const std::int64_t base = program_.mesh.slot_of(node) * member.chunk;
      for (std::int64_t e = 0; e < member.chunk; ++e) {
        whole[index(base + e)] =
            numerics::round_to(full.format, at(node, member.shard)[index(tile * member.chunk + e)]);
      }
    }
    for (unsigned node = 0; node < count; ++node) at(node, member.full) = whole;
  }
}

// The ring order of device/dojo.h: within each row of nodes from the owner's column + 1 round to the owner's
// column; then these row sums down the owner's column, from its row + 1 round to its row.
float LoweredInterpreter::sum_over_nodes(BufferId buffer, unsigned owner, std::size_t element) {
  const auto [rows, columns] = program_.mesh;
  const unsigned r = owner / columns, c = owner % columns;
  const auto row_sum = [&](unsigned row) {
    float sum = at(row * columns + (c + 1) % columns, buffer)[element];
    for (unsigned step = 2; step <= columns; ++step)
      sum = sum + at(row * columns + (c + step) % columns, buffer)[element];
    return sum;
  };
  float sum = row_sum((r + 1) % rows);
  for (unsigned step = 2; step <= rows; ++step) sum = sum + row_sum((r + step) % rows);
  return sum;
}

void LoweredInterpreter::reduce_scatter(const ReduceScatterStep& step, std::int64_t tile) {
  for (const ReduceScatterStep::Member& member : step.members) {
    for (unsigned node = 0; node < program_.mesh.nodes(); ++node) {
      const std::int64_t base = program_.mesh.slot_of(node) * member.chunk;
      for (std::int64_t e = 0; e < member.chunk; ++e) {
        at(node, member.shard)[index(tile * member.chunk + e)] =
            sum_over_nodes(member.partial, node, index(base + e));
      }
    }
  }
}

void LoweredInterpreter::all_reduce(const AllReduceStep& step) {
  for (const AllReduceStep::Member& member : step.members) {
    std::vector<float> sums(index(program_.at(member.buffer).capacity));
    for (std::size_t e = 0; e < sums.size(); ++e) {
      const unsigned owner =
          program_.mesh.node_of(static_cast<unsigned>(static_cast<std::int64_t>(e) / member.chunk));
      sums[e] = sum_over_nodes(member.buffer, owner, e);
    }
    for (unsigned node = 0; node < program_.mesh.nodes(); ++node) at(node, member.buffer) = sums;
  }
}

void LoweredInterpreter::take_shard(const TakeShardStep& step) {
  const ShardLayout& shard = step.layout;
  const std::int64_t tile_elements = shard.tile_rows * shard.row_elements;
  for (unsigned node = 0; node < program_.mesh.nodes(); ++node) {
    const unsigned slot = program_.mesh.slot_of(node);
    for (std::int64_t tile = 0; tile < shard.tiles; ++tile)
      for (std::int64_t e = 0; e < held(shard, slot, tile); ++e)
        at(node, step.shard)[index(tile * shard.chunk + e)] =
            at(node, step.full)[index(tile * tile_elements + slot * shard.chunk + e)];
  }
}

void LoweredInterpreter::clear_padding(const ClearPaddingStep& step) {
  const ShardLayout& shard = step.layout;
  for (unsigned node = 0; node < program_.mesh.nodes(); ++node) {
    for (std::int64_t tile = 0; tile < shard.tiles; ++tile)
      for (std::int64_t e = held(shard, program_.mesh.slot_of(node), tile); e < shard.chunk; ++e)
        at(node, step.shard)[index(tile * shard.chunk + e)] = 0;
  }
}

void LoweredInterpreter::store(const StoreStep& step) {
  for (const StoreStep::Field& field : step.fields) {
    std::vector<float>& result = results_[field.name];
    const Buffer& buffer = program_.at(field.buffer);
    for (unsigned node = 0; node < (field.per_sample ? nodes_.size() : 1); ++node) {
      const bool whole = in_hbm(buffer.storage);
      const std::int64_t samples = !field.per_sample ? 1 : whole ? program_.batch : program_.samples_per_node;
      const std::int64_t row = buffer.elements() / samples;
      const std::int64_t count = !field.per_sample ? row : (whole ? valid_ : valid_on(node)) * row;
      const std::vector<float>& values = at(node, field.buffer);
      result.insert(result.end(), values.begin(), values.begin() + count);
    }
  }
}

}  // namespace dojo::lowering
