// Lowering: shards, how they become whole tensors, and how partial sums become shards.
#include <algorithm>

#include "base/error.h"
#include "graph/expression.h"
#include "lowering/lowering.h"

namespace dojo::lowering {

using graph::Access;
using graph::element_count;
using graph::no_tensor;
using graph::StructuredOp;
using graph::Tensor;
using graph::TensorId;
using numerics::Format;

void Lowering::gather_small() {
  std::map<Format, std::set<TensorId>> wanted;
  for (const StructuredOp& op : graph_.ops) {
    if (placement_.gathered_from.contains(op.out.tensor)) continue;
    for (const Access* access : operands(op)) {
      const TensorId id = access->tensor;
      if (gatherable(id) == no_tensor || element_count(graph_.at(id).shape) > small_parameter_elements)
        continue;
      if (reads_shard(op, *access)) continue;
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

// --- Reductions over the nodes: small ones wait for each other ---
BufferId Lowering::make_shard(TensorId id) {
  const ShardLayout shard = layout(id);
  return shard_of_[at(id)] = scratch(graph_.at(id).name + ".shard", {shard.shard_elements()}, Format::fp32);
}

void Lowering::wait_for_scatter(TensorId id, BufferId partial) {
  const ReduceScatterStep::Member member{partial, make_shard(id), layout(id).chunk};
  if (element_count(graph_.at(id).shape) > small_parameter_elements) {
    program_.steps.emplace_back(ReduceScatterStep{{member}, no_buffer, staging(member.chunk)});
    return;
  }
  waiting_.insert(id);
  reduce_scatter_.members.push_back(member);
}

void Lowering::reduce_whole(TensorId out, BufferId result) {
  if (place_of(out) == Place::sharded) return wait_for_scatter(out, result);
  waiting_.insert(out);
  all_reduce_.members.push_back({result, whole_layout(graph_.at(out)).chunk});
}

// Every node gets what the others have found, and takes the largest.
void Lowering::reduce_maximum(const StructuredOp& op, BufferId result) {
  const Tensor& tensor = graph_.at(op.out.tensor);
  const std::int64_t elements = element_count(tensor.shape), nodes = nodes_;
  const BufferId all = scratch(tensor.name + ".of_nodes", {nodes, elements}, Format::fp32);
  StructuredOp largest;
  largest.name = op.name + ".of_nodes";
  largest.origin = op.origin;
  largest.box = {{"node", nodes, false}, {"e", elements, false}};
  largest.in = {{all, {{{1, 0}, 0}, {{0, 1}, 0}}, 0}};
  largest.body = graph::copy_of_input();
  largest.reduction = graph::Reduction::maximum;
  const BufferId flat = scratch(tensor.name + ".largest", {elements}, Format::fp32);
  largest.out = {flat, {{{0, 1}, 0}}, 0};
  program_.steps.emplace_back(GatherStep{{{result, all, elements}}, no_buffer});
  ComputeStep step;
  step.op = std::move(largest);
  program_.steps.emplace_back(std::move(step));
  buffer_of_[at(op.out.tensor)] =
      add_buffer({tensor.name, tensor.shape, Format::fp32, Storage::scratch, 0, flat, {}});
}

void Lowering::flush_reductions() {
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

BufferId Lowering::shard_operand(TensorId id) {
  settle(id);
  if (shard_of_[at(id)] != no_buffer) return shard_of_[at(id)];
  const BufferId full = operand(id);
  const BufferId shard = make_shard(id);
  program_.steps.emplace_back(TakeShardStep{full, shard, layout(id)});
  return shard;
}

bool Lowering::sums_shards(const StructuredOp& op) const {
  return sums_everything(op, graph_.tensors) && std::ranges::any_of(op.in, [&](const Access& access) {
           return !single_value(access) && place_of(access.tensor) == Place::sharded;
         });
}

bool Lowering::reads_shard(const StructuredOp& op, const Access& access) const {
  return runs_on_shards(op) ? follows_output(access, op, graph_.tensors)
                            : sums_shards(op) && !single_value(access);
}

// The op's body for each element of this node's shard of the tensors that it runs over.
ComputeStep Lowering::shard_step(const StructuredOp& op, std::int64_t elements) {
  ComputeStep step;
  step.op = op;
  step.op.box = {{"e", elements, false}};
  const auto rewrite = [&](Access& access) {
    if (reads_shard(op, access)) {
      access = flat_access(shard_operand(access.tensor));
    } else {
      access.tensor = operand(access.tensor);
      for (graph::AffineIndex& index : access.map) index.coefficients = {0};
    }
  };
  for (Access& access : step.op.in) rewrite(access);
  for (Access& access : step.op.extra) rewrite(access);
  return step;
}

void Lowering::on_shards(const StructuredOp& op) {
  ComputeStep step = shard_step(op, layout(op.out.tensor).shard_elements());
  step.op.out = flat_access(make_shard(op.out.tensor));
  program_.steps.emplace_back(std::move(step));
}

// Each node sums what it has a shard of, then all their sums.
void Lowering::sum_shards(const StructuredOp& op) {
  const auto whole = std::ranges::find_if(op.in, [](const Access& access) { return !single_value(access); });
  const ShardLayout shard = layout(whole->tensor);
  const BufferId terms = scratch(op.name + ".terms", {shard.shard_elements()}, Format::fp32);
  ComputeStep each = shard_step(op, shard.shard_elements());
  each.op.name += ".terms";
  each.op.out = flat_access(terms);
  each.op.reduction = graph::Reduction::none;
  ComputeStep sum;
  sum.op = op;
  sum.op.box = each.op.box;
  sum.op.in = {flat_access(terms)};
  sum.op.body = graph::copy_of_input();
  for (graph::AffineIndex& index : sum.op.out.map) index.coefficients = {0};
  const BufferId result = scratch(graph_.at(op.out.tensor).name, graph_.at(op.out.tensor).shape, Format::fp32,
                                  padded(whole_layout(graph_.at(op.out.tensor))));
  sum.op.out.tensor = result;
  program_.steps.emplace_back(std::move(each));
  program_.steps.emplace_back(ClearPaddingStep{terms, shard});
  program_.steps.emplace_back(std::move(sum));
  buffer_of_[at(op.out.tensor)] = result;
  reduce_whole(op.out.tensor, result);
}

void Lowering::finish_updates() {
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
bool Lowering::write_in_place(BufferId value, BufferId target) {
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

StructuredOp Lowering::shard_copy(TensorId from, BufferId to, const std::string& name) const {
  StructuredOp op;
  op.name = name + ".update";
  op.origin = "optimizer";
  op.box = {{"e", layout(from).shard_elements(), false}};
  op.in = {flat_access(shard_of_[at(from)])};
  op.out = flat_access(to);
  op.body = graph::copy_of_input();
  return op;
}

}  // namespace dojo::lowering
