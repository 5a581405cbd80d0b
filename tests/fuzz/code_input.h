// How an input of instruction_fuzz and translate_fuzz is read: a hart's state in a few bytes, then code.
//
// Byte 0: VLEN (bits 1:0), frm (4:2), vxrm (6:5). Bytes 1 and 2: what the registers' contents are drawn from.
// Bytes 3 and 4: bits 15:0 of vtype; byte 5: its tm. Byte 6: vl, from 128 on as many as there are.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "isa/vector_config.h"
#include "put_instruction.h"

namespace dojo::fuzz {

constexpr std::size_t input_header_bytes = 7;

// Eight bytes whose floats are zeros, NaNs and ordinary numbers.
inline std::uint64_t any_contents(Numbers& numbers) {
  switch (numbers.below(8)) {
    case 0:
      return 0;
    case 1:
      return ~std::uint64_t{0};
    default:
      return numbers.next();
  }
}

// A hart that begins at the first byte of its memory. Its registers lie near memory more often than not, so
// that accesses meet its edges.
inline void begin_as(isa::Hart& hart, const std::uint8_t* header, const isa::Memory& memory) {
  constexpr std::array vlens = {128u, 256u, 512u, 1024u};
  constexpr std::uint64_t plain = 0xff, tiles = 0x3f00, widens = 0x600;
  Numbers numbers(header[1] | header[2] << 8);
  hart.vlen_bits = vlens[header[0] & 3];
  hart.frm = header[0] >> 2 & 7;
  hart.vxrm = header[0] >> 5 & 3;
  hart.memory = memory;
  hart.pc = memory.base;
  for (unsigned i = 1; i < 32; ++i)
    hart.x[i] = numbers.below(4) == 0 ? numbers.next() : memory.base + numbers.below(memory.size + 64) - 32;
  for (auto& f : hart.f) f = any_contents(numbers) | (numbers.below(2) != 0 ? 0xffffffff00000000u : 0);
  const auto fill = [&](auto& bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += 8) {
      const std::uint64_t contents = any_contents(numbers);
      std::memcpy(bytes.data() + at, &contents, sizeof contents);
    }
  };
  fill(hart.v);
  fill(hart.tiles);

  const std::uint64_t vtype = header[3] | header[4] << 8;
  const std::uint64_t tm = header[5] % (isa::tile_edge + 1);
  isa::set_vtype(hart, (vtype & widens) == 0 ? vtype & plain : (vtype & (plain | tiles)) | tm << 16);
  const std::uint64_t limit = isa::vector_length_limit(hart);
  hart.vl = header[6] < 128 ? std::min<std::uint64_t>(header[6], limit) : limit;
}

// A matrix configuration, and at the front an instruction for it whose operands lie where they may: too many
// things have to fit to be met by chance.
inline std::size_t put_matrix_instruction(std::uint8_t* data, std::size_t size, Numbers& numbers) {
  constexpr unsigned widen_log2_of_steps[] = {2, 1, 0, 0};
  const auto sew_log2 = static_cast<unsigned>(numbers.below(4));
  const auto widen_log2 =
      static_cast<unsigned>(numbers.below(4) == 0 ? numbers.below(3) : widen_log2_of_steps[sew_log2]);
  const std::uint64_t alternate = sew_log2 == 1 ? numbers.below(2) : 0;
  const std::uint64_t tk = 1 + numbers.below(std::uint64_t{1} << widen_log2);
  const std::uint64_t vtype = sew_log2 << 3 | alternate << 8 | (widen_log2 + 1) << 9 | tk << 11;
  data[3] = static_cast<std::uint8_t>(vtype);
  data[4] = static_cast<std::uint8_t>(vtype >> 8);
  data[5] = static_cast<std::uint8_t>(numbers.below(isa::tile_edge + 1));
  data[6] = static_cast<std::uint8_t>(numbers.below(isa::tile_edge + 2));

  constexpr std::uint32_t misplaced = 7u << 15 | 7u << 20 | 3u << 8;
  static const auto rows = [] {
    std::vector<const isa::Row*> found;
    for (const isa::Row* row : isa::all_rows())
      if (row->unit == isa::Unit::matrix || row->extension == "XSfmm") found.push_back(row);
    return found;
  }();
  const isa::Row& row = *rows[numbers.below(rows.size())];
  const std::uint32_t operands = static_cast<std::uint32_t>(numbers.next() >> 24) & ~misplaced;
  const std::uint32_t word = row.match | (operands & ~row.mask);
  std::uint8_t* code = data + input_header_bytes;
  std::memmove(code + sizeof word, code, size - input_header_bytes);
  std::memcpy(code, &word, sizeof word);
  return size + sizeof word;
}

inline std::size_t mutate_input(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  Numbers numbers(seed);
  if (size >= input_header_bytes && size + 4 <= most && numbers.below(8) == 0)
    return put_matrix_instruction(data, size, numbers);
  return mutate(data, size, most, static_cast<unsigned>(numbers.next() >> 32), input_header_bytes);
}

}  // namespace dojo::fuzz
