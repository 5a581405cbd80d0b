#include "isa/block.h"

#include <algorithm>
#include <cstring>

#include "isa/float_host.h"

namespace dojo::isa {
namespace {

const Decoded* end_of_block(Hart& h, const Decoded* d) {
  h.pc = static_cast<std::uint64_t>(d->immediate);
  return nullptr;
}
const Decoded* fetch_fault(Hart& h, const Decoded* d) {
  return h.raise(d, TrapCause::fetch_fault, static_cast<std::uint64_t>(d->immediate));
}
const Row end_row = {"<end>", 0, 0, "", "", Unit::system, {}, {}, {}, {}, ends_block, end_of_block};
const Row fetch_fault_row = {"<unreadable>", 0,          0, "", "", Unit::system, {}, {}, {}, {},
                             ends_block,     fetch_fault};

Decoded marker(const Row& row, std::uint64_t address) {
  Decoded d{};
  d.execute = row.execute;
  d.row = &row;
  d.immediate = static_cast<std::int64_t>(address);
  return d;
}

// The instruction at pc, or one that traps if its bytes cannot be read.
Decoded fetch(const Memory& memory, std::uint64_t pc) {
  const std::byte* low = memory.readable(pc, 2);
  if (low == nullptr) return marker(fetch_fault_row, pc);
  std::uint16_t halves[2] = {};
  std::memcpy(&halves[0], low, 2);
  if ((halves[0] & 3) == 3) {
    const std::byte* high = memory.readable(pc + 2, 2);
    if (high == nullptr) return marker(fetch_fault_row, pc + 2);
    std::memcpy(&halves[1], high, 2);
  }
  return decode(halves[0] | static_cast<std::uint32_t>(halves[1]) << 16, pc);
}

}  // namespace

Reach::Reach(const Memory& memory) : bias(reinterpret_cast<std::uintptr_t>(memory.bytes) - memory.base) {
  constexpr std::uint64_t widest = 8;
  const std::uint64_t end = memory.base + memory.size;
  const auto span = [&](std::uint64_t floor) { return floor + widest <= end ? end - floor - widest + 1 : 0; };
  load_floor = std::max(memory.base, memory.unmapped_below);
  load_span = span(load_floor);
  store_floor = memory.text_end > load_floor && memory.text_begin < end ? memory.text_end : load_floor;
  store_span = span(store_floor);
}

Block build_block(const Memory& memory, std::uint64_t pc, unsigned limit, std::uint64_t end,
                  std::uint16_t last) {
  Block block;
  block.pc = pc;
  while (block.count < limit) {
    const std::uint64_t at = pc + block.bytes;
    const Decoded d = fetch(memory, at);
    if (at >= end || d.length > end - at) break;
    if (block.count != 0 && (d.row->properties & starts_block || d.row == &fetch_fault_row)) break;
    block.code.push_back(d);
    block.count += 1;
    block.bytes += d.length;
    block.floats |= (d.row->properties & raises_flags) != 0;
    block.needs |= state_needed(*d.row);
    if (d.row->properties & last) break;
  }
  block.code.push_back(marker(end_row, pc + block.bytes));
  return block;
}

void withhold(Block& block, std::uint8_t off) {
  for (std::uint32_t i = 0; i < block.count; ++i)
    if ((state_needed(*block.code[i].row) & off) != 0) block.code[i].execute = execute_illegal;
}

std::uint32_t run_block(Hart& hart, const Block& block) {
  hart.stop = Stop::none;
  if (block.floats) begin_floats(hart);
  run_code(hart, block);
  if (block.floats) end_floats(hart);
  return hart.stop == Stop::trap ? settle_trap(hart, block) : block.count;
}

std::uint32_t settle_trap(Hart& hart, const Block& block) {
  hart.pc = block.pc;
  hart.trapped_row = hart.trapped_at->row;
  const auto completed = static_cast<std::uint32_t>(hart.trapped_at - block.code.data());
  for (std::uint32_t i = 0; i < completed; ++i) hart.pc += block.code[i].length;
  return completed;
}

}  // namespace dojo::isa
