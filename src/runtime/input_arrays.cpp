#include "runtime/input_arrays.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "onnx/numbers.h"

namespace dojo::runtime {

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::vector<std::string> names_of(const data::Arrays& arrays) {
  std::vector<std::string> names;
  for (const auto& [name, array] : arrays) names.push_back(name);
  return names;
}

std::int64_t samples_in(const data::Arrays& inputs, std::string_view where) {
  std::int64_t batch = 0;
  for (const auto& [name, array] : inputs) {
    if (array.shape.empty()) refuse(where, "'{}' has no dimension along which its samples lie", name);
    if (batch == 0) batch = array.shape[0];
    if (array.shape[0] != batch || batch < 1)
      refuse(where, "'{}' holds {} samples, where {} are wanted", name, array.shape[0],
             std::max<std::int64_t>(batch, 1));
  }
  return batch;
}

const data::Array& input_array(const onnx::NetworkInput& input, const onnx::Network& network,
                               const data::Arrays& inputs, std::string_view where) {
  const auto found = inputs.find(input.name);
  if (found != inputs.end()) return found->second;
  if (network.inputs.size() == 1 && inputs.size() == 1) return inputs.begin()->second;
  refuse(where, "no array '{}' for the network's input of that name; there are {}", input.name,
         fmt::join(names_of(inputs), ", "));
}

std::vector<float> input_values(const onnx::NetworkInput& input, const onnx::Network& network,
                                const data::Arrays& arrays, std::string_view where) {
  const data::Array& array = input_array(input, network, arrays, where);
  const graph::Shape& shape = network.graph.at(input.tensor).shape;
  if (array.shape != shape)
    refuse(where, "'{}' has the shape {}, where {} is wanted", input.name, shape_text(array.shape),
           shape_text(shape));
  std::vector<float> values = data::floats(array);
  if (onnx::is_floating(input.type)) return values;
  const onnx::Bounds bounds = onnx::bounds_of(input.type);
  for (const float value : values)
    if (!(value >= static_cast<float>(bounds.least) && value <= static_cast<float>(bounds.most)) ||
        value != std::trunc(value))
      refuse(where, "'{}' holds {}, which is no whole number from {} to {}", input.name, value, bounds.least,
             bounds.most);
  return values;
}

}  // namespace dojo::runtime
