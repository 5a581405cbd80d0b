// Outline: which tensors (`Selection`), how ops read and write them (`Rescaling`), how the scales follow
// (`add_scale_updates`).
#include "lowering/cfloat_storage.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/index.h"
#include "graph/expression.h"
#include "lowering/access.h"

namespace dojo::lowering {
namespace {

using graph::Access;
using graph::Formula;
using graph::Graph;
using graph::Reduction;
using graph::Scalar;
using graph::StructuredOp;
using graph::Tensor;
using graph::TensorId;
using numerics::Format;

bool plain_body(const StructuredOp& op) {
  return op.in.size() == 1 && op.body.nodes.size() == 1 && op.body.nodes[0].op == Scalar::input;
}

// The result is a sum or maximum of what is read, or of products of it: a factor of an operand is a factor of
// the result before the epilogue.
bool is_linear(const StructuredOp& op) {
  return is_contraction(op) || (plain_body(op) && op.reduction != Reduction::none);
}

// The result holds elements of the operand, none of them changed.
bool keeps_elements(const StructuredOp& op) {
  return is_copy(op) || (plain_body(op) && op.reduction == Reduction::maximum && op.epilogue.empty());
}

bool compares(const graph::Expression& expression) {
  return std::any_of(expression.nodes.begin(), expression.nodes.end(),
                     [](const graph::ScalarNode& node) { return node.op == Scalar::equal; });
}

// Multiplying it by a power of two gives it back.
bool free_of_scale(float outside) { return outside == 0 || std::isinf(outside); }

// --- Which tensors ---
class Selection {
public:
  explicit Selection(const Graph& graph)
      : graph_(graph), forward_(graph.tensors.size(), false), chosen_(forward_), root_(graph.tensors.size()) {
    for (std::size_t id = 0; id < root_.size(); ++id) root_[id] = static_cast<TensorId>(id);
    find_forward();
    for (const StructuredOp& op : graph.ops) {
      const Tensor& out = graph.at(op.out.tensor);
      chosen_[at(op.out.tensor)] = out.format == Format::bf16 && out.has_batch;
    }
    std::size_t before = 0;
    do {
      before = count();
      for (const StructuredOp& op : graph.ops) check(op);
    } while (count() != before);
    join();
  }

  bool chosen(TensorId id) const { return chosen_[at(id)]; }
  bool forward(TensorId id) const { return forward_[at(id)]; }
  // Tensors with one root have one scale.
  TensorId root(TensorId id) const { return root_[at(id)]; }

private:
  std::size_t count() const {
    return static_cast<std::size_t>(std::count(chosen_.begin(), chosen_.end(), true));
  }

  void find_forward() {
    for (const TensorId id : graph_.outputs) forward_[at(id)] = true;
    for (std::size_t k = graph_.ops.size(); k-- > 0;) {
      if (!forward_[at(graph_.ops[k].out.tensor)]) continue;
      for (const TensorId id : graph::inputs_of(graph_.ops[k])) forward_[at(id)] = true;
    }
  }

  void drop(TensorId id) { chosen_[at(id)] = false; }

  void check(const StructuredOp& op) {
    const TensorId out = op.out.tensor;
    const bool tolerant = is_linear(op) || is_copy(op);
    const auto read = [&](const Access& access, bool in_body) {
      const bool saved = forward(access.tensor) && !forward(out);
      if (!saved && !(tolerant && in_body)) drop(access.tensor);
      if (!free_of_scale(access.outside)) drop(access.tensor);
    };
    for (const Access& access : op.in) read(access, true);
    for (const Access& access : op.extra) read(access, false);
    // Copies stay views, and a maximum stays equal to one of its operands.
    if (keeps_elements(op)) {
      const TensorId source = op.in[0].tensor;
      if (!chosen(source) || forward(source) != forward(out)) drop(out);
      if (is_copy(op) && !chosen(out) && forward(source) == forward(out)) drop(source);
    }
    if (compares(op.body) || compares(op.epilogue)) check_comparison(op);
  }

