// Arrays as NumPy writes them: one in a .npy file, several by name in an .npz archive or a folder of .npy
// files (numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dojo::data {

enum class Element : std::uint8_t {
  boolean,
  int8,
  uint8,
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uint64,
  float16,
  float32,
  float64
};

std::string_view name(Element element);  // "float32"
std::size_t bytes_of(Element element);

struct Array {
  Element element = Element::float32;
  std::vector<std::int64_t> shape;  // [] is a scalar
  std::vector<std::byte> bytes;     // row-major, little-endian

  std::size_t count() const { return bytes.size() / bytes_of(element); }
};

Array float_array(std::vector<std::int64_t> shape, std::span<const float> values);
// Of booleans and integers. Values are whole; beyond the type they become its nearest number, NaN 0.
Array whole_array(Element element, std::vector<std::int64_t> shape, std::span<const float> values);

// The elements as numbers; float64 and 64-bit integers are rounded to nearest, truth values are 0 and 1.
std::vector<float> floats(const Array& array);

// Versions 1 to 3 of the format, either byte order, C and Fortran order. Refuses (UserError) what holds
// objects, structures, texts, complex numbers or bfloat16, which NumPy writes as two bytes of no meaning.
Array parse_npy(std::span<const std::byte> file, std::string_view where);
std::vector<std::byte> npy_bytes(const Array& array);  // version 1.0

using Arrays = std::map<std::string, Array>;

// By name, without ".npy": of an .npz archive, of every .npy file of a folder, or of one .npy file, whose
// name it is. Refuses what holds none.
Arrays read_arrays(const std::filesystem::path& path);

// An .npz archive as numpy.savez writes it, uncompressed. The same arrays give the same bytes.
void write_npz(const std::filesystem::path& path, const Arrays& arrays);

}  // namespace dojo::data
