// An ONNX file as plain values (onnx.proto of github.com/onnx/onnx, IR versions 3 and later), read and
// written.
//
// Only the messages that a network needs are understood: Model, Graph, Node, Attribute, Tensor, ValueInfo
// with tensor types. Fields outside them (documentation, functions) and the graphs inside nodes are kept as
// bytes and written back as they were, so that reading and writing loses nothing. Tensor data that a file
// keeps outside itself is read from the folder of the model and written inside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dojo::onnx {

enum class DataType : std::int32_t {
  undefined = 0,
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  uint16 = 4,
  int16 = 5,
  int32 = 6,
  int64 = 7,
  string = 8,
  boolean = 9,
  float16 = 10,
  float64 = 11,
  uint32 = 12,
  uint64 = 13,
  complex64 = 14,
  complex128 = 15,
  bfloat16 = 16,
  float8e4m3fn = 17,
  float8e4m3fnuz = 18,
  float8e5m2 = 19,
  float8e5m2fnuz = 20,
  uint4 = 21,
  int4 = 22,
  float4e2m1 = 23,
  float8e8m0 = 24,
  uint2 = 25,
  int2 = 26,
};

std::string data_type_name(DataType type);  // "float32"; "type 99" for one without a name

struct Tensor {
  std::string name;
  DataType type = DataType::undefined;
  std::vector<std::int64_t> dims;  // [] is a scalar
  std::string data;                // little-endian elements, row-major, whatever field the file kept them in
  std::string other;

  std::int64_t elements() const;  // the product of dims, which data agrees with
};

Tensor make_tensor(std::string name, std::vector<std::int64_t> dims, std::span<const float> values);
Tensor make_tensor(std::string name, std::vector<std::int64_t> dims, std::span<const std::int64_t> values);

bool is_floating(DataType type);
unsigned bits_of(
    DataType type);  // of an element; several share a byte, the first in its low bits; 0 if that varies
// Elements widened or rounded to FP32. Refuses strings and complex numbers; `where` begins the sentence.
std::vector<float> to_floats(const Tensor& tensor, std::string_view where);
// Elements of an integer or boolean tensor; refuses others.
std::vector<std::int64_t> to_integers(const Tensor& tensor, std::string_view where);

enum class AttributeType : std::int32_t {
  undefined = 0,
  single = 1,
  integer = 2,
  string = 3,
  tensor = 4,
  graph = 5,
  singles = 6,
  integers = 7,
  strings = 8,
};

struct GraphFile;

struct Attribute {
  std::string name;
  AttributeType type = AttributeType::undefined;
  float single = 0;
  std::int64_t integer = 0;
  std::string string;
  Tensor tensor;
  std::vector<float> singles;
  std::vector<std::int64_t> integers;
  std::vector<std::string> strings;
  std::shared_ptr<const GraphFile> graph;  // whose bytes `other` holds, too
  std::string other;
};

struct Node {
  std::string name, op, domain;
  std::vector<std::string> inputs, outputs;  // "" is an optional operand that is absent
  std::vector<Attribute> attributes;
  std::string other;
  std::map<std::string, std::string> metadata = {};

  const Attribute* find(std::string_view attribute) const;  // nullptr if absent
};

struct Dimension {
  std::optional<std::int64_t> extent;  // fixed
  std::string symbol;                  // else its name, possibly ""
};

struct ValueInfo {
  std::string name;
  DataType type = DataType::undefined;  // undefined: not a tensor
  std::optional<std::vector<Dimension>> shape;
  std::string other;
};

struct GraphFile {
  std::string name;
  std::vector<Node> nodes;  // in topological order, as the standard demands
  std::vector<Tensor> initialisers;
  std::vector<ValueInfo> inputs, outputs, values;
  std::string other;
};

struct Model {
  std::int64_t ir_version = 0;
  std::string producer, producer_version;
  std::map<std::string, std::int64_t> opsets;  // "" is ONNX's own domain
  std::map<std::string, std::string> metadata;
  GraphFile graph;
  std::string other;
};

// All throw UserError: `where` (the file), the byte, and what is wrong there.
Model parse_model(std::string_view bytes, std::string_view where, const std::filesystem::path& folder = {});
Model read_model(const std::filesystem::path& path);
Tensor parse_tensor(std::string_view bytes,
                    std::string_view where);  // a lone TensorProto, as in ONNX's test data

// The graph comes last, so that a file which was cut off anywhere is seen to be.
std::string encode_model(const Model& model);
std::string encode_tensor(const Tensor& tensor);
void write_model(const std::filesystem::path& path, const Model& model);

}  // namespace dojo::onnx
