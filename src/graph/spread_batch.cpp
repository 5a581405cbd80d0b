// One walk over the ops in their order: what an op reads tells which axis of its box runs over the samples,
// and that axis, how the op's result holds them. Where such an op reads a tensor without samples along that
// axis, the tensor must be the same for all of them; a version of it without the axis is made then
// (spread_versions.cpp).
#include "graph/spread_batch.h"

#include <algorithm>

#include "graph/known_indices.h"
#include "graph/spreading.h"

namespace dojo::graph {
namespace {

bool is_given_each_step(Role role) { return role == Role::input || role == Role::label; }

}  // namespace

std::vector<Access*> reads_of(StructuredOp& op) {
  std::vector<Access*> reads;
  for (Access& access : op.in) reads.push_back(&access);
  for (Access& access : op.extra) reads.push_back(&access);
  return reads;
}

std::vector<std::size_t> dimensions_along(const Access& access, std::size_t axis) {
  std::vector<std::size_t> dimensions;
  for (std::size_t d = 0; d < access.map.size(); ++d)
    if (access.map[d].coefficients[axis] != 0) dimensions.push_back(d);
  return dimensions;
}

Spreading::Spreading(const Graph& source, const std::map<std::string, SamplePlace>& samples)
    : graph_(source), places_(source.tensors.size()) {
  make_known_indices_affine(graph_);
  for (const auto& [name, place] : samples) take(name, place);
}

void Spreading::take(const std::string& name, const SamplePlace& place) {
  const TensorId id = graph_.find(name);
  if (id == no_tensor) refuse(graph_.name, "has no tensor '{}' that could hold samples", name);
  const Tensor& tensor = graph_.at(id);
  const std::int64_t others = place.outer * place.inner;
  if (!is_given_each_step(tensor.role) || tensor.shape.size() <= place.dimension ||
      tensor.shape[place.dimension] % others != 0)
    refuse(name, "is no input or label with a dimension for samples");
  const std::int64_t held = tensor.shape[place.dimension] / others;
  if (samples_ != 0 && held != samples_)
    refuse(name, "holds {} samples where others hold {}", held, samples_);
  samples_ = held;
  places_[index(id)] = place;
}

SpreadBatch Spreading::run() {
  if (samples_ < 2) stop(graph_.name, "has {}", samples_ == 1 ? "one sample" : "no inputs that hold samples");
  for (const StructuredOp& op : graph_.ops) makers_.emplace(op.out.tensor, op);
  for (TensorId id = 0; index(id) < graph_.tensors.size(); ++id)
    if (is_given_each_step(graph_.at(id).role) && !places_[index(id)]) receive_whole(id);
  const std::vector<StructuredOp> source = graph_.ops;
  for (const StructuredOp& op : source) rewrite(op);
  for (const auto& [from, to] : graph_.update)
    if (places_[index(to)])
      stop(graph_.at(from).name, "would take values of each sample, those of '{}'", graph_.at(to).name);
  finish();
  return result_;
}

void Spreading::rewrite(StructuredOp op) {
  if (const std::optional<SampleAxis> split = batch_axis(op)) {
    const std::size_t axis = split_axis(op, *split, samples_);
    op.box[axis].is_batch = true;
    for (Access* read : reads_of(op)) read_along(op, *read, axis);
    write_along(op, axis);
  }
  ops_.push_back(std::move(op));
}

// The axis that runs over the samples of all that the op reads; nothing if it reads none.
std::optional<SampleAxis> Spreading::batch_axis(StructuredOp& op) const {
  std::optional<SampleAxis> found;
  const Access* first = nullptr;
  for (const Access* read : reads_of(op)) {
    const auto& place = places_[index(read->tensor)];
    if (!place) continue;
    const AffineIndex& along = read->map[place->dimension];
    if (along.from != not_computed)
      stop(op.name, "picks samples of '{}' by computed numbers", name_of(*read));
    const auto axis = sample_axis(along, op.box, *place, samples_);
    if (!axis) stop(op.name, "reads '{}' other than sample by sample", name_of(*read));
    if (found && *axis != *found)
      stop(op.name, "relates samples of '{}' to others of '{}'", name_of(*first), name_of(*read));
    found = axis;
    first = read;
  }
  return found;
}

void Spreading::read_along(const StructuredOp& op, Access& read, std::size_t axis) {
  if (!places_[index(read.tensor)]) return read_unspread(op, read, axis);
  const auto moved = [&] {
    return move_samples(read, op.box, axis, *places_[index(read.tensor)], samples_, Samples::first);
  };
  if (moved()) return;
  const std::string name = name_of(read);
  if (places_[index(read.tensor)]->outer == 1) read.tensor = widened(read.tensor);
  if (!moved()) stop(op.name, "reads '{}' other than sample by sample", name);
}

void Spreading::write_along(StructuredOp& op, std::size_t axis) {
  const std::vector<std::size_t> dimensions = dimensions_along(op.out, axis);
  const Tensor& out = graph_.at(op.out.tensor);
  if (dimensions.empty()) return;
  std::optional<SamplePlace> place;
  if (dimensions.size() == 1) place = place_along(op.out, out.shape, axis, dimensions[0], samples_);
  if (!place || !move_samples(op.out, op.box, axis, *place, samples_, Samples::first))
    stop(op.name, "does not write its samples one beside the other into '{}'", out.name);
  places_[index(op.out.tensor)] = place;
}

void Spreading::finish() {
  graph_.ops = std::move(ops_);
  remove_replaced();
  const auto is_output = [&](TensorId id) {
    return std::ranges::find(graph_.outputs, id) != graph_.outputs.end();
  };
  for (TensorId id = 0; index(id) < places_.size(); ++id) {
    const auto& place = places_[index(id)];
    if (!place) continue;
    Tensor& tensor = graph_.at(id);
    if (*place != SamplePlace{} && (is_given_each_step(tensor.role) || is_output(id)))
      result_.moved[tensor.name] = {tensor.shape, *place, samples_};
    tensor.shape = moved_shape(tensor.shape, *place, samples_, Samples::first);
    tensor.has_batch = true;
  }
  validate(graph_);
}

// Of ops that were made once more, those that nothing reads now, and what only they read.
void Spreading::remove_replaced() {
  std::set<TensorId> read(graph_.outputs.begin(), graph_.outputs.end());
  for (const auto* pairs : {&graph_.update, &graph_.gradient})
    for (const auto& [from, to] : *pairs) read.insert(to);
  for (std::size_t k = graph_.ops.size(); k-- > 0;) {
    const StructuredOp& op = graph_.ops[k];
    const std::vector<TensorId> inputs = inputs_of(op);
    if (replaced_.contains(op.out.tensor) && !read.contains(op.out.tensor)) {
      replaced_.insert(inputs.begin(), inputs.end());
      graph_.ops.erase(graph_.ops.begin() + static_cast<std::ptrdiff_t>(k));
    } else {
      read.insert(inputs.begin(), inputs.end());
    }
  }
}

SpreadBatch spread_batch(Graph& graph, const std::map<std::string, SamplePlace>& samples) {
  Spreading one_by_one(graph, samples);
  std::string refusal;
  const auto tried = [&](Spreading& spreading) -> std::optional<SpreadBatch> {
    try {
      SpreadBatch done = spreading.run();
      graph = spreading.take_graph();
      return done;
    } catch (const NotSpread& error) {
      if (refusal.empty()) refusal = error.what();
      return std::nullopt;
    }
  };
  if (auto done = tried(one_by_one)) return *done;
  const auto in_groups = [&](std::int64_t outer, std::int64_t inner) {
    std::map<std::string, SamplePlace> places = samples;
    for (auto& [name, place] : places) place.outer *= outer, place.inner *= inner;
    Spreading spreading(graph, places);
    return tried(spreading);
  };
  for (std::int64_t group = 2; group <= one_by_one.samples() / 2; ++group) {
    if (one_by_one.samples() % group != 0) continue;
    if (auto done = in_groups(group, 1)) return *done;
    if (auto done = in_groups(1, group)) return *done;
  }
  return {refusal, {}, {}, {}};
}

SpreadBatch spread_batch(Graph& graph, std::span<const std::string> samples) {
  std::map<std::string, SamplePlace> places;
  for (const std::string& name : samples) places[name] = {};
  return spread_batch(graph, places);
}

namespace {

// Calls move(former, present, count) for every run of elements that lie beside each other in both orders.
template <typename Move>
void for_each_run(const FormerLayout& former, Move move) {
  const auto& [shape, place, samples] = former;
  const auto middle = shape.begin() + static_cast<std::ptrdiff_t>(place.dimension);
  const std::int64_t before = element_count({shape.begin(), middle}) * place.outer,
                     behind = element_count({middle + 1, shape.end()}) * place.inner;
  for (std::int64_t n = 0; n < samples; ++n)
    for (std::int64_t b = 0; b < before; ++b)
      move((b * samples + n) * behind, (n * before + b) * behind, behind);
}

}  // namespace

std::vector<float> in_former_order(std::span<const float> values, const FormerLayout& former) {
  std::vector<float> result(values.size());
  for_each_run(former, [&](std::int64_t was, std::int64_t is, std::int64_t count) {
    std::copy_n(values.begin() + is, count, result.begin() + was);
  });
  return result;
}

std::vector<float> sample_by_sample(std::span<const float> values, const FormerLayout& former) {
  std::vector<float> result(values.size());
  for_each_run(former, [&](std::int64_t was, std::int64_t is, std::int64_t count) {
    std::copy_n(values.begin() + was, count, result.begin() + is);
  });
  return result;
}

}  // namespace dojo::graph
