// Zicbom, Zicboz and Zicbop: cache blocks of a machine without caches. Cleaning, flushing and invalidating a
// block ask whether it may be accessed and are done then; zeroing stores 64 zeros; a prefetch is a HINT.
#include <cstring>

#include "isa/hart.h"
#include "isa/machine_mode.h"
#include "isa/scalar_tables.h"

namespace dojo::isa {
namespace {

std::uint64_t block_of(std::uint64_t address) { return address & ~(cache_block_bytes - 1); }

// User mode needs a bit of menvcfg. A program starts in machine mode and needs none.
bool is_allowed(const Hart& h, std::uint64_t bits) {
  return !h.machine.user || (h.machine.menvcfg & bits) != 0;
}

// A block may be managed if it may be loaded or stored to. What faults is the address as the program gave it.
template <std::uint64_t Permission>
const Decoded* manage_block(Hart& h, const Decoded* d) {
  if (!is_allowed(h, Permission)) return h.raise(d, TrapCause::illegal_instruction, d->word);
  const std::uint64_t address = h.x[d->rs1];
  if (h.memory.readable(block_of(address), cache_block_bytes) == nullptr)
    return h.raise(d, TrapCause::store_fault, address);
  return d + 1;
}

const Decoded* zero_block(Hart& h, const Decoded* d) {
  if (!is_allowed(h, may_zero)) return h.raise(d, TrapCause::illegal_instruction, d->word);
  const std::uint64_t address = h.x[d->rs1];
  std::byte* block = h.memory.writable(block_of(address), cache_block_bytes);
  if (block == nullptr) return h.raise(d, TrapCause::store_fault, address);
  std::memset(block, 0, cache_block_bytes);
  return proceed(h, d);
}

const Decoded* nothing(Hart& h, const Decoded* d) { return proceed(h, d); }

using enum Unit;
constexpr Operand R = Operand::x_read, o = Operand::none;
constexpr std::uint16_t zeroes = writes_memory | cache_block;

// clang-format off
constexpr Row rows[] = {
  // mnemonic    match       mask        syntax          ext       unit    rd rs1 rs2 rs3 properties  semantics
  {"cbo.inval",  0x0000200f, 0xfff07fff, "(rs1)",        "Zicbom", system, o, R, o, o, ends_block,    manage_block<may_invalidate>},
  {"cbo.clean",  0x0010200f, 0xfff07fff, "(rs1)",        "Zicbom", system, o, R, o, o, ends_block,    manage_block<may_clean>},
  {"cbo.flush",  0x0020200f, 0xfff07fff, "(rs1)",        "Zicbom", system, o, R, o, o, ends_block,    manage_block<may_clean>},
  {"cbo.zero",   0x0040200f, 0xfff07fff, "(rs1)",        "Zicboz", store,  o, R, o, o, zeroes,        zero_block},
  {"prefetch.i", 0x00006013, 0x01f07fff, "block12(rs1)", "Zicbop", alu,    o, R, o, o, 0,             nothing},
  {"prefetch.r", 0x00106013, 0x01f07fff, "block12(rs1)", "Zicbop", alu,    o, R, o, o, 0,             nothing},
  {"prefetch.w", 0x00306013, 0x01f07fff, "block12(rs1)", "Zicbop", alu,    o, R, o, o, 0,             nothing},
};
// clang-format on

}  // namespace

std::span<const Row> cache_rows() { return rows; }

}  // namespace dojo::isa
