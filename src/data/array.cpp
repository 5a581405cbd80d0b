// An .npy file: 0x93 "NUMPY", version (major, minor), length of the header (u16, from version 2 on u32), the
// header as a Python dictionary of three keys, padded with blanks and ended by a newline, then the elements.
#include "data/array.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "data/zip.h"
#include "numerics/format.h"

namespace dojo::data {
namespace {

struct ElementRow {
  Element element;
  std::string_view name, code;  // as the header says it, behind the byte order
  std::size_t bytes;
};
// clang-format off
constexpr ElementRow elements[] = {
  {Element::boolean, "bool",    "b1", 1},
  {Element::int8,    "int8",    "i1", 1},
  {Element::uint8,   "uint8",   "u1", 1},
  {Element::int16,   "int16",   "i2", 2},
  {Element::uint16,  "uint16",  "u2", 2},
  {Element::int32,   "int32",   "i4", 4},
  {Element::uint32,  "uint32",  "u4", 4},
  {Element::int64,   "int64",   "i8", 8},
  {Element::uint64,  "uint64",  "u8", 8},
  {Element::float16, "float16", "f2", 2},
  {Element::float32, "float32", "f4", 4},
  {Element::float64, "float64", "f8", 8},
};
// clang-format on
const ElementRow& row_of(Element element) {
  return *std::ranges::find(elements, element, &ElementRow::element);
}

constexpr std::string_view magic("\x93NUMPY", 6);
constexpr std::int64_t most_elements = std::int64_t{1} << 40;

struct Header {
  std::string description;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
};

// Reads the dictionary: its three keys in any order, each once.
class HeaderText {
public:
  HeaderText(std::string_view text, std::string_view where) : left_(text), where_(where) {}

  Header read() {
    Header header;
    unsigned seen = 0;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      const std::size_t which = key == "descr" ? 1 : key == "fortran_order" ? 2 : key == "shape" ? 4 : 0;
      if (which == 0 || (seen & which) != 0) fail();
      seen |= which;
      if (which == 1) header.description = description();
      if (which == 2) header.fortran_order = truth();
      if (which == 4) header.shape = numbers();
      if (!accept(',') && (skip(), !left_.starts_with('}'))) fail();
    }
    if (skip(), seen != 7 || !left_.empty()) fail();
    return header;
  }

private:
  [[noreturn]] void fail() const { refuse(where_, "its header is none of a NumPy array"); }
  void skip() { left_.remove_prefix(std::min(left_.size(), left_.find_first_not_of(" \n\t"))); }
  bool accept(char c) {
    skip();
    if (!left_.starts_with(c)) return false;
    left_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail();
  }
  bool accept(std::string_view word) {
    skip();
    if (!left_.starts_with(word)) return false;
    left_.remove_prefix(word.size());
    return true;
  }

  std::string quoted() {
    const char mark = accept('\'') ? '\'' : '"';
    if (mark == '"') expect('"');
    const std::size_t end = left_.find(mark);
    if (end == std::string_view::npos) fail();
    std::string text(left_.substr(0, end));
    left_.remove_prefix(end + 1);
    return text;
  }
  // A list describes a structure: fields with names.
  std::string description() {
    skip();
    if (left_.starts_with('['))
      throw UserError(where_, "it holds structures, which are no numbers", Refusal::unsupported);
    return quoted();
  }
  bool truth() {
    if (accept("True")) return true;
    if (!accept("False")) fail();
    return false;
  }
  std::vector<std::int64_t> numbers() {
    std::vector<std::int64_t> shape;
    expect('(');
    while (!accept(')')) {
      skip();
      std::int64_t number = -1;
      const auto [end, error] = std::from_chars(left_.data(), left_.data() + left_.size(), number);
      if (error != std::errc{} || number < 0) fail();
      left_.remove_prefix(static_cast<std::size_t>(end - left_.data()));
      accept('L');  // Python 2 wrote long integers so
      shape.push_back(number);
      if (!accept(',') && (skip(), !left_.starts_with(')'))) fail();
    }
    return shape;
  }

