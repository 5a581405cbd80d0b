// One walk over the ops in their order: what an op reads tells which axis of its box runs over the samples,
// and that axis, how the op's result holds them. Where such an op reads a tensor without samples along that
// axis, the tensor must be the same for all of them; a version of it without the axis is made then, by a copy
// of the op that makes it.
#include "graph/spread_batch.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"

namespace dojo::graph {
namespace {

// What the samples meet that cannot be spread; becomes the refusal.
class NotSpread : public UserError {
  using UserError::UserError;
};

std::size_t index(TensorId id) { return static_cast<std::size_t>(id); }

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

// A value for each sample may be no other than the first's: values of one sample, or nothing.
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

class Spreading {
public:
  Spreading(const Graph& source, std::span<const std::string> samples)
      : graph_(source), places_(source.tensors.size()) {
    for (const std::string& name : samples) take(name);
  }

  std::map<std::string, FormerLayout> run() {
    if (samples_ == 1) stop(graph_.name, "has one sample");
    for (std::size_t id = 0; id < places_.size(); ++id) {
      const Tensor& tensor = graph_.tensors[id];
      if (is_given_each_step(tensor.role) && !places_[id])
        stop(tensor.name, "is an input that holds no samples");
    }
    for (const StructuredOp& op : graph_.ops) makers_.emplace(op.out.tensor, op);
    for (const StructuredOp& op : graph_.ops) rewrite(op);
    for (const auto& [from, to] : graph_.update)
      if (places_[index(to)])
        stop(graph_.at(from).name, "would take values of each sample, those of '{}'", graph_.at(to).name);
    return finish();
  }

