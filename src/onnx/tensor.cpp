// What an ONNX tensor holds: element types, counts and conversions.
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "onnx/file.h"

namespace dojo::onnx {
namespace {

template <typename Element>
Element element(const Tensor& tensor, std::size_t index) {
  Element value;
  std::memcpy(&value, tensor.data.data() + index * sizeof(Element), sizeof(Element));
  return value;
}

float from_half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  const float sign = (bits & 0x8000) != 0 ? -1.0f : 1.0f;
  if (exponent == 31)
    return fraction != 0 ? std::numeric_limits<float>::quiet_NaN()
                         : sign * std::numeric_limits<float>::infinity();
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
}

float from_bfloat(std::uint16_t bits) {
  const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
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
    default:
      return std::nullopt;
  }
}

std::vector<float> convert_halves(const Tensor& tensor, float (*widen)(std::uint16_t)) {
  std::vector<float> values(tensor.data.size() / 2);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = widen(element<std::uint16_t>(tensor, i));
  return values;
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
  throw UserError(
      where,
      fmt::format("tensor '{}' holds {}; floating-point numbers of 16 to 64 bits and whole numbers "
                  "of 8 to 64 are read",
                  tensor.name, data_type_name(tensor.type)),
      Refusal::unsupported);
}

}  // namespace

std::string data_type_name(DataType type) {
  static constexpr const char* names[] = {
      "undefined",      "float32",    "uint8",          "int8",       "uint16",   "int16",
      "int32",          "int64",      "string",         "boolean",    "float16",  "float64",
      "uint32",         "uint64",     "complex64",      "complex128", "bfloat16", "float8e4m3fn",
      "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4",      "int4",     "float4e2m1"};
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
  return type == DataType::float32 || type == DataType::float64 || type == DataType::float16 ||
         type == DataType::bfloat16;
}

std::vector<float> to_floats(const Tensor& tensor, std::string_view where) {
  switch (tensor.type) {
    case DataType::float32:
      return convert<float, float>(tensor);
    case DataType::float64:
      return convert<float, double>(tensor);
    case DataType::float16:
      return convert_halves(tensor, from_half);
    case DataType::bfloat16:
      return convert_halves(tensor, from_bfloat);
    default:
      break;
  }
  if (auto values = convert_integers<float>(tensor)) return std::move(*values);
  refuse_type(tensor, where);
}

std::vector<std::int64_t> to_integers(const Tensor& tensor, std::string_view where) {
  if (auto values = convert_integers<std::int64_t>(tensor)) return std::move(*values);
  refuse_type(tensor, where);
}

}  // namespace dojo::onnx