  std::string_view left_, where_;
};

const ElementRow& element_of(std::string_view description, std::string_view where) {
  const std::string_view code = description.empty() ? description : description.substr(1);
  const auto* const row = std::ranges::find(elements, code, &ElementRow::code);
  if (row != std::end(elements) && std::string_view("<>=|").contains(description[0])) return *row;
  if (description.starts_with('|') && code == "V2")
    throw UserError(
        where,
        "it holds two bytes an element of no said meaning, as NumPy writes bfloat16: save it as float32",
        Refusal::unsupported);
  throw UserError(where,
                  fmt::format("it holds elements of kind '{}', which are no real numbers", description),
                  Refusal::unsupported);
}

// From column-major to row-major order.
std::vector<std::byte> transposed(const std::vector<std::byte>& from, const std::vector<std::int64_t>& shape,
                                  std::size_t size) {
  std::vector<std::byte> to(from.size());
  std::vector<std::int64_t> at(shape.size());
  for (std::size_t i = 0; i < from.size(); i += size) {
    std::size_t place = 0;
    for (std::size_t d = 0; d < shape.size(); ++d)
      place = place * static_cast<std::size_t>(shape[d]) + static_cast<std::size_t>(at[d]);
    std::memcpy(to.data() + place * size, from.data() + i, size);
    for (std::size_t d = 0; d < shape.size() && ++at[d] == shape[d]; ++d) at[d] = 0;
  }
  return to;
}

template <typename Stored>
void append_floats(const Array& array, std::vector<float>& values) {
  for (std::size_t i = 0; i < array.count(); ++i) {
    Stored stored;
    std::memcpy(&stored, array.bytes.data() + i * sizeof stored, sizeof stored);
    values.push_back(static_cast<float>(stored));
  }
}

std::string stem_of(std::string_view name) {
  return std::string(name.ends_with(".npy") ? name.substr(0, name.size() - 4) : name);
}

}  // namespace

std::string_view name(Element element) { return row_of(element).name; }
std::size_t bytes_of(Element element) { return row_of(element).bytes; }

namespace {

template <typename Integer>
void put_all(std::span<const float> values, std::vector<std::byte>& bytes) {
  // Of 32 and 64 bits the largest number is no FP32 number, but the next one is.
  const auto least = static_cast<float>(std::numeric_limits<Integer>::min());
  const auto beyond = std::ldexp(1.0f, std::numeric_limits<Integer>::digits);
  for (const float value : values) {
    Integer number = 0;
    if (value >= beyond)
      number = std::numeric_limits<Integer>::max();
    else if (value <= least)
      number = std::numeric_limits<Integer>::min();
    else if (value == value)
      number = static_cast<Integer>(value);
    const auto* raw = reinterpret_cast<const std::byte*>(&number);
    bytes.insert(bytes.end(), raw, raw + sizeof number);
  }
}

}  // namespace

Array whole_array(Element element, std::vector<std::int64_t> shape, std::span<const float> values) {
  Array array{element, std::move(shape), {}};
  switch (element) {
      // clang-format off
    case Element::boolean:
    case Element::uint8:  put_all<std::uint8_t>(values, array.bytes); break;
    case Element::int8:   put_all<std::int8_t>(values, array.bytes); break;
    case Element::int16:  put_all<std::int16_t>(values, array.bytes); break;
    case Element::uint16: put_all<std::uint16_t>(values, array.bytes); break;
    case Element::int32:  put_all<std::int32_t>(values, array.bytes); break;
    case Element::uint32: put_all<std::uint32_t>(values, array.bytes); break;
    case Element::int64:  put_all<std::int64_t>(values, array.bytes); break;
    case Element::uint64: put_all<std::uint64_t>(values, array.bytes); break;
    default: DOJO_ENSURE(!"a type of whole numbers");
      // clang-format on
  }
  return array;
}

Array float_array(std::vector<std::int64_t> shape, std::span<const float> values) {
  const auto bytes = std::as_bytes(values);
  return {Element::float32, std::move(shape), {bytes.begin(), bytes.end()}};
}

std::vector<float> floats(const Array& array) {
  std::vector<float> values;
  values.reserve(array.count());
  switch (array.element) {
    case Element::boolean:
      append_floats<std::uint8_t>(array, values);
      break;
    case Element::int8:
      append_floats<std::int8_t>(array, values);
      break;
    case Element::uint8:
      append_floats<std::uint8_t>(array, values);
      break;
    case Element::int16:
      append_floats<std::int16_t>(array, values);
      break;
    case Element::uint16:
      append_floats<std::uint16_t>(array, values);
      break;
    case Element::int32:
      append_floats<std::int32_t>(array, values);
      break;
    case Element::uint32:
      append_floats<std::uint32_t>(array, values);
      break;
    case Element::int64:
      append_floats<std::int64_t>(array, values);
      break;
    case Element::uint64:
      append_floats<std::uint64_t>(array, values);
      break;
    case Element::float32:
      append_floats<float>(array, values);
      break;
    case Element::float64:
      append_floats<double>(array, values);
      break;
    case Element::float16:
      for (std::size_t i = 0; i < array.count(); ++i) {
        std::uint16_t code;
        std::memcpy(&code, array.bytes.data() + 2 * i, 2);
        values.push_back(numerics::widen(code, numerics::fp16));
      }
  }
  return values;
}

