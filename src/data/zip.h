// ZIP archives (PKWARE's APPNOTE 6.3.10): what NumPy, and others, pack files into.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dojo::data {

struct ZipMember {
  std::string name;
  std::vector<std::byte> bytes;  // unpacked, its checksum right
};

bool is_zip(std::span<const std::byte> file);  // begins as one does

// All members that are files, in the order of the archive's directory. Stored and deflated ones, with 64-bit
// sizes or without. Refuses (UserError, naming the member) what is cut, damaged, encrypted or packed
// otherwise.
std::vector<ZipMember> read_zip(std::span<const std::byte> file, std::string_view where);

// Members stored as they are, dated 1980-01-01, so that equal members give equal bytes. At most 4 GB each and
// in all.
std::vector<std::byte> zip_bytes(std::span<const ZipMember> members);

}  // namespace dojo::data
