// Layout: 'A', then subsections { u32 length; vendor, NUL; sub-subsections { u8 tag; u32 length; attributes }
// }, lengths counting themselves and what stands before them in their part. An attribute is a ULEB128 tag and
// a value: a text with NUL if the tag is odd, a ULEB128 number if it is even. Tag 1 of a sub-subsection: the
// whole file. Tag 5 of vendor "riscv": the architecture string.
#include "toolchain/attributes.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/error.h"

namespace dojo::toolchain {

namespace {

constexpr std::uint64_t whole_file = 1, architecture_tag = 5;

// Bytes that are taken off the front, never beyond the end.
class Bytes {
public:
  Bytes(std::string_view rest, std::string_view where) : rest_(rest), where_(where) {}

  bool empty() const { return rest_.empty(); }
  std::string_view take(std::size_t count) {
    if (count > rest_.size()) refuse(where_, "has a damaged .riscv.attributes section");
    const std::string_view front = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return front;
  }
  std::uint32_t word() {
    std::uint32_t value = 0;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view text() {
    const std::string_view front = take(std::min(rest_.find('\0'), rest_.size()));
    take(1);
    return front;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      if (shift < 64) value |= std::uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0) return value;
    }
  }
  // The part that begins with `before` bytes already taken and a length that counts them and itself.
  Bytes part(std::size_t before) {
    const std::size_t length = word();
    if (length < before + sizeof(std::uint32_t)) take(rest_.size() + 1);
    return {take(length - before - sizeof(std::uint32_t)), where_};
  }

private:
  std::string_view rest_, where_;
};

std::uint64_t of_attributes(Bytes attributes) {
  std::uint64_t bits = 0;
  while (!attributes.empty()) {
    const std::uint64_t tag = attributes.number();
    if (tag % 2 == 0) {
      attributes.number();
      continue;
    }
    const std::string_view text = attributes.text();
    if (tag == architecture_tag) bits = std::max(bits, promised_vlen_bits(text));
  }
  return bits;
}

}  // namespace

std::uint64_t promised_vlen_bits(std::span<const std::byte> section, std::string_view where) {
  Bytes bytes({reinterpret_cast<const char*>(section.data()), section.size()}, where);
  std::uint64_t bits = 0;
  if (bytes.empty() || bytes.take(1) != "A") return bits;  // of a format that nobody has defined yet
  while (!bytes.empty()) {
    Bytes vendor = bytes.part(0);
    if (vendor.text() != "riscv") continue;
    while (!vendor.empty()) {
      const std::uint64_t tag = vendor.number();
      const Bytes attributes = vendor.part(1);
      if (tag == whole_file) bits = std::max(bits, of_attributes(attributes));
    }
  }
  return bits;
}

std::uint64_t promised_vlen_bits(std::string_view architecture) {
  constexpr std::string_view extension = "_zvl";
  std::uint64_t most = 0;
  for (std::size_t at = 0; (at = architecture.find(extension, at)) != std::string_view::npos;) {
    at += extension.size();
    std::uint64_t bits = 0;
    const char* const end = architecture.data() + architecture.size();
    const auto [rest, error] = std::from_chars(architecture.data() + at, end, bits);
    if (error == std::errc{} && rest != end && *rest == 'b') most = std::max(most, bits);
  }
  return most;
}

}  // namespace dojo::toolchain