Array parse_npy(std::span<const std::byte> file, std::string_view where) {
  const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(file[i]); };
  if (file.size() < 10 || std::memcmp(file.data(), magic.data(), magic.size()) != 0)
    refuse(where, "it is no NumPy array");
  const std::size_t version = byte(6), before = version == 1 ? 10 : 12;
  if (version < 1 || version > 3)
    throw UserError(where, fmt::format("NumPy array of version {}", version), Refusal::unsupported);
  if (file.size() < before) refuse(where, "it ends within its header");
  std::size_t length = byte(8) + 256 * byte(9);
  if (version > 1) length += (byte(10) << 16) + (byte(11) << 24);
  if (length > file.size() - before) refuse(where, "it ends within its header");
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + before, length);
  const Header header = HeaderText(text, where).read();

  const ElementRow& row = element_of(header.description, where);
  std::int64_t count = 1;
  for (const std::int64_t extent : header.shape) {
    if (extent > 0 && count > most_elements / extent) refuse(where, "it says to hold more than memory does");
    count *= extent;
  }
  const auto data = file.subspan(before + length);
  const std::size_t wanted = static_cast<std::size_t>(count) * row.bytes;
  if (data.size() < wanted) refuse(where, "it ends after {} of {} bytes of elements", data.size(), wanted);

  Array array{row.element, header.shape, {data.begin(), data.begin() + static_cast<std::ptrdiff_t>(wanted)}};
  if (header.description[0] == '>') {
    for (std::size_t i = 0; i < wanted; i += row.bytes)
      std::reverse(array.bytes.begin() + static_cast<std::ptrdiff_t>(i),
                   array.bytes.begin() + static_cast<std::ptrdiff_t>(i + row.bytes));
  }
  if (header.fortran_order && header.shape.size() > 1)
    array.bytes = transposed(array.bytes, array.shape, row.bytes);
  return array;
}

std::vector<std::byte> npy_bytes(const Array& array) {
  std::string shape;
  for (const std::int64_t extent : array.shape)
    shape += fmt::format("{}{},", shape.empty() ? "" : " ", extent);
  if (array.shape.size() > 1) shape.pop_back();
  const ElementRow& row = row_of(array.element);
  std::string header = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}), }}",
                                   row.bytes == 1 ? '|' : '<', row.code, shape);
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::vector<std::byte> file(10 + header.size() + array.bytes.size());
  std::memcpy(file.data(), magic.data(), magic.size());
  file[6] = std::byte{1};
  file[8] = static_cast<std::byte>(header.size() & 0xff);
  file[9] = static_cast<std::byte>(header.size() >> 8);
  std::memcpy(file.data() + 10, header.data(), header.size());
  std::ranges::copy(array.bytes, file.begin() + static_cast<std::ptrdiff_t>(10 + header.size()));
  return file;
}

Arrays read_arrays(const std::filesystem::path& path) {
  Arrays arrays;
  const auto add = [&](const std::string& member, std::span<const std::byte> bytes,
                       const std::string& where) {
    if (!arrays.emplace(stem_of(member), parse_npy(bytes, where)).second)
      refuse(where, "two arrays bear one name");
  };
  if (std::filesystem::is_directory(path)) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(path))
      if (entry.path().extension() == ".npy") files.push_back(entry.path());
    std::ranges::sort(files);
    for (const auto& file : files) add(file.filename().string(), read_file(file), file.string());
  } else if (const std::vector<std::byte> file = read_file(path); is_zip(file)) {
    for (const ZipMember& member : read_zip(file, path.string()))
      if (member.name.ends_with(".npy"))
        add(member.name, member.bytes, fmt::format("{}: {}", path.string(), member.name));
  } else {
    add(path.filename().string(), file, path.string());
  }
  if (arrays.empty()) refuse(path.string(), "no .npy array in it");
  return arrays;
}

void write_npz(const std::filesystem::path& path, const Arrays& arrays) {
  std::vector<ZipMember> members;
  for (const auto& [name, array] : arrays) members.push_back({name + ".npy", npy_bytes(array)});
  write_file(path, zip_bytes(members));
}

}  // namespace dojo::data
