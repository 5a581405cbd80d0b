#include "lowering/lower.h"

#include "base/error.h"
#include "lowering/gather_form.h"
#include "lowering/lowering.h"
#include "lowering/row_sums.h"

namespace dojo::lowering {

using graph::Access;
using graph::element_count;
using graph::Graph;
using graph::no_tensor;
using graph::Role;
using graph::StructuredOp;
using graph::Tensor;
using graph::TensorId;
using numerics::Format;

Lowering::Lowering(const Graph& source, unsigned nodes)
    : graph_(split_batch_reductions(source)), placement_(place(graph_)), nodes_(nodes) {
  program_.name = graph_.name;
  program_.mesh = logical_mesh(nodes);
  buffer_of_.assign(graph_.tensors.size(), no_buffer);
  shard_of_.assign(graph_.tensors.size(), no_buffer);
}

Lowered Lowering::run() {
  find_batch();
  for (TensorId id = 0; id < static_cast<TensorId>(graph_.tensors.size()); ++id) prepare(id);
  fetch();
  gather_small();
  for (const StructuredOp& op : graph_.ops) lower_op(op);
  flush_reductions();
  finish_updates();
  store_outputs();
  return {std::move(program_), std::move(scalars_)};
}

// --- Buffers ---
BufferId Lowering::add_buffer(Buffer buffer) {
  if (buffer.capacity == 0) buffer.capacity = buffer.elements();
  program_.buffers.push_back(std::move(buffer));
  return static_cast<BufferId>(program_.buffers.size() - 1);
}

BufferId Lowering::scratch(std::string name, Shape shape, Format format, std::int64_t capacity) {
  return add_buffer({std::move(name), std::move(shape), format, Storage::scratch, capacity, no_buffer, {}});
}

BufferId Lowering::staging(std::int64_t chunk) {
  return scratch("staging", {2 * program_.mesh.rows * chunk}, Format::fp32);
}

Shape Lowering::local_shape(const Tensor& tensor) const {
  Shape shape = tensor.shape;
  if (tensor.has_batch) shape[0] = program_.samples_per_node;
  return shape;
}

void Lowering::find_batch() {
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

void Lowering::prepare(TensorId id) {
  const Tensor& tensor = graph_.at(id);
  if (tensor.role == Role::parameter || tensor.role == Role::state) {
    const ShardLayout shard = layout(id);
    shard_of_[at(id)] = add_buffer(
        {tensor.name, {shard.shard_elements()}, Format::fp32, Storage::persistent, 0, no_buffer, {}});
    program_.shards[tensor.name] = shard;
  } else if (tensor.role == Role::constant) {
    buffer_of_[at(id)] =
        add_buffer({tensor.name, tensor.shape, tensor.format, Storage::constant, 0, no_buffer, tensor.data});
  }
}

// --- Start and end ---
void Lowering::fetch() {
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

void Lowering::store_outputs() {
  StoreStep step;
  for (const TensorId id : graph_.outputs)
    step.fields.push_back({operand(id), graph_.at(id).name, graph_.at(id).has_batch});
  program_.steps.emplace_back(std::move(step));
}

// The parameter or state behind a tensor that can be gathered; no_tensor for all others.
TensorId Lowering::gatherable(TensorId id) const {
  const auto copy = placement_.gathered_from.find(id);
  if (copy != placement_.gathered_from.end()) return copy->second;
  const Role role = graph_.at(id).role;
  return role == Role::parameter || role == Role::state ? id : no_tensor;
}

bool Lowering::runs_on_shards(const StructuredOp& op) const {
  return batch_axis(op) < 0 && place_of(op.out.tensor) == Place::sharded;
}

std::vector<const Access*> Lowering::operands(const StructuredOp& op) const {
  std::vector<const Access*> all;
  for (const Access& access : op.in) all.push_back(&access);
  for (const Access& access : op.extra) all.push_back(&access);
  return all;
}

// --- Operations ---
void Lowering::lower_op(const StructuredOp& op) {
  if (placement_.gathered_from.contains(op.out.tensor)) return;
  for (const Access* access : operands(op)) settle(access->tensor);
  if (runs_on_shards(op)) return on_shards(op);
  if (sums_shards(op)) return sum_shards(op);
  if (becomes_view(op)) return;
  if (looks_up_tiles(op)) return look_up_in_tiles(op);
  if (adds_to_tiles(op)) return add_to_tiles(op);
  const std::optional<Tiling> tiling = find_tiling(op);
  if (tiling) {
    in_tiles(op, *tiling);
  } else {
    at_once(op);
  }
}

// A reduction in waiting must happen before its result is read.
void Lowering::settle(TensorId id) {
  if (waiting_.contains(id)) flush_reductions();
}

BufferId Lowering::operand(TensorId id) {
  settle(id);
  if (buffer_of_[at(id)] != no_buffer) return buffer_of_[at(id)];
  const TensorId source = gatherable(id);
  DOJO_ENSURE(source != no_tensor);
  const ShardLayout shard = layout(id);
  const Tensor& tensor = graph_.at(id);
  if (shard.tiles > 1) {
    throw UserError(
        tensor.name,
        fmt::format("is needed whole on every node, but has {} elements", element_count(tensor.shape)),
        Refusal::not_yet);
  }
  const BufferId whole = scratch(tensor.name + ".whole", tensor.shape, tensor.format, padded(shard));
  program_.steps.emplace_back(GatherStep{{{shard_of_[at(source)], whole, shard.chunk}}, no_buffer});
  return whole;
}

// A flat copy that keeps every element's position is the same memory under another shape.
bool Lowering::becomes_view(const StructuredOp& op) {
  if (!is_copy(op) || buffer_of_[at(op.in[0].tensor)] == no_buffer) return false;
  const Tensor& from = graph_.at(op.in[0].tensor);
  const Tensor& to = graph_.at(op.out.tensor);
  if (from.format != to.format || from.has_batch != to.has_batch ||
      element_count(from.shape) != element_count(to.shape))
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
ComputeStep Lowering::localise(const StructuredOp& op, const std::map<TensorId, BufferId>& replace) {
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

bool Lowering::is_partial(const StructuredOp& op) const {
  const int batch = batch_axis(op);
  return batch >= 0 && !reaches(op.out, at(batch));
}

BufferId Lowering::make_output(const StructuredOp& op) {
  const Tensor& tensor = graph_.at(op.out.tensor);
  const std::int64_t capacity = is_partial(op) ? padded(whole_layout(tensor)) : 0;
  return scratch(tensor.name, local_shape(tensor), tensor.format, capacity);
}

// A tensor as a single tile, whatever its size: for reductions of whole tensors.
ShardLayout Lowering::whole_layout(const Tensor& tensor) const {
  ShardLayout shard;
  shard.rows = shard.tile_rows = tensor.shape.empty() ? 1 : tensor.shape[0];
  shard.row_elements = element_count(tensor.shape) / shard.rows;
  shard.chunk = (element_count(tensor.shape) + nodes_ - 1) / nodes_;
  return shard;
}

void Lowering::at_once(const StructuredOp& op) {
  const TensorId out = op.out.tensor;
  const BufferId result = make_output(op);
  for (const ComputeStep& part : gather_form(program_, localise(op, {{out, result}}))) {
    for (ComputeStep& step : row_sums(program_, part)) program_.steps.emplace_back(std::move(step));
  }
  if (!is_partial(op)) {
    buffer_of_[at(out)] = result;
  } else if (op.reduction == graph::Reduction::maximum) {
    reduce_maximum(op, result);
  } else if (place_of(out) == Place::sharded) {
    wait_for_scatter(out, result);
  } else {
    buffer_of_[at(out)] = result;
    waiting_.insert(out);
    all_reduce_.members.push_back({result, whole_layout(graph_.at(out)).chunk});
  }
}

Lowered lower(const Graph& graph, unsigned nodes) { return Lowering(graph, nodes).run(); }

}  // namespace dojo::lowering