  // Elements that were equal must stay equal: of several forward tensors all are of one family, or none is
  // stored narrower.
  void check_comparison(const StructuredOp& op) {
    join();
    std::vector<TensorId> compared;
    const auto consider = [&](const Access& access) {
      if (forward(access.tensor) && graph_.at(access.tensor).has_batch) compared.push_back(access.tensor);
    };
    for (const Access& access : op.in) consider(access);
    for (const Access& access : op.extra) consider(access);
    const bool one_family = std::all_of(compared.begin(), compared.end(), [&](TensorId id) {
      return chosen(id) && root(id) == root(compared.front());
    });
    if (one_family) return;
    for (const TensorId id : compared) drop(id);
  }

  void join() {
    for (const StructuredOp& op : graph_.ops) {
      if (!keeps_elements(op)) continue;
      const TensorId out = op.out.tensor, source = op.in[0].tensor;
      root_[at(out)] = chosen(out) && chosen(source) ? root_[at(source)] : out;
    }
  }

  const Graph& graph_;
  std::vector<bool> forward_, chosen_;
  std::vector<TensorId> root_;
};

// --- How ops read and write them ---
class Rescaling {
public:
  Rescaling(const Selection& selection, const std::vector<TensorId>& roots, TensorId scales,
            TensorId inverses)
      : selection_(selection), roots_(roots), scales_(scales), inverses_(inverses) {}

  void apply(StructuredOp& op) const {
    const bool stored = selection_.chosen(op.out.tensor);
    if (keeps_elements(op) && stored) return;
    const bool linear = is_linear(op);
    const bool in_body = op.reduction == Reduction::none && op.epilogue.empty();
    const std::vector<Access> reads = op.in, extras = op.extra;

    Formula body;
    std::vector<Formula::Node> arguments;
    for (std::size_t k = 0; k < reads.size(); ++k) {
      Formula::Node value = body.input(static_cast<std::int32_t>(k));
      if (!linear && selection_.chosen(reads[k].tensor))
        value = body.multiply(value, factor(body, op, op.in, inverses_, reads[k].tensor, 0));
      arguments.push_back(value);
    }
    Formula::Node result = body.insert(op.body, arguments);
    if (stored && in_body) result = body.multiply(result, factor(body, op, op.in, scales_, op.out.tensor, 0));
    if (op.in.size() != reads.size()) op.body = body.finish(result);
    if (in_body) return;

    Formula epilogue;
    Formula::Node sum = epilogue.input(0);
    for (const Access& read : reads) {
      if (linear && selection_.chosen(read.tensor))
        sum = epilogue.multiply(sum, factor(epilogue, op, op.extra, inverses_, read.tensor, 1));
    }
    std::vector<Formula::Node> after = {sum};
    for (std::size_t k = 0; k < extras.size(); ++k) {
      Formula::Node value = epilogue.input(static_cast<std::int32_t>(k + 1));
      if (selection_.chosen(extras[k].tensor))
        value = epilogue.multiply(value, factor(epilogue, op, op.extra, inverses_, extras[k].tensor, 1));
      after.push_back(value);
    }
    Formula::Node finished = op.epilogue.empty() ? sum : epilogue.insert(op.epilogue, after);
    if (stored)
      finished = epilogue.multiply(finished, factor(epilogue, op, op.extra, scales_, op.out.tensor, 1));
    if (op.extra.size() != extras.size()) op.epilogue = epilogue.finish(finished);
  }

private:
  // Element `of` (the scale of that tensor, or its inverse) of `table` as one more operand; operands in
  // `list` are numbered from `first` on.
  Formula::Node factor(Formula& formula, const StructuredOp& op, std::vector<Access>& list, TensorId table,
                       TensorId of, std::int32_t first) const {
    const auto place = std::find(roots_.begin(), roots_.end(), selection_.root(of)) - roots_.begin();
    Access access;
    access.tensor = table;
    access.map = {{std::vector<std::int64_t>(op.box.size(), 0), place}};
    list.push_back(std::move(access));
    return formula.input(static_cast<std::int32_t>(list.size()) - 1 + first);
  }

