// Small containers of ATen's operators in a few lines, for tests.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "onnx/file.h"

namespace dojo::onnx {

inline ValueInfo aten_value(std::string name, std::vector<std::int64_t> shape,
                            DataType type = DataType::float32) {
  ValueInfo value;
  value.name = std::move(name);
  value.type = type;
  value.shape.emplace();
  for (const std::int64_t extent : shape) value.shape->push_back({extent, ""});
  return value;
}

inline Attribute number(std::string name, float value) {
  Attribute made;
  made.name = std::move(name);
  made.type = AttributeType::single;
  made.single = value;
  return made;
}

inline Attribute list(std::string name, std::vector<std::int64_t> values) {
  Attribute made;
  made.name = std::move(name);
  made.type = AttributeType::integers;
  made.integers = std::move(values);
  return made;
}

inline Node aten_node(std::string op, std::vector<std::string> inputs, std::vector<std::string> outputs,
                      std::vector<Attribute> attributes = {}) {
  Node node;
  node.domain = "aten";
  node.name = outputs.empty() ? op : outputs[0];
  node.op = std::move(op);
  node.inputs = std::move(inputs);
  node.outputs = std::move(outputs);
  node.attributes = std::move(attributes);
  return node;
}

inline Model aten_model(std::vector<ValueInfo> inputs, std::vector<Node> nodes,
                        std::vector<ValueInfo> outputs, std::vector<ValueInfo> values = {}) {
  Model model;
  model.ir_version = 10;
  model.opsets["aten"] = 1;
  model.graph.name = "tested";
  model.graph.inputs = std::move(inputs);
  model.graph.nodes = std::move(nodes);
  model.graph.outputs = std::move(outputs);
  model.graph.values = std::move(values);
  return model;
}

// One step of s := s - rate * x * s, which also gives the sum of x * s.
inline Model decaying_state() {
  Model model = aten_model(
      {aten_value("s", {4}), aten_value("rate", {}), aten_value("x", {4})},
      {aten_node("mul.Tensor", {"x", "s"}, {"product"}), aten_node("sum.default", {"product"}, {"total"}),
       aten_node("neg.default", {"rate"}, {"down"}),
       aten_node("add.Tensor", {"s", "product", "down"}, {"next"})},
      {aten_value("total", {}), aten_value("next", {4})},
      {aten_value("product", {4}), aten_value("down", {})});
  model.metadata["opendojo.state.s"] = "next";
  return model;
}

}  // namespace dojo::onnx
