// Test help: encodings of vector instructions whose registers may lie where they do, by the operand groups of
// their rows (operand_groups.h) and nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "isa/vector_legality.h"

namespace dojo::isa::legal_words {

// A field of the encoding that names a vector register or group.
struct Field {
  unsigned shift;
  OperandGroup VectorOperands::* operand;
  std::uint8_t Decoded::* number;
};
constexpr std::array<Field, 3> fields = {{{7, &VectorOperands::vd, &Decoded::rd},
                                          {20, &VectorOperands::vs2, &Decoded::rs2},
                                          {15, &VectorOperands::vs1, &Decoded::rs1}}};

constexpr bool names_register(const OperandGroup& operand) {
  return operand.extent != Extent::none && operand.extent != Extent::tile_slice;
}

// Whether the vector registers that `word` names may lie there.
inline bool is_legal(const Row& row, std::uint32_t word, ElementType type) {
  Decoded d{};
  d.word = word;
  for (const Field& field : fields) d.*field.number = static_cast<std::uint8_t>(word >> field.shift & 31);
  return vector::groups_are_legal(&d, row.vector, type) &&
         ((row.properties & writes_memory) != 0 || vector::destination_is_legal(&d, row.vector, type));
}

// The registers at which an operand may begin.
inline std::vector<unsigned> registers_of(const OperandGroup& operand, ElementType type) {
  std::vector<unsigned> all;
  for (unsigned r = 0; r < vector_registers; ++r)
    if (vector::group_is_legal(r, operand, type)) all.push_back(r);
  return all;
}

// `word`, an encoding of the row, with vector registers at random of those that are legal; nothing if there
// are none. What names no vector register, and whether it is masked, stays. `below(n)` draws one of n
// numbers. Groups that lie in the same place, where that is allowed, are as frequent as such that do not.
template <typename Below>
std::optional<std::uint32_t> with_legal_registers(const Row& row, std::uint32_t word, ElementType type,
                                                  Below below) {
  std::array<std::vector<unsigned>, fields.size()> choices;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const OperandGroup& operand = row.vector.*fields[i].operand;
    if (!names_register(operand)) continue;
    choices[i] = registers_of(operand, type);
    if (choices[i].empty()) return std::nullopt;
  }
  // Of all combinations of allowed places more than one in ten is legal, if one is.
  for (unsigned attempt = 0; attempt < 200; ++attempt) {
    std::uint32_t placed = word;
    unsigned before = vector_registers;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (choices[i].empty()) continue;
      unsigned r = choices[i][below(choices[i].size())];
      if (before != vector_registers && below(4) == 0) r = before;
      placed = (placed & ~(31u << fields[i].shift)) | r << fields[i].shift;
      before = r;
    }
    if (is_legal(row, placed, type)) return placed;
  }
  return std::nullopt;
}

// Every vtype without matrices that exists: SEW and LMUL, elements that are not written stay as they are.
inline std::vector<std::uint64_t> plain_vtypes() {
  std::vector<std::uint64_t> all;
  for (std::uint64_t sew_log2 = 0; sew_log2 < 4; ++sew_log2)
    for (const std::uint64_t vlmul : {0, 1, 2, 3, 5, 6, 7})
      if (vlmul < 4 || sew_log2 + 5 <= vlmul) all.push_back(sew_log2 << 3 | vlmul);
  return all;
}

}  // namespace dojo::isa::legal_words
