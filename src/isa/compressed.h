// C, Zcb and Zcmop: every 16-bit encoding is another spelling of one 32-bit instruction.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace dojo::isa {

struct CompressedRow {
  std::string_view mnemonic;
  std::uint16_t match, mask;
  std::string_view extension;
  std::string_view syntax;                      // in terms of the expanded instruction (operands.h)
  std::uint32_t (*expand)(std::uint32_t half);  // 0 if these operands are reserved
};

std::span<const CompressedRow> compressed_rows();
const CompressedRow* find_compressed(std::uint16_t half);  // nullptr if illegal

// The equal 32-bit instruction; 0 (which no row matches) if illegal.
std::uint32_t expand(std::uint16_t half);

}  // namespace dojo::isa
