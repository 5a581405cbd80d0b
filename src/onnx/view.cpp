#include "onnx/view.h"

#include <algorithm>

#include "base/error.h"

namespace dojo::onnx {
namespace {

std::int64_t product(const graph::Shape& shape, std::size_t first, std::size_t last) {
  std::int64_t result = 1;
  for (std::size_t d = first; d < last; ++d) result *= shape[d];
  return result;
}

// The factors beside the batch that have a dimension of the tensor.
graph::Shape factors_of(const View& view) {
  graph::Shape factors;
  for (const std::int64_t factor : {view.outer, view.inner})
    if (factor != 1) factors.push_back(factor);
  return factors;
}

}  // namespace

graph::Shape value_shape(const View& view, const graph::Shape& tensor) {
  if (view.is_plain()) return tensor;
  graph::Shape value(tensor.begin() + 1, tensor.end());
  const auto at = value.begin() + static_cast<std::ptrdiff_t>(view.dimension);
  const auto rest = value.erase(at, at + static_cast<std::ptrdiff_t>(factors_of(view).size()));
  value.insert(rest, view.outer * tensor[0] * view.inner);
  return value;
}

graph::Shape tensor_shape(const View& view, const graph::Shape& value, std::int64_t batch) {
  graph::Shape tensor = value;
  const auto at = tensor.erase(tensor.begin() + static_cast<std::ptrdiff_t>(view.dimension));
  const graph::Shape factors = factors_of(view);
  tensor.insert(at, factors.begin(), factors.end());
  tensor.insert(tensor.begin(), batch);
  return tensor;
}

std::size_t tensor_dimension(const View& view, std::size_t d) {
  if (d < view.dimension) return d + 1;
  if (d > view.dimension) return d + factors_of(view).size();
  DOJO_ENSURE(!view.is_group());
  return 0;
}

// The elements to the left of the batch stay to its left, and so do those to its right.
std::optional<View> reshaped(const View& view, const graph::Shape& from, const graph::Shape& to,
                             std::int64_t batch) {
  const std::int64_t left = product(from, 0, view.dimension) * view.outer;
  const std::int64_t right = view.inner * product(from, view.dimension + 1, from.size());
  std::vector<View> found;
  for (std::size_t d = 0; d < to.size(); ++d) {
    const std::int64_t before = product(to, 0, d), after = product(to, d + 1, to.size());
    if (before == 0 || after == 0 || left % before != 0 || right % after != 0) continue;
    const View candidate{d, left / before, right / after};
    if (candidate.outer * batch * candidate.inner == to[d]) found.push_back(candidate);
  }
  if (found.empty()) return std::nullopt;
  // Only a batch of 1 leaves a choice: alone in its dimension, else in the dimension that it was in.
  const auto alone = std::ranges::find_if(found, [](const View& v) { return !v.is_group(); });
  if (alone != found.end()) return *alone;
  const auto kept = std::ranges::find(found, view.dimension, &View::dimension);
  return kept != found.end() && from.size() == to.size() ? *kept : found.front();
}

std::vector<std::int64_t> tensor_permutation(const View& view, const std::vector<std::int64_t>& permutation) {
  std::vector<std::int64_t> result = {0};
  for (const std::int64_t dimension : permutation) {
    const auto d = static_cast<std::size_t>(dimension);
    if (d != view.dimension) {
      result.push_back(static_cast<std::int64_t>(tensor_dimension(view, d)));
      continue;
    }
    for (std::size_t k = 0; k < factors_of(view).size(); ++k)
      result.push_back(static_cast<std::int64_t>(d + 1 + k));
  }
  return result;
}

}  // namespace dojo::onnx
