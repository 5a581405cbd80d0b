// What an ONNX tensor holds: element types, counts and conversions.
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "onnx/file.h"
#include "onnx/narrow.h"

namespace dojo::onnx {
namespace {

template <typename Element>
Element element(const Tensor& tensor, std::size_t index) {
  Element value;
  std::memcpy(&value, tensor.data.data() + index * sizeof(Element), sizeof(Element));
  return value;
}

// Codes of at most 16 bits.
std::vector<std::uint32_t> codes_of(const Tensor& tensor) {
  const unsigned bits = bits_of(tensor.type);
  std::vector<std::uint32_t> codes(static_cast<std::size_t>(tensor.elements()));
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::size_t at = i * bits / 8;
    std::uint32_t code = static_cast<std::uint8_t>(tensor.data[at]);
    if (bits == 16) code |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(tensor.data[at + 1])) << 8;
    if (bits < 8) code = code >> (i * bits % 8) & ((1u << bits) - 1);
    codes[i] = code;
  }
  return codes;
}

template <typename Result>
std::vector<Result> convert_packed(const Tensor& tensor) {
  const unsigned bits = bits_of(tensor.type);
  const bool is_signed = tensor.type == DataType::int4 || tensor.type == DataType::int2;
  std::vector<Result> values;
  for (const std::uint32_t code : codes_of(tensor)) {
    const bool negative = is_signed && (code >> (bits - 1)) != 0;
    values.push_back(static_cast<Result>(static_cast<int>(code) - (negative ? 1 << bits : 0)));
  }
  return values;
}

template <typename Result, typename Element>
std::vector<Result> convert(const Tensor& tensor) {
  std::vector<Result> values(tensor.data.size() / sizeof(Element));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<Result>(element<Element>(tensor, i));
  return values;
}

template <typename Result>
std::optional<std::vector<Result>> convert_integers(const Tensor& tensor) {
  switch (tensor.type) {
    case DataType::uint8:
    case DataType::boolean:
      return convert<Result, std::uint8_t>(tensor);
    case DataType::int8:
      return convert<Result, std::int8_t>(tensor);
    case DataType::uint16:
      return convert<Result, std::uint16_t>(tensor);
    case DataType::int16:
      return convert<Result, std::int16_t>(tensor);
    case DataType::int32:
      return convert<Result, std::int32_t>(tensor);
    case DataType::int64:
      return convert<Result, std::int64_t>(tensor);
    case DataType::uint32:
      return convert<Result, std::uint32_t>(tensor);
    case DataType::uint64:
      return convert<Result, std::uint64_t>(tensor);
    case DataType::uint4:
    case DataType::int4:
    case DataType::uint2:
    case DataType::int2:
      return convert_packed<Result>(tensor);
    default:
      return std::nullopt;
  }
}

template <typename Element>
Tensor from_values(std::string name, DataType type, std::vector<std::int64_t> dims,
                   std::span<const Element> values) {
  Tensor tensor;
  tensor.name = std::move(name);
  tensor.type = type;
  tensor.dims = std::move(dims);
  tensor.data.assign(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  DOJO_ENSURE(tensor.elements() == static_cast<std::int64_t>(values.size()));
  return tensor;
}

[[noreturn]] void refuse_type(const Tensor& tensor, std::string_view where) {
  throw UserError(where,
                  fmt::format("tensor '{}' holds {}; floating-point numbers of 4 to 64 bits and whole "
                              "numbers of 2 to 64 are read",
                              tensor.name, data_type_name(tensor.type)),
                  Refusal::unsupported);
}

}  // namespace

std::string data_type_name(DataType type) {
  static constexpr const char* names[] = {
      "undefined",      "float32",  "uint8",        "int8",           "uint16",
      "int16",          "int32",    "int64",        "string",         "boolean",
      "float16",        "float64",  "uint32",       "uint64",         "complex64",
      "complex128",     "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2",
      "float8e5m2fnuz", "uint4",    "int4",         "float4e2m1",     "float8e8m0",
      "uint2",          "int2"};
  const auto index = static_cast<std::int32_t>(type);
  if (index < 0 || index >= static_cast<std::int32_t>(std::size(names))) return fmt::format("type {}", index);
  return names[index];
}

std::int64_t Tensor::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t extent : dims) count *= extent;
  return count;
}

Tensor make_tensor(std::string name, std::vector<std::int64_t> dims, std::span<const float> values) {
  return from_values(std::move(name), DataType::float32, std::move(dims), values);
}

Tensor make_tensor(std::string name, std::vector<std::int64_t> dims, std::span<const std::int64_t> values) {
  return from_values(std::move(name), DataType::int64, std::move(dims), values);
}

bool is_floating(DataType type) {
  return type == DataType::float32 || type == DataType::float64 || narrow_type(type) != nullptr;
}

unsigned bits_of(DataType type) {
  switch (type) {
    case DataType::uint2:
    case DataType::int2:
      return 2;
    case DataType::uint4:
    case DataType::int4:
    case DataType::float4e2m1:
      return 4;
    case DataType::uint8:
    case DataType::int8:
    case DataType::boolean:
    case DataType::float8e4m3fn:
    case DataType::float8e4m3fnuz:
    case DataType::float8e5m2:
    case DataType::float8e5m2fnuz:
    case DataType::float8e8m0:
      return 8;
    case DataType::uint16:
    case DataType::int16:
    case DataType::float16:
    case DataType::bfloat16:
      return 16;
    case DataType::float32:
    case DataType::int32:
    case DataType::uint32:
      return 32;
    case DataType::float64:
    case DataType::int64:
    case DataType::uint64:
    case DataType::complex64:
      return 64;
    case DataType::complex128:
      return 128;
    default:
      return 0;
  }
}

std::vector<float> to_floats(const Tensor& tensor, std::string_view where) {
  switch (tensor.type) {
    case DataType::float32:
      return convert<float, float>(tensor);
    case DataType::float64:
      return convert<float, double>(tensor);
    default:
      break;
  }
  if (const NarrowType* narrow = narrow_type(tensor.type)) {
    std::vector<float> values;
    for (const std::uint32_t code : codes_of(tensor)) values.push_back(value_of(code, *narrow));
    return values;
  }
  if (auto values = convert_integers<float>(tensor)) return std::move(*values);
  refuse_type(tensor, where);
}

std::vector<std::int64_t> to_integers(const Tensor& tensor, std::string_view where) {
  if (auto values = convert_integers<std::int64_t>(tensor)) return std::move(*values);
  refuse_type(tensor, where);
}

}  // namespace dojo::onnx
