#include "onnx/wire.h"

#include <bit>

#include "base/error.h"
#include "base/utf8.h"

namespace dojo::onnx {
namespace {

enum Kind : std::uint32_t { varint_kind = 0, eight_bytes = 1, counted = 2, four_bytes = 5 };

}  // namespace

void WireReader::fail(std::size_t offset, std::string_view what) const {
  refuse(where_, "byte {}: {}", offset, what);
}

std::uint64_t WireReader::varint() {
  const std::size_t start = at_;
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (at_ == message_.size()) fail(offset_ + start, "the file ends, or its message ends, inside a number");
    const auto byte = static_cast<std::uint8_t>(message_[at_++]);
    if (shift == 63 && byte > 1) break;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  fail(offset_ + start, "a number is longer than 64 bits");
}

std::uint64_t WireReader::fixed(unsigned bytes) {
  if (message_.size() - at_ < bytes)
    fail(offset_ + at_, "the file ends, or its message ends, inside a number");
  std::uint64_t value = 0;
  for (unsigned i = 0; i < bytes; ++i)
    value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(message_[at_ + i])) << (8 * i);
  at_ += bytes;
  return value;
}

bool WireReader::next(Field& field) {
  if (at_ == message_.size()) return false;
  const std::size_t start = at_;
  const std::uint64_t tag = varint();
  field = Field{};
  field.number = static_cast<std::uint32_t>(tag >> 3);
  field.kind = static_cast<std::uint32_t>(tag & 7);
  if (tag >> 32 != 0 || field.number == 0) fail(offset_ + start, "not a field of an ONNX message");
  field.offset = offset_ + at_;
  switch (field.kind) {
    case varint_kind:
      field.bits = varint();
      break;
    case eight_bytes:
      field.bits = fixed(8);
      break;
    case four_bytes:
      field.bits = fixed(4);
      break;
    case counted: {
      const std::uint64_t length = varint();
      const std::size_t left = message_.size() - at_;
      if (length > left)
        fail(offset_ + start,
             fmt::format("field {} needs {} bytes, {} are left", field.number, length, left));
      field.offset = offset_ + at_;
      field.payload = message_.substr(at_, length);
      at_ += length;
      break;
    }
    default:
      fail(offset_ + start, fmt::format("not a field of an ONNX message (wire kind {})", field.kind));
  }
  field.encoded = message_.substr(start, at_ - start);
  return true;
}

WireReader WireReader::inside(const Field& field) const {
  require(field, counted);
  return WireReader(field.payload, where_, field.offset);
}

void WireReader::require(const Field& field, std::uint32_t kind) const {
  if (field.kind != kind)
    fail(field.offset,
         fmt::format("field {} has wire kind {} where {} belongs", field.number, field.kind, kind));
}

std::int64_t WireReader::integer(const Field& field) const {
  require(field, varint_kind);
  return static_cast<std::int64_t>(field.bits);
}

float WireReader::single(const Field& field) const {
  require(field, four_bytes);
  return std::bit_cast<float>(static_cast<std::uint32_t>(field.bits));
}

std::string_view WireReader::bytes(const Field& field) const {
  require(field, counted);
  return field.payload;
}

std::string_view WireReader::text(const Field& field) const {
  const std::string_view words = bytes(field);
  if (!is_utf8(words)) fail(field.offset, "a name or text that is not UTF-8");
  return words;
}

void WireReader::append_integers(const Field& field, std::vector<std::int64_t>& values) const {
  if (field.kind != counted) return values.push_back(integer(field));
  WireReader packed = inside(field);
  while (packed.at_ < packed.message_.size()) values.push_back(static_cast<std::int64_t>(packed.varint()));
}

void WireReader::append_singles(const Field& field, std::vector<float>& values) const {
  if (field.kind != counted) return values.push_back(single(field));
  WireReader packed = inside(field);
  while (packed.at_ < packed.message_.size())
    values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(packed.fixed(4))));
}

void WireReader::append_doubles(const Field& field, std::vector<double>& values) const {
  if (field.kind != counted) {
    require(field, eight_bytes);
    return values.push_back(std::bit_cast<double>(field.bits));
  }
  WireReader packed = inside(field);
  while (packed.at_ < packed.message_.size()) values.push_back(std::bit_cast<double>(packed.fixed(8)));
}

void WireWriter::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7f) | 0x80);
  bytes_ += static_cast<char>(value);
}

void WireWriter::integer(std::uint32_t number, std::int64_t value) {
  varint(number << 3 | varint_kind);
  varint(static_cast<std::uint64_t>(value));
}

void WireWriter::single(std::uint32_t number, float value) {
  varint(number << 3 | four_bytes);
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (unsigned i = 0; i < 4; ++i) bytes_ += static_cast<char>(bits >> (8 * i) & 0xff);
}

void WireWriter::bytes(std::uint32_t number, std::string_view value) {
  varint(number << 3 | counted);
  varint(value.size());
  bytes_ += value;
}

void WireWriter::integers(std::uint32_t number, const std::vector<std::int64_t>& values) {
  for (const std::int64_t value : values) integer(number, value);
}

void WireWriter::singles(std::uint32_t number, const std::vector<float>& values) {
  for (const float value : values) single(number, value);
}

}  // namespace dojo::onnx
