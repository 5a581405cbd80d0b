// Protocol Buffers' wire format (protobuf.dev/programming-guides/encoding): bytes to fields and back.
//
// A message is a sequence of fields; a field is a varint `number << 3 | kind` and a payload: kind 0 a varint
// of at most ten bytes, 1 eight bytes, 2 a varint length and as many bytes, 5 four bytes, all little-endian.
// Kinds 3 and 4 (groups) do not occur in ONNX. Every read is checked against the end of its message; a
// violation is a UserError naming the file and the byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dojo::onnx {

struct Field {
  std::uint32_t number = 0;
  std::uint32_t kind = 0;
  std::uint64_t bits = 0;    // kinds 0, 1 and 5
  std::string_view payload;  // kind 2: a view into the file's bytes
  std::string_view encoded;  // the whole field, number included
  std::size_t offset = 0;    // of the payload in the file
};

class WireReader {
public:
  // Reads `message`, which starts at byte `offset` of the file `where`. Keeps views of both.
  WireReader(std::string_view message, std::string_view where, std::size_t offset = 0)
      : message_(message), where_(where), offset_(offset) {}

  bool next(Field& field);                      // false at the end of the message
  WireReader inside(const Field& field) const;  // of a field that holds a message

  // The value of a field, refusing another kind than the one it must have.
  std::int64_t integer(const Field& field) const;
  float single(const Field& field) const;
  std::string_view bytes(const Field& field) const;
  std::string_view text(const Field& field) const;  // the same, which must be UTF-8
  // Appends the values of a repeated number: packed (kind 2) or one at a time.
  void append_integers(const Field& field, std::vector<std::int64_t>& values) const;
  void append_singles(const Field& field, std::vector<float>& values) const;
  void append_doubles(const Field& field, std::vector<double>& values) const;

  [[noreturn]] void fail(std::size_t offset, std::string_view what) const;

private:
  std::uint64_t varint();
  std::uint64_t fixed(unsigned bytes);
  void require(const Field& field, std::uint32_t kind) const;

  std::string_view message_;
  std::string_view where_;
  std::size_t offset_ = 0;  // of message_[0] in the file
  std::size_t at_ = 0;
};

class WireWriter {
public:
  void integer(std::uint32_t number, std::int64_t value);
  void single(std::uint32_t number, float value);
  void bytes(std::uint32_t number, std::string_view value);
  void integers(std::uint32_t number,
                const std::vector<std::int64_t>& values);  // one field each, as ONNX's are
  void singles(std::uint32_t number, const std::vector<float>& values);
  void encoded(std::string_view fields) { bytes_ += fields; }  // fields as a reader kept them

  const std::string& result() const { return bytes_; }

private:
  void varint(std::uint64_t value);

  std::string bytes_;
};

}  // namespace dojo::onnx
