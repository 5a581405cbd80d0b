// An archive ends with its end record, which leads to the directory: one entry a member, which leads to the
// member's own header and data. 64-bit sizes stand in an extra field of the entry where 32 bits are all ones.
#include "data/zip.h"

#include <zlib.h>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>

#include "base/error.h"

namespace dojo::data {
namespace {

constexpr std::uint32_t local_mark = 0x04034b50, entry_mark = 0x02014b50, end_mark = 0x06054b50;
constexpr std::uint32_t end64_mark = 0x06064b50, locator_mark = 0x07064b50;
constexpr std::size_t local_bytes = 30, entry_bytes = 46, end_bytes = 22, locator_bytes = 20;
constexpr std::size_t longest_comment = 0xffff;
constexpr std::uint32_t all_ones = 0xffffffff;
constexpr std::uint16_t encrypted_flag = 1, stored = 0, deflated = 8;
constexpr std::uint64_t most_times = 1032;  // deflate packs no tighter (zlib.net/zlib_tech.html)

std::uint32_t checksum(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

class Archive {
public:
  Archive(std::span<const std::byte> file, std::string_view where) : file_(file), where_(where) {}

  std::vector<ZipMember> read() {
    find_directory();
    std::vector<ZipMember> members;
    for (std::uint64_t i = 0, at = directory_; i < count_; ++i) at = read_entry(at, members);
    return members;
  }

private:
  [[noreturn]] void fail(std::string_view what) const { throw UserError(where_, what); }

  template <typename Number = std::uint32_t>
  Number number(std::uint64_t at) const {
    if (at > file_.size() || file_.size() - at < sizeof(Number)) fail("the archive ends too early");
    Number value = 0;
    for (std::size_t i = sizeof(Number); i-- > 0;)
      value = static_cast<Number>(std::uint64_t{value} << 8 | std::to_integer<std::uint64_t>(file_[at + i]));
    return value;
  }

  void find_directory() {
    const std::size_t least =
        file_.size() < end_bytes + longest_comment ? 0 : file_.size() - end_bytes - longest_comment;
    for (std::size_t at = file_.size() < end_bytes ? 0 : file_.size() - end_bytes + 1; at-- > least;) {
      if (number(at) != end_mark) continue;
      count_ = number<std::uint16_t>(at + 10);
      directory_ = number(at + 16);
      if (at >= locator_bytes && number(at - locator_bytes) == locator_mark) {
        const auto end64 = number<std::uint64_t>(at - locator_bytes + 8);
        if (number(end64) != end64_mark) fail("the archive's directory is damaged");
        count_ = number<std::uint64_t>(end64 + 32);
        directory_ = number<std::uint64_t>(end64 + 48);
      }
      return;
    }
    fail("the archive has lost its end, where its directory is");
  }

  // Returns where the next entry is.
  std::uint64_t read_entry(std::uint64_t at, std::vector<ZipMember>& members) const {
    if (number(at) != entry_mark) fail("the archive's directory is damaged");
    const auto flags = number<std::uint16_t>(at + 8), method = number<std::uint16_t>(at + 10);
    const auto name_length = number<std::uint16_t>(at + 28), extra_length = number<std::uint16_t>(at + 30);
    const auto comment_length = number<std::uint16_t>(at + 32);
    const std::uint64_t next = at + entry_bytes + name_length + extra_length + comment_length;
    if (next > file_.size()) fail("the archive ends too early");
    std::uint64_t packed = number(at + 20), size = number(at + 24), local = number(at + 42);
    widen(at + entry_bytes + name_length, extra_length, size, packed, local);

    ZipMember member{std::string(reinterpret_cast<const char*>(file_.data()) + at + entry_bytes, name_length),
                     {}};
    if (member.name.ends_with('/')) return next;  // a folder
    const auto refused = [&](std::string_view what) { fail(fmt::format("{}: {}", member.name, what)); };
    if ((flags & encrypted_flag) != 0) refused("it is encrypted");
    if (method != stored && method != deflated) refused(fmt::format("it is packed by method {}", method));
    if (number(local) != local_mark) refused("it is not where the directory says");
    const std::uint64_t data =
        local + local_bytes + number<std::uint16_t>(local + 26) + number<std::uint16_t>(local + 28);
    if (data > file_.size() || packed > file_.size() - data) refused("it goes beyond the archive's end");
    if (method == stored ? size != packed : size > packed * most_times) refused("its sizes cannot be");
    member.bytes = unpacked(file_.subspan(data, packed), size, method);
    if (member.bytes.size() != size || checksum(member.bytes) != number(at + 16))
      refused("its data is damaged");
    members.push_back(std::move(member));
    return next;
  }

  void widen(std::uint64_t at, std::size_t length, std::uint64_t& size, std::uint64_t& packed,
             std::uint64_t& local) const {
    for (std::uint64_t end = at + length; at + 4 <= end;) {
      const auto id = number<std::uint16_t>(at), bytes = number<std::uint16_t>(at + 2);
      std::uint64_t from = at + 4;
      at = from + bytes;
      if (id != 1) continue;
      for (std::uint64_t* value : {&size, &packed, &local}) {
        if (*value != all_ones || from + 8 > at) continue;
        *value = number<std::uint64_t>(from);
        from += 8;
      }
    }
  }

  // Empty or short if the data is damaged.
  static std::vector<std::byte> unpacked(std::span<const std::byte> packed, std::uint64_t size,
                                         unsigned method) {
    if (method == stored) return {packed.begin(), packed.end()};
    std::vector<std::byte> bytes(size);
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return {};
    std::size_t read = 0, written = 0;
    constexpr std::size_t piece = 1u << 30;  // zlib counts in 32 bits
    int status = Z_OK;
    while (status == Z_OK) {
      const std::size_t in = std::min(piece, packed.size() - read),
                        out = std::min(piece, bytes.size() - written);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data() + read));
      stream.avail_in = static_cast<uInt>(in);
      stream.next_out = reinterpret_cast<Bytef*>(bytes.data() + written);
      stream.avail_out = static_cast<uInt>(out);
      status = inflate(&stream, Z_NO_FLUSH);
      read += in - stream.avail_in;
      written += out - stream.avail_out;
    }
    inflateEnd(&stream);
    if (status != Z_STREAM_END) return {};
    bytes.resize(written);
    return bytes;
  }

