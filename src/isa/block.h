// Straight-line runs of decoded instructions: what the node executes, times and counts as one thing.
//
// A block ends at the first instruction with `ends_block`, before one with `starts_block` or one that cannot
// be fetched (which then traps as a block of its own), or at `max_block` instructions. pc-relative immediates
// (branches, jal, auipc) are absolute after building. The last Decoded is always a sentinel: it sets hart.pc
// to the address after the block and returns nullptr. So: a handler that neither branches nor traps returns d
// + 1; a taken branch sets hart.pc and returns nullptr; a system call or transfer sets hart.stop and returns
// d + 1 (the sentinel leaves pc behind the instruction, ready to resume).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "isa/hart.h"
#include "isa/instruction.h"

namespace dojo::isa {

constexpr unsigned max_block = 64;

struct Block {
  std::uint64_t pc = 0;
  std::uint32_t count = 0;    // instructions, without the sentinel
  std::uint32_t bytes = 0;    // of encodings
  std::vector<Decoded> code;  // count + 1
  bool floats = false;        // holds an instruction that raises_flags
  std::uint8_t needs = 0;     // RegisterState of all its instructions
};

// Decodes one instruction; an encoding that no row matches decodes to a row that traps. `bits` holds at least
// the instruction's own bits, low half-word first.
Decoded decode(std::uint32_t bits, std::uint64_t pc);

// Never fails: unreadable or illegal code becomes an instruction that traps when executed.
// `limit` makes shorter blocks: 1 for single steps. No instruction reaches past `end`: a block has none at
// all if its first one would. `last`: properties behind an instruction with one of which it ends.
Block build_block(const Memory& memory, std::uint64_t pc, unsigned limit = max_block,
                  std::uint64_t end = ~std::uint64_t{0}, std::uint16_t last = ends_block);

// Makes every instruction trap that needs some of the RegisterState `off`.
void withhold(Block& block, std::uint8_t off);
// What an encoding does that no row matches.
const Decoded* execute_illegal(Hart& hart, const Decoded* d);

// Runs the block to its end. Returns the number of instructions completed (a trapping one is not).
// Afterwards hart.pc is the next instruction, or the trapping one if hart.stop == Stop::trap.
std::uint32_t run_block(Hart& hart, const Block& block);

// The same for who runs many blocks, in its parts. Before `run_code` hart.stop is none and begin_floats has
// been called; if hart.stop is Stop::trap after it, `settle_trap` sets pc and counts what was completed.
inline void run_code(Hart& hart, const Block& block) {
  const Decoded* d = block.code.data();
  do d = d->execute(hart, d);
  while (d != nullptr);
}
std::uint32_t settle_trap(Hart& hart, const Block& block);

// Every row of the machine, in table order.
std::span<const Row* const> all_rows();

// The text that llvm-mc -M no-aliases would print for it, e.g. "addi\ta0, a0, 1"; "<unknown>" for illegal
// encodings without a name.
std::string disassemble(const Decoded& decoded, std::uint64_t pc);

// The extension that this spelling of the instruction belongs to; "" for illegal encodings.
std::string_view extension_of(const Decoded& decoded);

}  // namespace dojo::isa
