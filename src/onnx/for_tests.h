// Small ONNX models in a few lines, for tests.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "onnx/file.h"

namespace dojo::onnx {

// What `work` is refused with; "no error" if it isn't.
inline std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

inline Node node(std::string op, std::string name, std::vector<std::string> inputs,
                 std::vector<std::string> outputs) {
  Node made;
  made.op = std::move(op);
  made.name = std::move(name);
  made.inputs = std::move(inputs);
  made.outputs = std::move(outputs);
  return made;
}

inline ValueInfo value(std::string name, std::vector<Dimension> shape) {
  ValueInfo made;
  made.name = std::move(name);
  made.type = DataType::float32;
  made.shape = std::move(shape);
  return made;
}

// From the input x: [batch, features...] to the output y, in operator set 20.
inline Model model_of(const std::vector<std::int64_t>& features, std::vector<Node> nodes) {
  Model model;
  model.ir_version = 10;
  model.opsets[""] = 20;
  std::vector<Dimension> shape = {Dimension{{}, "N"}};
  for (const std::int64_t extent : features) shape.push_back(Dimension{extent, ""});
  model.graph.nodes = std::move(nodes);
  model.graph.inputs = {value("x", shape)};
  model.graph.outputs = {value("y", std::move(shape))};
  return model;
}

}  // namespace dojo::onnx