  std::span<const std::byte> file_;
  std::string_view where_;
  std::uint64_t count_ = 0, directory_ = 0;
};

class Bytes {
public:
  template <std::integral Number>
  Bytes& add(Number value) {
    for (std::size_t i = 0; i < sizeof value; ++i)
      bytes.push_back(static_cast<std::byte>(static_cast<std::uint64_t>(value) >> 8 * i & 0xff));
    return *this;
  }
  Bytes& add(std::string_view text) {
    for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
    return *this;
  }

  std::vector<std::byte> bytes;
};

}  // namespace

bool is_zip(std::span<const std::byte> file) {
  return file.size() >= 4 && file[0] == std::byte{'P'} && file[1] == std::byte{'K'} &&
         (file[2] == std::byte{3} || file[2] == std::byte{5});
}

std::vector<ZipMember> read_zip(std::span<const std::byte> file, std::string_view where) {
  return Archive(file, where).read();
}

std::vector<std::byte> zip_bytes(std::span<const ZipMember> members) {
  constexpr std::uint16_t version = 20, no_flags = 0, midnight = 0, first_day = 1 << 5 | 1;
  Bytes archive, directory;
  for (const ZipMember& member : members) {
    if (member.bytes.size() >= all_ones || archive.bytes.size() >= all_ones - member.bytes.size())
      throw UserError(member.name, "an archive of 4 GB and more", Refusal::unsupported);
    const auto at = static_cast<std::uint32_t>(archive.bytes.size());
    Bytes facts;  // what header and entry have in common
    facts.add(version).add(no_flags).add(stored).add(midnight).add(first_day).add(checksum(member.bytes));
    facts.add(static_cast<std::uint32_t>(member.bytes.size()))
        .add(static_cast<std::uint32_t>(member.bytes.size()));
    facts.add(static_cast<std::uint16_t>(member.name.size())).add(std::uint16_t{0});
    archive.add(local_mark);
    archive.bytes.insert(archive.bytes.end(), facts.bytes.begin(), facts.bytes.end());
    archive.add(member.name);
    archive.bytes.insert(archive.bytes.end(), member.bytes.begin(), member.bytes.end());
    directory.add(entry_mark).add(version);
    directory.bytes.insert(directory.bytes.end(), facts.bytes.begin(), facts.bytes.end());
    directory.add(std::uint16_t{0}).add(std::uint16_t{0}).add(std::uint16_t{0}).add(std::uint32_t{0}).add(at);
    directory.add(member.name);
  }
  const auto at = static_cast<std::uint32_t>(archive.bytes.size());
  archive.bytes.insert(archive.bytes.end(), directory.bytes.begin(), directory.bytes.end());
  const auto count = static_cast<std::uint16_t>(members.size());
  archive.add(end_mark).add(std::uint32_t{0}).add(count).add(count);
  archive.add(static_cast<std::uint32_t>(directory.bytes.size())).add(at).add(std::uint16_t{0});
  return std::move(archive.bytes);
}

}  // namespace dojo::data
