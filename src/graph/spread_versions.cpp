// Tensors beside those of the graph: what is the same for every sample, without samples; what an index must
// be able to leave, with a dimension for that; inputs without samples, as sums over samples that are all
// zeros but one.
#include <algorithm>
#include <bit>

#include "graph/expression.h"
#include "graph/spreading.h"

namespace dojo::graph {
namespace {

void remove_axis(StructuredOp& op, std::size_t axis) {
  const auto at = static_cast<std::ptrdiff_t>(axis);
  op.box.erase(op.box.begin() + at);
  const auto shrink = [&](Access& access) {
    for (AffineIndex& dimension : access.map)
      dimension.coefficients.erase(dimension.coefficients.begin() + at);
  };
  for (Access* access : reads_of(op)) shrink(*access);
  shrink(op.out);
}

// The values of one sample; nothing if another's differ.
std::optional<std::vector<float>> of_every_sample(const Tensor& tensor, const SamplePlace& place,
                                                  std::int64_t samples) {
  std::int64_t behind = place.inner;
  for (std::size_t d = place.dimension + 1; d < tensor.shape.size(); ++d) behind *= tensor.shape[d];
  std::vector<float> values;
  const auto block = static_cast<std::ptrdiff_t>(behind), round = block * samples;
  const auto same = [](float a, float b) {
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
  };
  for (auto first = tensor.data.begin(); first != tensor.data.end(); first += round) {
    for (std::ptrdiff_t n = 1; n < samples; ++n)
      if (!std::equal(first, first + block, first + n * block, same)) return std::nullopt;
    values.insert(values.end(), first, first + block);
  }
  return values;
}

}  // namespace

TensorId Spreading::add_version(TensorId of, std::string_view ending, std::vector<std::int64_t> shape) {
  Tensor version;
  version.name = fresh_.pick(fmt::format("{}.{}", graph_.at(of).name, ending), [&](const std::string& name) {
    return graph_.find(name) != no_tensor || graph_.has_op(name);
  });
  version.shape = std::move(shape);
  version.format = graph_.at(of).format;
  places_.emplace_back();
  return graph_.add(std::move(version));
}

// A copy over the dimensions of `from`; the access of `to` has the same.
StructuredOp Spreading::copied(TensorId from, TensorId to) const {
  StructuredOp op;
  op.name = graph_.at(to).name;
  op.origin = "spread_batch";
  op.in = {{from, {}, 0}};
  const std::vector<std::int64_t>& shape = graph_.at(from).shape;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    op.box.push_back({fmt::format("d{}", d), shape[d], false});
    op.in[0].map.push_back({std::vector<std::int64_t>(shape.size(), 0), 0});
    op.in[0].map.back().coefficients[d] = 1;
  }
  op.out = op.in[0];
  op.out.tensor = to;
  op.body = copy_of_input();
  return op;
}

// A read of a tensor that holds no samples, in an op whose axis `axis` runs over them.
void Spreading::read_unspread(const StructuredOp& op, Access& read, std::size_t axis) {
  if (!read_the_same(op, read, axis) && !read_numbered(op, read, axis))
    stop(op.name, "reads other values of '{}' for each sample", name_of(read));
}

// Where the tensor would hold samples, read along the axis over them.
std::optional<SamplePlace> Spreading::place_of(const Access& read, std::size_t axis) const {
  const std::vector<std::size_t> dimensions = dimensions_along(read, axis);
  if (dimensions.size() != 1) return std::nullopt;
  return place_along(read, graph_.at(read.tensor).shape, axis, dimensions[0], samples_);
}

// Makes it one of what is the same for every sample; false, and it is as it was, if it is not.
bool Spreading::read_the_same(const StructuredOp& op, Access& read, std::size_t axis) {
  if (dimensions_along(read, axis).empty()) return true;
  const auto place = place_of(read, axis);
  const TensorId version = place ? version_without(read.tensor, *place) : no_tensor;
  Access moved = read;
  if (version == no_tensor || !move_samples(moved, op.box, axis, *place, samples_, Samples::none))
    return false;
  read = moved;
  read.tensor = version;
  return true;
}

// Makes it one of what is made of constants for each sample.
bool Spreading::read_numbered(const StructuredOp& op, Access& read, std::size_t axis) {
  const auto place = place_of(read, axis);
  const TensorId version = place ? version_with(read.tensor, *place) : no_tensor;
  Access moved = read;
  if (version == no_tensor || !move_samples(moved, op.box, axis, *place, samples_, Samples::first))
    return false;
  read = moved;
  read.tensor = version;
  return true;
}