  Graph take_graph() { return std::move(graph_); }

private:
  template <typename... Arguments>
  [[noreturn]] static void stop(const std::string& where, fmt::format_string<Arguments...> format,
                                Arguments&&... arguments) {
    throw NotSpread(where, fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  static bool is_given_each_step(Role role) { return role == Role::input || role == Role::label; }

  void take(const std::string& name) {
    const TensorId id = graph_.find(name);
    if (id == no_tensor) refuse(graph_.name, "has no tensor '{}' that could hold samples", name);
    const Tensor& tensor = graph_.at(id);
    if (!is_given_each_step(tensor.role) || tensor.shape.empty())
      refuse(name, "is no input or label with a dimension for samples");
    if (samples_ != 0 && tensor.shape[0] != samples_)
      refuse(name, "holds {} samples where others hold {}", tensor.shape[0], samples_);
    samples_ = tensor.shape[0];
    places_[index(id)] = SamplePlace{};
  }

  const std::string& name_of(const Access& access) const { return graph_.at(access.tensor).name; }

  // --- One op ---
  void rewrite(StructuredOp op) {
    if (const std::optional<SampleAxis> split = batch_axis(op)) {
      const std::size_t axis = split_axis(op, *split, samples_);
      op.box[axis].is_batch = true;
      for (Access* read : reads_of(op)) read_along(op, *read, axis);
      write_along(op, axis);
    }
    ops_.push_back(std::move(op));
  }

  // The axis that runs over the samples of all that the op reads; nothing if it reads none.
  std::optional<SampleAxis> batch_axis(StructuredOp& op) const {
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

  void read_along(const StructuredOp& op, Access& read, std::size_t axis) {
    const auto place = places_[index(read.tensor)];
    if (!place) return read_the_same(op, read, axis);
    if (!move_samples(read, op.box, axis, *place, samples_, Samples::first))
      stop(op.name, "reads '{}' other than sample by sample", name_of(read));
  }

  void write_along(StructuredOp& op, std::size_t axis) {
    const std::vector<std::size_t> dimensions = dimensions_along(op.out, axis);
    const Tensor& out = graph_.at(op.out.tensor);
    if (dimensions.empty()) {
      if (op.reduction != Reduction::sum) stop(op.name, "takes a maximum over the samples in '{}'", out.name);
      return;
    }
    const auto place =
        dimensions.size() == 1 ? place_along(op.out, out.shape, axis, dimensions[0], samples_) : std::nullopt;
    if (!place || !move_samples(op.out, op.box, axis, *place, samples_, Samples::first))
      stop(op.name, "does not write its samples one beside the other into '{}'", out.name);
    places_[index(op.out.tensor)] = place;
  }

  // --- What is the same for every sample ---
  // A read of a tensor that holds no samples, in an op whose axis `axis` runs over them.
  void read_the_same(const StructuredOp& op, Access& read, std::size_t axis) {
    const std::vector<std::size_t> dimensions = dimensions_along(read, axis);
    if (dimensions.empty()) return;
    const auto place = dimensions.size() == 1
                           ? place_along(read, graph_.at(read.tensor).shape, axis, dimensions[0], samples_)
                           : std::nullopt;
    const TensorId version = place ? version_without(read.tensor, *place) : no_tensor;
    if (version == no_tensor || !move_samples(read, op.box, axis, *place, samples_, Samples::none))
      stop(op.name, "reads other values of '{}' for each sample", name_of(read));
    read.tensor = version;
  }

  // The tensor for one sample, if it is the same for all; else no_tensor.
  TensorId version_without(TensorId id, const SamplePlace& place) {
    const auto [known, is_new] = versions_.try_emplace({id, place}, no_tensor);
    if (!is_new) return known->second;
    const Tensor& tensor = graph_.at(id);
    const auto made = makers_.find(id);
    if (tensor.role == Role::constant) {
      if (auto values = of_every_sample(tensor, place, samples_))
        known->second = add_version(tensor, place, std::move(*values));
    } else if (made != makers_.end()) {
      known->second = remake(made->second, place);
    }
    return known->second;
  }

  TensorId add_version(const Tensor& tensor, const SamplePlace& place, std::vector<float> values) {
    Tensor version = tensor;
    version.name = fresh_.pick(tensor.name + ".each", [&](const std::string& name) {
      return graph_.find(name) != no_tensor || graph_.has_op(name);
    });
    version.shape = moved_shape(tensor.shape, place, samples_, Samples::none);
    version.data = std::move(values);
    places_.emplace_back();
    return graph_.add(std::move(version));
  }

  // The op once more without what runs over the samples; no_tensor if their values differ.
  TensorId remake(StructuredOp op, const SamplePlace& place) {
    const auto split = sample_axis(op.out.map[place.dimension], op.box, place, samples_);
    if (op.out.map[place.dimension].from != not_computed || !split) return no_tensor;
    const std::size_t axis = split_axis(op, *split, samples_);
    for (Access* read : reads_of(op)) {
      if (dimensions_along(*read, axis).empty()) continue;
      if (places_[index(read->tensor)]) return no_tensor;
      read_the_same(op, *read, axis);
    }
    if (!move_samples(op.out, op.box, axis, place, samples_, Samples::none)) return no_tensor;
    remove_axis(op, axis);
    const Tensor& whole = graph_.at(op.out.tensor);
    replaced_.insert(op.out.tensor);
    op.out.tensor = add_version(whole, place, {});
    op.name = graph_.at(op.out.tensor).name;
    rewrite(op);
    return ops_.back().out.tensor;
  }

  // --- The end ---
  std::map<std::string, FormerLayout> finish() {
    graph_.ops = std::move(ops_);
    remove_replaced();
    std::map<std::string, FormerLayout> moved;
    for (const TensorId id : graph_.outputs) {
      const auto& place = places_[index(id)];
      if (place && *place != SamplePlace{})
        moved[graph_.at(id).name] = {graph_.at(id).shape, *place, samples_};
    }
    for (std::size_t id = 0; id < places_.size(); ++id) {
      if (!places_[id]) continue;
      graph_.tensors[id].shape =
          moved_shape(graph_.tensors[id].shape, *places_[id], samples_, Samples::first);
      graph_.tensors[id].has_batch = true;
    }
    validate(graph_);
    return moved;
  }

  // Of ops that were made once more, those that nothing reads now, and what only they read.
  void remove_replaced() {
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

  Graph graph_;                                     // as it was, with versions, until finish()
  std::vector<std::optional<SamplePlace>> places_;  // by tensor: where it holds samples
  std::int64_t samples_ = 0;
  std::map<TensorId, StructuredOp> makers_;  // as they were
  std::vector<StructuredOp> ops_;            // as they become
  std::map<std::pair<TensorId, SamplePlace>, TensorId> versions_;
  std::set<TensorId> replaced_;
  FreshNames fresh_;
};

}  // namespace

SpreadBatch spread_batch(Graph& graph, std::span<const std::string> samples) {
  Spreading spreading(graph, samples);
  try {
    SpreadBatch done{{}, spreading.run()};
    graph = spreading.take_graph();
    return done;
  } catch (const NotSpread& error) {
    return {error.what(), {}};
  }
}

std::vector<float> in_former_order(std::span<const float> values, const FormerLayout& former) {
  const auto& [shape, place, samples] = former;
  const auto middle = shape.begin() + static_cast<std::ptrdiff_t>(place.dimension);
  const std::int64_t before = element_count({shape.begin(), middle}) * place.outer,
                     behind = element_count({middle + 1, shape.end()}) * place.inner;
  std::vector<float> result(values.size());
  for (std::int64_t n = 0; n < samples; ++n)
    for (std::int64_t b = 0; b < before; ++b)
      std::copy_n(values.begin() + (n * before + b) * behind, behind,
                  result.begin() + (b * samples + n) * behind);
  return result;
}

}  // namespace dojo::graph
