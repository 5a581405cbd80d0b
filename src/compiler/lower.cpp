#include "compiler/lower.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/error.h"
#include "compiler/access.h"
#include "compiler/gather_form.h"
#include "compiler/placement.h"
#include "compiler/row_sums.h"

namespace dojo::compiler {
namespace {

using graph::Access;
using graph::Graph;
using graph::no_tensor;
using graph::Role;
using graph::StructuredOp;
using graph::Tensor;
using graph::TensorId;
using numerics::Format;

std::size_t at(std::int32_t id) { return static_cast<std::size_t>(id); }

std::int64_t product(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

// What a tile loop around one op must do.
struct Tiling {
  int axis = -1;
  bool summed = false;  // the op's result sums over the tiled axis
  ShardLayout layout;
  std::vector<TensorId> parameters;
};

class Lowering {
public:
  Lowering(const Graph& source, unsigned nodes)
      : graph_(split_batch_reductions(source)), placement_(place(graph_)), nodes_(nodes) {
    program_.name = graph_.name;
    program_.mesh = logical_mesh(nodes);
    buffer_of_.assign(graph_.tensors.size(), no_buffer);
    shard_of_.assign(graph_.tensors.size(), no_buffer);
  }

  Lowered run() {
    find_batch();
    for (TensorId id = 0; id < static_cast<TensorId>(graph_.tensors.size()); ++id) prepare(id);
    fetch();
    gather_small();
    for (const graph::Op& op : graph_.ops) lower_op(std::get<StructuredOp>(op));
    flush_reductions();
    finish_updates();
    store_outputs();
    return {std::move(program_), std::move(scalars_)};
  }

private:
  // --- Buffers ---
  BufferId add_buffer(Buffer buffer) {
    if (buffer.capacity == 0) buffer.capacity = buffer.elements();
    program_.buffers.push_back(std::move(buffer));
    return static_cast<BufferId>(program_.buffers.size() - 1);
  }
  BufferId scratch(std::string name, Shape shape, Format format, std::int64_t capacity = 0) {
    return add_buffer({std::move(name), std::move(shape), format, Storage::scratch, capacity, no_buffer, {}});
  }
  BufferId staging(std::int64_t chunk) {
    return scratch("staging", {2 * program_.mesh.rows * chunk}, Format::fp32);
  }
  ShardLayout layout(TensorId id) const { return shard_layout(graph_.at(id).shape, nodes_); }
  std::int64_t padded(const ShardLayout& shard) const { return shard.chunk * nodes_; }
  Place place_of(TensorId id) const { return placement_.of[at(id)]; }

  Shape local_shape(const Tensor& tensor) const {
    Shape shape = tensor.shape;
    if (tensor.has_batch) shape[0] = program_.samples_per_node;
    return shape;
  }

  void find_batch() {
    std::int64_t batch = 0;
    for (const Tensor& tensor : graph_.tensors) {
      if (!tensor.has_batch) continue;
      if (batch != 0 && tensor.shape[0] != batch)
        refuse(tensor.name, "has a batch of {} where others have {}", tensor.shape[0], batch);
      batch = tensor.shape[0];
    }
    if (batch == 0) refuse(graph_.name, "has no tensor with a batch");
    program_.batch = batch;
    program_.samples_per_node = (batch + nodes_ - 1) / nodes_;
  }

  void prepare(TensorId id) {
    const Tensor& tensor = graph_.at(id);
    if (tensor.role == Role::parameter || tensor.role == Role::state) {
      const ShardLayout shard = layout(id);
      shard_of_[at(id)] = add_buffer(
          {tensor.name, {shard.shard_elements()}, Format::fp32, Storage::persistent, 0, no_buffer, {}});
      program_.shards[tensor.name] = shard;
    } else if (tensor.role == Role::constant) {
      buffer_of_[at(id)] = add_buffer(
          {tensor.name, tensor.shape, tensor.format, Storage::constant, 0, no_buffer, tensor.data});
    }
  }

  // --- Start and end ---
  void fetch() {
    FetchStep step;
    for (TensorId id = 0; id < static_cast<TensorId>(graph_.tensors.size()); ++id) {
      const Tensor& tensor = graph_.at(id);
      if (tensor.role == Role::input || tensor.role == Role::label) {
        buffer_of_[at(id)] = scratch(tensor.name, local_shape(tensor), tensor.format);
        step.fields.push_back({buffer_of_[at(id)], tensor.name});
      } else if (tensor.role == Role::scalar) {
        buffer_of_[at(id)] = scratch(tensor.name, {}, Format::fp32);
        step.scalars.push_back(buffer_of_[at(id)]);
        scalars_.push_back(tensor.name);
      }
    }
    program_.steps.emplace_back(std::move(step));
  }

  // The parameter or state behind a tensor that can be gathered; no_tensor for all others.
  TensorId gatherable(TensorId id) const {
    const auto copy = placement_.gathered_from.find(id);
    if (copy != placement_.gathered_from.end()) return copy->second;
    const Role role = graph_.at(id).role;
    return role == Role::parameter || role == Role::state ? id : no_tensor;
  }

  bool runs_on_shards(const StructuredOp& op) const {
    return batch_axis(op) < 0 && place_of(op.out.tensor) == Place::sharded;
  }

  std::vector<const Access*> operands(const StructuredOp& op) const {
    std::vector<const Access*> all;
    for (const Access& access : op.in) all.push_back(&access);
    for (const Access& access : op.extra) all.push_back(&access);
    return all;
  }

  void gather_small() {
    std::map<Format, std::set<TensorId>> wanted;
    for (const graph::Op& any : graph_.ops) {
      const auto& op = std::get<StructuredOp>(any);
      if (placement_.gathered_from.contains(op.out.tensor)) continue;
      for (const Access* access : operands(op)) {
        const TensorId id = access->tensor;
        if (gatherable(id) == no_tensor || product(graph_.at(id).shape) > small_parameter_elements) continue;
        if (runs_on_shards(op) && follows_output(*access, op, graph_.tensors)) continue;
        if (layout(id).tiles == 1) wanted[graph_.at(id).format].insert(id);
      }
    }
    for (const auto& [format, ids] : wanted) {
      GatherStep step;
      std::int64_t chunks = 0;
      for (const TensorId id : ids) {
        const ShardLayout shard = layout(id);
        const Tensor& tensor = graph_.at(id);
        buffer_of_[at(id)] = scratch(tensor.name + ".whole", tensor.shape, tensor.format, padded(shard));
        step.members.push_back({shard_of_[at(gatherable(id))], buffer_of_[at(id)], shard.chunk});
        chunks += shard.chunk;
      }
      if (step.members.size() > 1) step.staging = scratch("gather.staging", {chunks * nodes_}, format);
      program_.steps.emplace_back(std::move(step));
    }
  }

  void finish_updates() {
    for (const auto& [target, value] : graph_.update) {
      const BufferId shard = shard_of_[at(target)];
      if (place_of(value) != Place::sharded) {
        program_.steps.emplace_back(TakeShardStep{operand(value), shard, layout(target)});
      } else if (!write_in_place(shard_of_[at(value)], shard)) {
        program_.steps.emplace_back(
            ComputeStep{shard_copy(value, shard, graph_.at(target).name), -1, -1, 0, {}, false});
      }
    }
  }

  // If nothing needs the old value once the new one is computed, the op that computes it may write over the
  // old.
  bool write_in_place(BufferId value, BufferId target) {
    if (program_.at(value).storage == Storage::persistent) return false;
    std::vector<ComputeStep*> writers;
    for (std::size_t k = program_.steps.size(); k-- > 0;) {
      auto* compute = std::get_if<ComputeStep>(&program_.steps[k]);
      const std::vector<BufferId> used = touched(program_, program_.steps[k]);
      if (std::binary_search(used.begin(), used.end(), value)) {
        if (compute == nullptr || batch_axis(compute->op) >= 0) return false;
        writers.push_back(compute);
        if (compute->op.out.tensor == value) break;
      }
      if (std::binary_search(used.begin(), used.end(), target)) return false;
    }
    for (ComputeStep* step : writers) {
      for (Access& access : step->op.in) {
        if (access.tensor == value) access.tensor = target;
      }
      for (Access& access : step->op.extra) {
        if (access.tensor == value) access.tensor = target;
      }
      if (step->op.out.tensor == value) step->op.out.tensor = target;
    }
    return true;
  }

  StructuredOp shard_copy(TensorId from, BufferId to, const std::string& name) const {
    StructuredOp op;
    op.name = name + ".update";
    op.origin = "optimizer";
    op.box = {{"e", layout(from).shard_elements(), false}};
    op.in = {flat_access(shard_of_[at(from)])};
    op.out = flat_access(to);
    op.body.nodes = {{graph::Scalar::input, 0, -1, -1, 0}};
    return op;
  }

  void store_outputs() {
    StoreStep step;
    for (const TensorId id : graph_.outputs)
      step.fields.push_back({operand(id), graph_.at(id).name, graph_.at(id).has_batch});
    program_.steps.emplace_back(std::move(step));
  }

  // --- Operations ---
  void lower_op(const StructuredOp& op) {
    if (placement_.gathered_from.contains(op.out.tensor)) return;
    for (const Access* access : operands(op)) settle(access->tensor);
    if (runs_on_shards(op)) return on_shards(op);
    if (becomes_view(op)) return;
    const std::optional<Tiling> tiling = find_tiling(op);
    if (tiling) {
      in_tiles(op, *tiling);
    } else {
      at_once(op);
    }
  }

  // A reduction in waiting must happen before its result is read.
  void settle(TensorId id) {
    if (waiting_.contains(id)) flush_reductions();
  }

  BufferId operand(TensorId id) {
    settle(id);
    if (buffer_of_[at(id)] != no_buffer) return buffer_of_[at(id)];
    const TensorId source = gatherable(id);
    DOJO_ENSURE(source != no_tensor);
    const ShardLayout shard = layout(id);
    const Tensor& tensor = graph_.at(id);
    if (shard.tiles > 1) {
      throw UserError(
          tensor.name,
          fmt::format("is needed whole on every node, but has {} elements", product(tensor.shape)),
          Refusal::not_yet);
    }
    const BufferId whole = scratch(tensor.name + ".whole", tensor.shape, tensor.format, padded(shard));
    program_.steps.emplace_back(GatherStep{{{shard_of_[at(source)], whole, shard.chunk}}, no_buffer});
    return whole;
  }

  // A flat copy that keeps every element's position is the same memory under another shape.
  bool becomes_view(const StructuredOp& op) {
    if (!is_copy(op) || buffer_of_[at(op.in[0].tensor)] == no_buffer) return false;
    const Tensor& from = graph_.at(op.in[0].tensor);
    const Tensor& to = graph_.at(op.out.tensor);
    if (from.format != to.format || from.has_batch != to.has_batch ||
        product(from.shape) != product(to.shape))
      return false;
    if (may_leave(op.in[0], op.box, from.shape) || !covers(op, to.shape)) return false;
    if (place_of(op.out.tensor) == Place::sharded ||
        program_.at(buffer_of_[at(op.in[0].tensor)]).storage != Storage::scratch)
      return false;
    const graph::AffineIndex read = linear(op.in[0], op.box.size(), from.shape);
    const graph::AffineIndex written = linear(op.out, op.box.size(), to.shape);
    if (read.offset != written.offset) return false;
    for (std::size_t a = 0; a < op.box.size(); ++a) {
      if (op.box[a].extent > 1 && read.coefficients[a] != written.coefficients[a]) return false;
    }
    const BufferId source = buffer_of_[at(op.in[0].tensor)];
    buffer_of_[at(op.out.tensor)] =
        add_buffer({to.name, local_shape(to), to.format, Storage::scratch, 0, program_.root(source), {}});
    return true;
  }

  // The op on this node's samples, with buffers in the place of tensors; `replace` overrides single tensors.
  ComputeStep localise(const StructuredOp& op, const std::map<TensorId, BufferId>& replace) {
    ComputeStep step;
    step.op = op;
    step.batch_axis = batch_axis(op);
    if (step.batch_axis >= 0) step.op.box[at(step.batch_axis)].extent = program_.samples_per_node;
    const auto rewrite = [&](Access& access) {
      const auto found = replace.find(access.tensor);
      access.tensor = found != replace.end() ? found->second : operand(access.tensor);
    };
    for (Access& access : step.op.in) rewrite(access);
    for (Access& access : step.op.extra) rewrite(access);
    rewrite(step.op.out);
    return step;
  }

  bool is_partial(const StructuredOp& op) const {
    const int batch = batch_axis(op);
    return batch >= 0 && !reaches(op.out, at(batch));
  }

  BufferId make_output(const StructuredOp& op) {
    const Tensor& tensor = graph_.at(op.out.tensor);
    const std::int64_t capacity = is_partial(op) ? padded(whole_layout(tensor)) : 0;
    return scratch(tensor.name, local_shape(tensor), tensor.format, capacity);
  }

  // A tensor as a single tile, whatever its size: for reductions of whole tensors.
  ShardLayout whole_layout(const Tensor& tensor) const {
    ShardLayout shard;
    shard.rows = shard.tile_rows = tensor.shape.empty() ? 1 : tensor.shape[0];
    shard.row_elements = product(tensor.shape) / shard.rows;
    shard.chunk = (product(tensor.shape) + nodes_ - 1) / nodes_;
    return shard;
  }

  void at_once(const StructuredOp& op) {
    const TensorId out = op.out.tensor;
    const BufferId result = make_output(op);
    for (const ComputeStep& part : gather_form(program_, localise(op, {{out, result}}))) {
      for (ComputeStep& step : row_sums(program_, part)) program_.steps.emplace_back(std::move(step));
    }
    if (!is_partial(op)) {
      buffer_of_[at(out)] = result;
    } else if (place_of(out) == Place::sharded) {
      wait_for_scatter(out, result);
    } else {
      buffer_of_[at(out)] = result;
      waiting_.insert(out);
      all_reduce_.members.push_back({result, whole_layout(graph_.at(out)).chunk});
    }
  }

  // --- Reductions over the nodes: small ones wait for each other ---
  BufferId make_shard(TensorId id) {
    const ShardLayout shard = layout(id);
    return shard_of_[at(id)] = scratch(graph_.at(id).name + ".shard", {shard.shard_elements()}, Format::fp32);
  }

  void wait_for_scatter(TensorId id, BufferId partial) {
    const ReduceScatterStep::Member member{partial, make_shard(id), layout(id).chunk};
    if (product(graph_.at(id).shape) > small_parameter_elements) {
      program_.steps.emplace_back(ReduceScatterStep{{member}, no_buffer, staging(member.chunk)});
      return;
    }
    waiting_.insert(id);
    reduce_scatter_.members.push_back(member);
  }

  void flush_reductions() {
    waiting_.clear();
    const auto emit = [&](auto& step, const char* what) {
      if (step.members.empty()) return;
      std::int64_t chunks = 0;
      for (const auto& member : step.members) chunks += member.chunk;
      if (step.members.size() > 1) step.packed = scratch(what, {chunks * nodes_}, Format::fp32);
      step.staging = staging(chunks);
      program_.steps.emplace_back(std::move(step));
      step = {};
    };
    emit(reduce_scatter_, "reduce_scatter.packed");
    emit(all_reduce_, "all_reduce.packed");
  }

  // --- On shards ---
  Access flat_access(BufferId buffer) const { return {buffer, {{{1}, 0}}, 0}; }

  BufferId shard_operand(TensorId id) {
    settle(id);
    if (shard_of_[at(id)] != no_buffer) return shard_of_[at(id)];
    const BufferId full = operand(id);
    const BufferId shard = make_shard(id);
    program_.steps.emplace_back(TakeShardStep{full, shard, layout(id)});
    return shard;
  }

  void on_shards(const StructuredOp& op) {
    ComputeStep step;
    step.op = op;
    const std::int64_t elements = layout(op.out.tensor).shard_elements();
    step.op.box = {{"e", elements, false}};
    const auto rewrite = [&](Access& access) {
      if (follows_output(access, op, graph_.tensors)) {
        access = flat_access(shard_operand(access.tensor));
      } else {
        access.tensor = operand(access.tensor);
        for (graph::AffineIndex& index : access.map) index.coefficients = {0};
      }
    };
    for (Access& access : step.op.in) rewrite(access);
    for (Access& access : step.op.extra) rewrite(access);
    step.op.out = flat_access(make_shard(op.out.tensor));
    program_.steps.emplace_back(std::move(step));
  }

  // --- In tiles ---
  std::optional<Tiling> find_tiling(const StructuredOp& op) {
    Tiling tiling;
    const auto consider = [&](const Access& access) {
      const ShardLayout shard = layout(access.tensor);
      const int axis = tiled_axis(op, access);
      const bool agrees =
          tiling.axis < 0 || (tiling.axis == axis && tiling.layout.tile_rows == shard.tile_rows);
      if (axis < 0 || !agrees) {
        throw UserError(op.name,
                        fmt::format("cannot use '{}' ({} tiles) tile by tile", graph_.at(access.tensor).name,
                                    shard.tiles),
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
    return tiling;
  }

  // The axis that runs over dimension 0 of a tiled tensor, if the op can be cut along it.
  int tiled_axis(const StructuredOp& op, const Access& access) const {
    for (std::size_t a = 0; a < op.box.size(); ++a) {
      if (plain_dimension(access, a) != 0 || op.box[a].extent != graph_.at(access.tensor).shape[0]) continue;
      if (reaches(op.out, a) && plain_dimension(op.out, a) < 0) return -1;
      return static_cast<int>(a);
    }
    return -1;
  }

  void in_tiles(const StructuredOp& op, const Tiling& tiling) {
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

  void reduce_whole(TensorId out, BufferId result) {
    if (place_of(out) == Place::sharded) return wait_for_scatter(out, result);
    waiting_.insert(out);
    all_reduce_.members.push_back({result, whole_layout(graph_.at(out)).chunk});
  }

  // out = epilogue(sum), element by element over out's own box.
  void finish_sum(const StructuredOp& op, BufferId sum) {
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
    if (rest.body.empty()) rest.body.nodes = {{graph::Scalar::input, 0, -1, -1, 0}};

    const BufferId result = scratch(tensor.name, local_shape(tensor), tensor.format);
    ComputeStep step = localise(rest, {{op.out.tensor, result}});
    step.op.in[0].tensor = sum;
    program_.steps.emplace_back(std::move(step));
    buffer_of_[at(op.out.tensor)] = result;
  }

  // An extra of `op` as an access over the box of out's dimensions.
  Access over_output(const StructuredOp& op, const Access& extra, const Access& identity, bool plain) const {
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

  Graph graph_;
  Placement placement_;
  unsigned nodes_;
  LoweredProgram program_;
  std::vector<BufferId> buffer_of_;  // by tensor: its local or whole buffer
  std::vector<BufferId> shard_of_;   // by tensor: its shard
  std::set<TensorId> waiting_;
  ReduceScatterStep reduce_scatter_;
  AllReduceStep all_reduce_;
  std::vector<std::string> scalars_;
};

}  // namespace

Lowered lower(const Graph& graph, unsigned nodes) { return Lowering(graph, nodes).run(); }

}  // namespace dojo::compiler
