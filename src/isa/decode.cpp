// Finds the row of an encoding. One index over all tables, made on first use: rows by opcode, funct3 and
// funct6, in each place the most specific mask first.
#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "isa/block.h"
#include "isa/compressed.h"
#include "isa/hart.h"
#include "isa/operands.h"

namespace dojo::isa {
namespace {

const Decoded* nothing(Hart& h, const Decoded* d) { return proceed(h, d); }

const Row illegal_row = {"<unknown>", 0,  0,  "", "",         Unit::system,
                         {},          {}, {}, {}, ends_block, execute_illegal};

struct IndexedRow {
  const Row* row;
  std::int64_t (*immediate)(std::uint32_t) = nullptr;
  bool pc_relative = false;
  bool rounding_mode = false;
  std::uint8_t mode_shift = 0, mode_mask = 0;
};

IndexedRow indexed(const Row& row) {
  IndexedRow entry{&row};
  for_each_piece(row.syntax, [&](std::string_view piece, const OperandToken* token) {
    if (token == nullptr) return;
    if (token->immediate != nullptr) {
      entry.immediate = token->immediate;
      entry.pc_relative = token->pc_relative;
    }
    if (token->mode_bits == 0) return;
    entry.mode_shift = token->mode_shift;
    entry.mode_mask = static_cast<std::uint8_t>((1u << token->mode_bits) - 1);
    entry.rounding_mode = piece.starts_with("rm");
  });
  return entry;
}

class Index {
public:
  Index() {
    for (const Row* row : all_rows()) entries_.push_back(indexed(*row));
    std::sort(entries_.begin(), entries_.end(), [](const IndexedRow& a, const IndexedRow& b) {
      const int a_fixed = std::popcount(a.row->mask), b_fixed = std::popcount(b.row->mask);
      return a_fixed != b_fixed ? a_fixed > b_fixed : a.row->match < b.row->match;
    });
    std::vector<std::uint16_t> candidates;  // rows of the key's opcode
    for (std::uint32_t key = 0; key < places; ++key) {
      if (key % places_per_opcode == 0) candidates = matching(word_of(key), 0x7c);
      first_[key] = static_cast<std::uint32_t>(slots_.size());
      for (const std::uint16_t i : candidates)
        if (matches(i, word_of(key), word_of(places - 1))) slots_.push_back(i);
    }
    first_[places] = static_cast<std::uint32_t>(slots_.size());
  }

  const IndexedRow* find(std::uint32_t word) const {
    const std::uint32_t key = key_of(word);
    for (std::uint32_t i = first_[key]; i < first_[key + 1]; ++i) {
      const IndexedRow& entry = entries_[slots_[i]];
      if ((word & entry.row->mask) == entry.row->match) return &entry;
    }
    return nullptr;
  }

private:
  // A place: opcode (5 bits), funct6, funct3.
  static constexpr std::uint32_t places_per_opcode = 8 * 64, places = 32 * places_per_opcode;
  static std::uint32_t key_of(std::uint32_t w) {
    return ((w >> 2) & 31) << 9 | (w >> 26) << 3 | ((w >> 12) & 7);
  }
  static std::uint32_t word_of(std::uint32_t key) {
    return (key >> 9) << 2 | ((key >> 3) & 63) << 26 | (key & 7) << 12;
  }

  // Whether the row agrees with `word` in those of its fixed bits that `considered` names.
  bool matches(std::size_t entry, std::uint32_t word, std::uint32_t considered) const {
    const Row& row = *entries_[entry].row;
    return ((word ^ row.match) & row.mask & considered) == 0;
  }
  std::vector<std::uint16_t> matching(std::uint32_t word, std::uint32_t considered) const {
    std::vector<std::uint16_t> found;
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (matches(i, word, considered)) found.push_back(static_cast<std::uint16_t>(i));
    return found;
  }

  std::vector<IndexedRow> entries_;
  std::vector<std::uint16_t> slots_;
  std::array<std::uint32_t, places + 1> first_;
};

// Arithmetic whose only effect is its result does nothing if the result goes to x0.
bool is_without_effect(const Row& row, unsigned rd) {
  const bool arithmetic = row.unit == Unit::alu || row.unit == Unit::multiply || row.unit == Unit::divide;
  return arithmetic && rd == 0 && row.rd == Operand::x_write;
}

void fill_fields(Decoded& d, std::uint32_t word) {
  d.word = word;
  d.rd = (word >> 7) & 31;
  d.rs1 = (word >> 15) & 31;
  d.rs2 = (word >> 20) & 31;
  d.rs3 = (word >> 27) & 31;
}

}  // namespace

const Decoded* execute_illegal(Hart& h, const Decoded* d) {
  return h.raise(d, TrapCause::illegal_instruction, d->length == 2 ? d->compressed : d->word);
}

// Floating point is what names an f register, computes with the host's, or has a format of OP-V that says so.
std::uint8_t state_needed(const Row& row) {
  constexpr std::uint32_t op_v = 0x57, format_and_opcode = 0x707f, fvv = 1 << 12 | op_v, fvf = 5 << 12 | op_v;
  std::uint8_t needed = 0;
  for (const Operand operand : {row.rd, row.rs1, row.rs2, row.rs3}) {
    if (operand == Operand::f_read || operand == Operand::f_write) needed |= float_state;
    if (operand >= Operand::v_read) needed |= vector_state;
  }
  const std::uint32_t format = row.match & format_and_opcode;
  if ((row.properties & raises_flags) != 0 || format == fvv || format == fvf) needed |= float_state;
  switch (row.unit) {  // not all of these name a register
    case Unit::vector_config:
    case Unit::vector_load:
    case Unit::vector_store:
    case Unit::matrix_move:
      return needed | vector_state;
    default:
      return needed;
  }
}

std::span<const Row* const> all_rows() {
  static const std::vector<const Row*> rows = [] {
    std::vector<const Row*> all;
    for (const auto table : {scalar_rows(), vector_rows(), matrix_rows(), dojo_rows()})
      for (const Row& row : table) all.push_back(&row);
    return all;
  }();
  return rows;
}

Decoded decode(std::uint32_t bits, std::uint64_t pc) {
  static const Index index;
  Decoded d{};
  d.row = &illegal_row;
  d.execute = execute_illegal;
  d.length = (bits & 3) == 3 ? 4 : 2;
  if (d.length == 2) d.compressed = static_cast<std::uint16_t>(bits);
  fill_fields(d, d.length == 4 ? bits : expand(d.compressed));
  const IndexedRow* entry = index.find(d.word);
  if (entry == nullptr) return d;

  d.mode = (d.word >> entry->mode_shift) & entry->mode_mask;
  if (entry->rounding_mode && (d.mode == 5 || d.mode == 6)) return d;
  d.row = entry->row;
  d.execute = is_without_effect(*d.row, d.rd) ? nothing : d.row->execute;
  if (entry->immediate != nullptr) d.immediate = entry->immediate(d.word);
  if (entry->pc_relative) d.immediate += static_cast<std::int64_t>(pc);
  return d;
}

}  // namespace dojo::isa
