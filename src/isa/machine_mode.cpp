#include "isa/machine_mode.h"

#include <utility>

#include "isa/scalar_tables.h"

namespace dojo::isa {
namespace {

using u64 = std::uint64_t;

// Bits of mstatus.
constexpr u64 mie = 1 << 3, mpie = 1 << 7, mpp = 3 << 11;
constexpr u64 fs = 3 << 13, vs = 3 << 9, sd = u64{1} << 63;
constexpr u64 user_is_64_bits = u64{2} << 32;

// Exception codes of mcause.
constexpr u64 fetch_fault = 1, illegal = 2, breakpoint = 3, misaligned_load = 4, load_fault = 5,
              misaligned_store = 6, store_fault = 7, call_from_user = 8, call_from_machine = 11,
              bad_transfer = 24;
constexpr u64 ecall_bytes = 4;

u64 code_of_trap(const Hart& hart) {
  switch (hart.trap) {
    case TrapCause::illegal_instruction:
      return illegal;
    case TrapCause::load_fault:
      return load_fault;
    case TrapCause::store_fault:
      return store_fault;
    case TrapCause::fetch_fault:
      return fetch_fault;
    case TrapCause::misaligned_atomic:
      return hart.trapped_row->properties & writes_memory ? misaligned_store : misaligned_load;
    case TrapCause::breakpoint:
      return breakpoint;
    case TrapCause::bad_transfer:
      return bad_transfer;
  }
  std::unreachable();
}

const Decoded* mret(Hart& h, const Decoded* d) {
  MachineMode& m = h.machine;
  if (m.user) return h.raise(d, TrapCause::illegal_instruction, d->word);
  m.user = std::exchange(m.user_before, true);
  m.interrupts = std::exchange(m.interrupts_before, true);
  h.pc = m.mepc;
  return nullptr;
}

// No interrupt would end the waiting, so there is none.
const Decoded* wfi(Hart&, const Decoded* d) { return d + 1; }

constexpr Operand o = Operand::none;

// clang-format off
constexpr Row rows[] = {
  // mnemonic match       mask        syntax ext   unit          rd rs1 rs2 rs3 properties  semantics
  {"mret",  0x30200073, 0xffffffff, "",    "Sm", Unit::system, o, o, o, o, ends_block,    mret},
  {"wfi",   0x10500073, 0xffffffff, "",    "Sm", Unit::system, o, o, o, o, ends_block,    wfi},
};
// clang-format on

}  // namespace

std::span<const Row> machine_rows() { return rows; }

std::uint64_t mstatus(const Hart& hart) {
  const MachineMode& m = hart.machine;
  const u64 dirty = (m.off & float_state ? 0 : fs) | (m.off & vector_state ? 0 : vs);
  return dirty | (dirty != 0 ? sd : 0) | user_is_64_bits | (m.interrupts ? mie : 0) |
         (m.interrupts_before ? mpie : 0) | (m.user_before ? 0 : mpp);
}

void write_menvcfg(Hart& hart, std::uint64_t value) {
  constexpr u64 reserved = 2 << 4;
  const u64 before = hart.machine.menvcfg & may_invalidate;
  hart.machine.menvcfg = value & (may_invalidate | may_clean | may_zero);
  if ((value & may_invalidate) == reserved)
    hart.machine.menvcfg = (hart.machine.menvcfg & ~u64{may_invalidate}) | before;
}

// MPP holds machine or user; what names another mode leaves it as it was. FS and VS are off or dirty, as the
// privileged architecture allows where nobody keeps track: initial and clean become dirty.
void write_mstatus(Hart& hart, std::uint64_t value) {
  MachineMode& m = hart.machine;
  m.off = static_cast<std::uint8_t>((value & fs ? 0 : float_state) | (value & vs ? 0 : vector_state));
  m.interrupts = (value & mie) != 0;
  m.interrupts_before = (value & mpie) != 0;
  if ((value & mpp) == mpp || (value & mpp) == 0) m.user_before = (value & mpp) == 0;
}

bool enter_trap_handler(Hart& hart) {
  MachineMode& m = hart.machine;
  const bool call = hart.stop == Stop::system_call;
  const bool cannot_begin = !call && !m.user && hart.pc == m.mtvec;
  if (m.mtvec == 0 || cannot_begin) return false;
  m.mepc = call ? hart.pc - ecall_bytes : hart.pc;
  m.mcause = !call ? code_of_trap(hart) : m.user ? call_from_user : call_from_machine;
  m.mtval = call ? 0 : hart.trap == TrapCause::breakpoint ? hart.pc : hart.trap_value;
  m.user_before = std::exchange(m.user, false);
  m.interrupts_before = std::exchange(m.interrupts, false);
  hart.pc = m.mtvec;
  hart.stop = Stop::none;
  return true;
}

}  // namespace dojo::isa
