#include "lowering/placement.h"

#include <algorithm>

#include "base/error.h"
#include "base/index.h"
#include "graph/expression.h"
#include "lowering/access.h"

namespace dojo::lowering {
namespace {

using graph::Access;
using graph::Graph;
using graph::Role;
using graph::StructuredOp;
using graph::Tensor;
using graph::TensorId;

void check_batch(const Graph& graph, const StructuredOp& op) {
  const int batch = batch_axis(op);
  const auto check = [&](const Access& access) {
    const Tensor& tensor = graph.at(access.tensor);
    for (std::size_t a = 0; a < op.box.size(); ++a) {
      if (op.box[a].is_batch && static_cast<int>(a) != batch) {
        throw UserError(op.name, "relates samples of a batch to each other", Refusal::unsupported);
      }
    }
    const bool plain = batch >= 0 && plain_dimension(access, static_cast<std::size_t>(batch)) == 0;
    const bool used = batch >= 0 && reaches(access, static_cast<std::size_t>(batch));
    if (tensor.has_batch ? !plain : used) {
      throw UserError(op.name, fmt::format("reads or writes '{}' other than sample by sample", tensor.name),
                      Refusal::unsupported);
    }
  };
  for (const Access& access : op.in) check(access);
  for (const Access& access : op.extra) check(access);
  check(op.out);
}

// out = epilogue(sum over the batch) -> partial = sum; out = epilogue(partial), over out's own dimensions.
StructuredOp split_epilogue(Graph& graph, StructuredOp& op) {
  const TensorId whole = op.out.tensor;
  Tensor sums = graph.at(whole);
  sums.name += ".sum";
  sums.format = numerics::Format::fp32;
  sums.role = Role::value;
  StructuredOp rest;
  rest.name = op.name + ".finish";
  rest.origin = op.origin;
  rest.body = op.epilogue;
  const std::vector<int> parallel = parallel_axes(op);
  const auto restrict_to_parallel = [&](const Access& access) {
    Access restricted = access;
    for (graph::AffineIndex& index : restricted.map) {
      std::vector<std::int64_t> coefficients;
      for (const int a : parallel) coefficients.push_back(index.coefficients[at(a)]);
      index.coefficients = coefficients;
    }
    return restricted;
  };
  if (!covers(op, sums.shape))
    throw UserError(op.name, "reduces over the batch into overlapping places", Refusal::unsupported);
  for (const int a : parallel) rest.box.push_back(op.box[at(a)]);
  rest.out = restrict_to_parallel(op.out);
  op.out.tensor = graph.add(std::move(sums));
  rest.in.push_back(rest.out);
  rest.in[0].tensor = op.out.tensor;
  for (const Access& access : op.extra) rest.in.push_back(restrict_to_parallel(access));
  op.extra.clear();
  op.epilogue = {};
  return rest;
}

}  // namespace

Graph split_batch_reductions(const Graph& source) {
  Graph graph = source;
  std::vector<StructuredOp> ops;
  for (StructuredOp op : source.ops) {
    check_batch(graph, op);
    const int batch = batch_axis(op);
    const bool partial = (batch >= 0 && !reaches(op.out, at(batch))) || sums_everything(op, graph.tensors);
    const bool narrow = graph.at(op.out.tensor).format != numerics::Format::fp32;
    if (partial && (narrow || !op.epilogue.empty())) {
      if (op.epilogue.empty()) op.epilogue = graph::copy_of_input();
      StructuredOp rest = split_epilogue(graph, op);
      ops.push_back(std::move(op));
      ops.push_back(std::move(rest));
      continue;
    }
    ops.push_back(std::move(op));
  }
  graph.ops = std::move(ops);
  return graph;
}

Placement place(const Graph& graph) {
  Placement placement;
  const std::size_t tensors = graph.tensors.size();
  placement.of.assign(tensors, Place::everywhere);
  std::vector<bool> shared(tensors, false);  // read by an op that needs it whole
  std::vector<bool> used(tensors, false);
  for (const TensorId id : graph.outputs) shared[at(id)] = true;
  for (const auto& [target, value] : graph.update) used[at(value)] = true;

  for (std::size_t id = 0; id < tensors; ++id) {
    const Tensor& tensor = graph.tensors[id];
    if (tensor.has_batch) placement.of[id] = Place::batch;
    if (tensor.role == Role::parameter || tensor.role == Role::state) placement.of[id] = Place::sharded;
  }
  for (std::size_t k = graph.ops.size(); k-- > 0;) {
    const StructuredOp& op = graph.ops[k];
    const Tensor& out = graph.at(op.out.tensor);
    const bool is_maximum = op.reduction == graph::Reduction::maximum;  // is found on every node
    const bool whole = is_maximum || shared[at(op.out.tensor)] || !used[at(op.out.tensor)] ||
                       out.shape.empty() || out.has_batch;
    const bool has_batch_axis = batch_axis(op) >= 0;
    const bool stays_sharded = !whole && (has_batch_axis || elementwise(op, graph.tensors));
    if (stays_sharded) placement.of[at(op.out.tensor)] = Place::sharded;
    const bool operands_sharded = stays_sharded && !has_batch_axis;
    const bool sums = sums_everything(op, graph.tensors);
    const auto read = [&](const Access& access) {
      used[at(access.tensor)] = true;
      const bool by_shard =
          operands_sharded ? follows_output(access, op, graph.tensors) : sums && !single_value(access);
      if (!by_shard) shared[at(access.tensor)] = true;
    };
    for (const Access& access : op.in) read(access);
    for (const Access& access : op.extra) read(access);

    const Role role = op.in.empty() ? Role::value : graph.at(op.in[0].tensor).role;
    if (shared[at(op.out.tensor)] && is_copy(op) && elementwise(op, graph.tensors) && !out.has_batch &&
        graph.at(op.in[0].tensor).shape == out.shape && (role == Role::parameter || role == Role::state)) {
      placement.gathered_from[op.out.tensor] = op.in[0].tensor;
    }
  }
  return placement;
}

}  // namespace dojo::lowering