// The tensor with samples; no_tensor if it is made of something else than constants.
TensorId Spreading::version_with(TensorId id, const SamplePlace& place) {
  const auto [known, is_new] = numbered_.try_emplace({id, place}, no_tensor);
  if (!is_new) return known->second;
  if (graph_.at(id).role == Role::constant) return known->second = spread_constant(id, place);
  const auto made = makers_.find(id);
  if (made == makers_.end() || places_[index(id)]) return no_tensor;
  StructuredOp op = made->second;
  const AffineIndex& along = op.out.map[place.dimension];
  if (along.from != not_computed) return no_tensor;
  const auto split = sample_axis(along, op.box, place, samples_);
  if (!split) return no_tensor;
  const std::size_t axis = split_axis(op, *split, samples_);
  op.box[axis].is_batch = true;
  for (Access* read : reads_of(op)) {
    if (dimensions_along(*read, axis).empty() && !places_[index(read->tensor)]) continue;
    if (places_[index(read->tensor)] || (!read_the_same(op, *read, axis) && !read_numbered(op, *read, axis)))
      return no_tensor;
  }
  if (!move_samples(op.out, op.box, axis, place, samples_, Samples::first)) return no_tensor;
  const TensorId version = add_version(id, "numbered", graph_.at(id).shape);
  op.out.tensor = version;
  op.name = graph_.at(version).name;
  places_[index(version)] = place;
  replaced_.insert(id);
  ops_.push_back(std::move(op));
  return numbered_[{id, place}] = version;
}

TensorId Spreading::spread_constant(TensorId id, const SamplePlace& place) {
  const TensorId version = add_version(id, "numbered", graph_.at(id).shape);
  graph_.at(version).role = Role::input;
  graph_.at(version).is_whole = graph_.at(id).is_whole;
  places_[index(version)] = place;
  result_.constants[graph_.at(version).name] = graph_.at(id).data;
  return version;
}

// The tensor for one sample, if it is the same for all; else no_tensor.
TensorId Spreading::version_without(TensorId id, const SamplePlace& place) {
  const auto [known, is_new] = versions_.try_emplace({id, place}, no_tensor);
  if (!is_new) return known->second;
  const auto made = makers_.find(id);
  if (made != makers_.end()) return known->second = remake(made->second, place);
  if (graph_.at(id).role != Role::constant) return no_tensor;
  std::optional<std::vector<float>> values = of_every_sample(graph_.at(id), place, samples_);
  if (!values) return no_tensor;
  known->second = add_version(id, "each", moved_shape(graph_.at(id).shape, place, samples_, Samples::none));
  graph_.at(known->second).role = Role::constant;
  graph_.at(known->second).data = std::move(*values);
  return known->second;
}

// The op once more without what runs over the samples; no_tensor if it has a value for each.
TensorId Spreading::remake(StructuredOp op, const SamplePlace& place) {
  const TensorId whole = op.out.tensor;
  const AffineIndex& along = op.out.map[place.dimension];
  if (places_[index(whole)] || along.from != not_computed) return no_tensor;
  const auto split = sample_axis(along, op.box, place, samples_);
  if (!split) return no_tensor;
  const std::size_t axis = split_axis(op, *split, samples_);
  for (Access* read : reads_of(op)) {
    if (dimensions_along(*read, axis).empty()) continue;
    if (places_[index(read->tensor)]) return no_tensor;
    if (!read_the_same(op, *read, axis)) return no_tensor;
  }
  if (!move_samples(op.out, op.box, axis, place, samples_, Samples::none)) return no_tensor;
  remove_axis(op, axis);
  op.out.tensor =
      add_version(whole, "each", moved_shape(graph_.at(whole).shape, place, samples_, Samples::none));
  op.name = graph_.at(op.out.tensor).name;
  replaced_.insert(whole);
  const TensorId version = op.out.tensor;
  makers_.emplace(version, op);
  rewrite(std::move(op));
  return version;
}

// The tensor with a dimension for the outer part of its samples, which is 1: where a concatenation of two
// batches reads the one, it leaves the other.
TensorId Spreading::widened(TensorId id) {
  const auto [known, is_new] = wide_.try_emplace(id, no_tensor);
  if (!is_new) return known->second;
  SamplePlace place = *places_[index(id)];
  known->second = add_version(id, "wide", graph_.at(id).shape);
  StructuredOp op = copied(id, known->second);
  const std::size_t axis = split_axis(op, {place.dimension, 1, place.inner}, samples_);
  op.box[axis].is_batch = true;
  DOJO_ENSURE(move_samples(op.in[0], op.box, axis, place, samples_, Samples::first));
  place.wide = true;
  DOJO_ENSURE(move_samples(op.out, op.box, axis, place, samples_, Samples::first));
  places_[index(known->second)] = place;
  ops_.push_back(std::move(op));
  return known->second;
}

// The input gets a batch in front, and what the graph knew is the sum over it.
void Spreading::receive_whole(TensorId id) {
  std::vector<std::int64_t> shape = graph_.at(id).shape;
  const std::string name = graph_.at(id).name;
  shape.insert(shape.begin(), samples_);
  const TensorId given = add_version(id, "whole", shape);
  const std::string whole = graph_.at(given).name;
  graph_.rename(given, name);
  graph_.rename(id, whole);
  graph_.at(given).role = std::exchange(graph_.at(id).role, Role::value);
  places_[index(given)] = SamplePlace{};
  StructuredOp sum = copied(given, id);
  sum.origin = "input";
  sum.out.map.erase(sum.out.map.begin());
  sum.reduction = Reduction::sum;
  rewrite(std::move(sum));
  result_.whole.push_back(name);
}

}  // namespace dojo::graph
