// Networks for tests of training, as ONNX files.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "onnx/file.h"

namespace dojo::training {

// An ONNX file built front to back; `top` is what the next layer reads.
class Net {
public:
  explicit Net(std::vector<std::int64_t> sample) {
    model_.ir_version = 8;
    model_.opsets[""] = 17;
    model_.graph.name = "small";
    model_.graph.inputs.push_back(described("image", sample));
  }

  Net& add(const std::string& op, const std::string& name, std::vector<std::string> inputs = {},
           std::vector<onnx::Attribute> attributes = {}) {
    inputs.insert(inputs.begin(), top);
    top = name + ".out";
    model_.graph.nodes.push_back({name, op, "", std::move(inputs), {top}, std::move(attributes), ""});
    return *this;
  }

  std::string weight(const std::string& name, std::vector<std::int64_t> dims, double bound) {
    Random random(7, model_.graph.initialisers.size());
    std::vector<float> values;
    std::int64_t count = 1;
    for (const std::int64_t extent : dims) count *= extent;
    for (std::int64_t i = 0; i < count; ++i)
      values.push_back(static_cast<float>(random.uniform(-bound, bound)));
    model_.graph.initialisers.push_back(
        onnx::make_tensor(name, std::move(dims), std::span<const float>(values)));
    return name;
  }

  Net& convolution(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t stride) {
    const double bound = std::sqrt(6.0 / static_cast<double>(9 * in));
    return add("Conv", name, {weight(name + ".w", {out, in, 3, 3}, bound), weight(name + ".b", {out}, 0)},
               {integers("kernel_shape", {3, 3}), integers("strides", {stride, stride}),
                integers("pads", {1, 1, 1, 1})});
  }

  Net& dense(const std::string& name, std::int64_t in, std::int64_t out) {
    const double bound = std::sqrt(6.0 / static_cast<double>(in));
    onnx::Attribute transposed;
    transposed.name = "transB";
    transposed.type = onnx::AttributeType::integer;
    transposed.integer = 1;
    return add("Gemm", name, {weight(name + ".w", {out, in}, bound), weight(name + ".b", {out}, 0)},
               {transposed});
  }

  onnx::Model finish() {
    model_.graph.outputs.push_back(described(top, {1}));
    return model_;
  }

  std::string top = "image";

private:
  static onnx::Attribute integers(const std::string& name, std::vector<std::int64_t> values) {
    onnx::Attribute attribute;
    attribute.name = name;
    attribute.type = onnx::AttributeType::integers;
    attribute.integers = std::move(values);
    return attribute;
  }

  static onnx::ValueInfo described(const std::string& name, const std::vector<std::int64_t>& sample) {
    std::vector<onnx::Dimension> shape = {{std::nullopt, "N"}};
    for (const std::int64_t extent : sample) shape.push_back({extent, ""});
    return {name, onnx::DataType::float32, shape, ""};
  }

  onnx::Model model_;
};

inline onnx::Model small_network() {
  return Net({2, 6, 9})
      .convolution("conv1", 2, 5, 2)
      .add("Relu", "relu1")
      .add("Flatten", "flatten")
      .dense("hidden", 75, 12)
      .add("Tanh", "tanh")
      .dense("head", 12, 1)
      .finish();
}

}  // namespace dojo::training