  const Selection& selection_;
  const std::vector<TensorId>& roots_;
  TensorId scales_, inverses_;
};

// --- How the scales follow ---
graph::AffineIndex along(std::size_t axes, std::size_t axis, std::int64_t offset = 0) {
  graph::AffineIndex index{std::vector<std::int64_t>(axes, 0), offset};
  if (axis < axes) index.coefficients[axis] = 1;
  return index;
}

StructuredOp new_op(const std::string& name, std::vector<graph::Axis> box, Access out) {
  StructuredOp op;
  op.name = name;
  op.origin = "formats";
  op.box = std::move(box);
  op.out = std::move(out);
  return op;
}

TensorId add_value(Graph& graph, std::string name, std::vector<std::int64_t> shape, bool has_batch) {
  Tensor tensor;
  tensor.name = std::move(name);
  tensor.shape = std::move(shape);
  tensor.has_batch = has_batch;
  return graph.add(std::move(tensor));
}

// The sum of |stored| over the batch, by way of a row of sums per sample along the longest dimension (the
// last one of several): long rows suit the vector unit. Returns the sum's tensor, of shape [1].
TensorId add_magnitude(Graph& graph, TensorId stored, std::vector<StructuredOp>& ops) {
  const Tensor tensor = graph.at(stored);
  const std::size_t rank = tensor.shape.size();
  std::size_t longest = rank - 1;
  for (std::size_t d = rank - 1; d >= 1; --d) {
    if (tensor.shape[longest] < 16 && tensor.shape[d] > tensor.shape[longest]) longest = d;
  }
  const TensorId row =
      add_value(graph, tensor.name + ".magnitudes", {tensor.shape[0], tensor.shape[longest]}, true);
  const TensorId sum = add_value(graph, tensor.name + ".magnitude", {1}, false);
  Formula magnitude;
  const graph::Expression absolute = magnitude.finish(magnitude.apply(Scalar::absolute, magnitude.input(0)));

  std::vector<graph::Axis> box;
  Access read{stored, {}, 0};
  for (std::size_t d = 0; d < rank; ++d) {
    box.push_back({d == 0 ? "n" : fmt::format("d{}", d), tensor.shape[d], d == 0});
    read.map.push_back(along(rank, d));
  }
  StructuredOp rows =
      new_op(tensor.name + ".magnitudes", box, {row, {along(rank, 0), along(rank, longest)}, 0});
  rows.in = {read};
  rows.body = absolute;
  rows.reduction = rank > 2 ? Reduction::sum : Reduction::none;
  ops.push_back(std::move(rows));

  StructuredOp all =
      new_op(tensor.name + ".magnitude", {{"n", tensor.shape[0], true}, {"d", tensor.shape[longest], false}},
             {sum, {along(2, 2)}, 0});
  all.in = {{row, {along(2, 0), along(2, 1)}, 0}};
  all.body = graph::copy_of_input();
  all.reduction = Reduction::sum;
  ops.push_back(std::move(all));
  return sum;
}

// scale * 2^e, where 2^e brings `mean` (of codes, as a multiple of the target) into [1/2, 2]; at most 2^15 at
// a time. Nothing stored but zeros asks for the next larger scale: small numbers may have vanished.
graph::Expression next_scale() {
  Formula f;
  const Formula::Node scale = f.input(0);
  Formula::Node mean = f.input(1), factor = f.constant(1);
  for (const int exponent : {8, 4, 2, 1}) {
    const Formula::Node up = f.constant(std::ldexp(1.0f, exponent)),
                        down = f.constant(std::ldexp(1.0f, -exponent));
    const Formula::Node small = f.less(mean, down), large = f.less(up, mean);
    mean = f.select(small, f.multiply(mean, up), f.select(large, f.multiply(mean, down), mean));
    factor = f.select(small, f.multiply(factor, up), f.select(large, f.multiply(factor, down), factor));
  }
  const Formula::Node nothing = f.apply(Scalar::equal, f.input(1), f.constant(0));
  const Formula::Node moved = f.multiply(scale, f.select(nothing, f.constant(2), factor));
  const Formula::Node low = f.constant(std::ldexp(1.0f, least_cfloat8_scale)),
                      high = f.constant(std::ldexp(1.0f, largest_cfloat8_scale));
  // A scale is a number: plain comparisons do, and cost less than minimum and maximum, which keep NaN.
  const Formula::Node held = f.select(f.less(low, moved), moved, low);
  return f.finish(f.select(f.less(held, high), held, high));
}

void add_scale_updates(Graph& graph, TensorId scales, const std::vector<TensorId>& roots,
                       const std::vector<TensorId>& sums) {
  const auto count = static_cast<std::int64_t>(roots.size());
  const std::vector<graph::Axis> box = {{"k", count, false}};
  const TensorId means = add_value(graph, "cfloat8.means", {count}, false);
  StructuredOp collect = new_op("cfloat8.means", box, {means, {along(1, 0)}, 0});
  Formula sum;
  Formula::Node total = -1;
  for (std::size_t k = 0; k < sums.size(); ++k) {
    const auto elements = static_cast<float>(graph::element_count(graph.at(roots[k]).shape));
    collect.in.push_back({sums[k], {along(1, 0, -static_cast<std::int64_t>(k))}, 0});
    const Formula::Node mean = sum.multiply(sum.input(static_cast<std::int32_t>(k)),
                                            sum.constant(1 / (elements * cfloat8_mean_target)));
    total = k == 0 ? mean : sum.add(total, mean);
  }
  collect.body = sum.finish(total);
  graph.ops.push_back(std::move(collect));

  const TensorId next = add_value(graph, std::string(cfloat8_scales) + ".new", {count}, false);
  StructuredOp move = new_op(std::string(cfloat8_scales) + ".update", box, {next, {along(1, 0)}, 0});
  move.in = {{scales, {along(1, 0)}, 0}, {means, {along(1, 0)}, 0}};
  move.body = next_scale();
  graph.ops.push_back(std::move(move));
  graph.update[scales] = next;
}

}  // namespace

void store_in_cfloat8(Graph& graph) {
  const Selection selection(graph);
  std::vector<TensorId> roots;
  std::vector<float> first;
  for (const StructuredOp& op : graph.ops) {
    const TensorId out = op.out.tensor;
    if (!selection.chosen(out)) continue;
    graph.at(out).format = selection.forward(out) ? Format::cfloat8_143 : Format::cfloat8_152;
    if (selection.root(out) != out) continue;
    roots.push_back(out);
    first.push_back(std::ldexp(1.0f, selection.forward(out) ? first_forward_scale : first_gradient_scale));
  }
  if (roots.empty()) return;

  const auto count = static_cast<std::int64_t>(roots.size());
  const TensorId scales =
      graph.add({cfloat8_scales, {count}, graph::Role::state, Format::fp32, false, std::move(first)});
  const TensorId inverses = add_value(graph, "cfloat8.inverses", {count}, false);
  StructuredOp invert = new_op("cfloat8.inverses", {{"k", count, false}}, {inverses, {along(1, 0)}, 0});
  invert.in = {{scales, {along(1, 0)}, 0}};
  Formula inverse;
  invert.body = inverse.finish(inverse.divide(inverse.constant(1), inverse.input(0)));

  const Rescaling rescaling(selection, roots, scales, inverses);
  std::vector<StructuredOp> ops;
  ops.push_back(std::move(invert));
  std::vector<TensorId> sums;
  for (StructuredOp& op : graph.ops) {
    rescaling.apply(op);
    const TensorId out = op.out.tensor;
    ops.push_back(std::move(op));
    if (selection.chosen(out) && selection.root(out) == out) sums.push_back(add_magnitude(graph, out, ops));
  }
  graph.ops = std::move(ops);
  add_scale_updates(graph, scales, roots, sums);
  graph::validate(graph);
}

}  // namespace dojo::lowering
