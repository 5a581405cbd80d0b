// Values to the bytes of an ONNX file. Field numbers are those of onnx.proto; fields that hold their default
// are left out.
#include "base/file.h"
#include "onnx/file.h"
#include "onnx/wire.h"

namespace dojo::onnx {
namespace {

void text(WireWriter& writer, std::uint32_t number, const std::string& value) {
  if (!value.empty()) writer.bytes(number, value);
}

std::string entry(const std::string& key, const std::string& value) {
  WireWriter writer;
  writer.bytes(1, key);
  writer.bytes(2, value);
  return writer.result();
}

std::string encode(const Attribute& attribute) {
  WireWriter writer;
  writer.bytes(1, attribute.name);
  switch (attribute.type) {
    case AttributeType::single:
      writer.single(2, attribute.single);
      break;
    case AttributeType::integer:
      writer.integer(3, attribute.integer);
      break;
    case AttributeType::string:
      writer.bytes(4, attribute.string);
      break;
    case AttributeType::tensor:
      writer.bytes(5, encode_tensor(attribute.tensor));
      break;
    case AttributeType::singles:
      writer.singles(7, attribute.singles);
      break;
    case AttributeType::integers:
      writer.integers(8, attribute.integers);
      break;
    case AttributeType::strings:
      for (const std::string& value : attribute.strings) writer.bytes(9, value);
      break;
    default:
      break;  // its value is among `other`
  }
  writer.integer(20, static_cast<std::int64_t>(attribute.type));
  writer.encoded(attribute.other);
  return writer.result();
}

std::string encode(const Node& node) {
  WireWriter writer;
  for (const std::string& input : node.inputs) writer.bytes(1, input);
  for (const std::string& output : node.outputs) writer.bytes(2, output);
  text(writer, 3, node.name);
  text(writer, 4, node.op);
  for (const Attribute& attribute : node.attributes) writer.bytes(5, encode(attribute));
  text(writer, 7, node.domain);
  for (const auto& [key, value] : node.metadata) writer.bytes(9, entry(key, value));
  writer.encoded(node.other);
  return writer.result();
}

std::string encode(const std::vector<Dimension>& shape) {
  WireWriter writer;
  for (const Dimension& dimension : shape) {
    WireWriter inner;
    if (dimension.extent) {
      inner.integer(1, *dimension.extent);
    } else {
      text(inner, 2, dimension.symbol);
    }
    writer.bytes(1, inner.result());
  }
  return writer.result();
}

std::string encode(const ValueInfo& value) {
  WireWriter writer;
  writer.bytes(1, value.name);
  if (value.type != DataType::undefined) {
    WireWriter tensor, type;
    tensor.integer(1, static_cast<std::int64_t>(value.type));
    if (value.shape) tensor.bytes(2, encode(*value.shape));
    type.bytes(1, tensor.result());
    writer.bytes(2, type.result());
  }
  writer.encoded(value.other);
  return writer.result();
}

std::string encode(const GraphFile& graph) {
  WireWriter writer;
  for (const Node& node : graph.nodes) writer.bytes(1, encode(node));
  text(writer, 2, graph.name);
  for (const Tensor& tensor : graph.initialisers) writer.bytes(5, encode_tensor(tensor));
  for (const ValueInfo& value : graph.inputs) writer.bytes(11, encode(value));
  for (const ValueInfo& value : graph.outputs) writer.bytes(12, encode(value));
  for (const ValueInfo& value : graph.values) writer.bytes(13, encode(value));
  writer.encoded(graph.other);
  return writer.result();
}

}  // namespace

std::string encode_tensor(const Tensor& tensor) {
  WireWriter writer;
  writer.integers(1, tensor.dims);
  writer.integer(2, static_cast<std::int64_t>(tensor.type));
  text(writer, 8, tensor.name);
  if (tensor.type != DataType::string) writer.bytes(9, tensor.data);
  writer.encoded(tensor.other);
  return writer.result();
}

std::string encode_model(const Model& model) {
  WireWriter writer;
  writer.integer(1, model.ir_version);
  text(writer, 2, model.producer);
  text(writer, 3, model.producer_version);
  for (const auto& [domain, version] : model.opsets) {
    WireWriter opset;
    opset.bytes(1, domain);
    opset.integer(2, version);
    writer.bytes(8, opset.result());
  }
  for (const auto& [key, value] : model.metadata) writer.bytes(14, entry(key, value));
  writer.encoded(model.other);
  writer.bytes(7, encode(model.graph));
  return writer.result();
}

void write_model(const std::filesystem::path& path, const Model& model) {
  write_text(path, encode_model(model));
}

}  // namespace dojo::onnx
