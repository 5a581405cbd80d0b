#include "system/stranded.h"

#include <array>
#include <cstring>

#include "base/error.h"
#include "isa/block.h"

namespace dojo::system {

namespace {

constexpr std::array<std::string_view, 32> register_names = {
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
    "a6",   "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};

// "0x3588 <done>", or the address alone.
std::string place(const Program& program, std::uint64_t address) {
  const std::string name = program.describe(address);
  return name.empty() ? fmt::format("{:#x}", address) : fmt::format("{:#x} <{}>", address, name);
}

// dj.wait on a semaphore that another thread waits on.
std::string rivalry(const Thread& thread, const Program& program) {
  return fmt::format("waits for semaphore {}, which thread {} of this node waits for at {}; one thread may",
                     place(program, thread.hart.transfer.local), thread.rival->thread,
                     place(program, thread.rival->pc));
}

// Of a fault near sp where sp has left the thread's stack: most likely calls went too deep.
std::string beyond_the_stack(const isa::Hart& hart, std::pair<std::uint64_t, std::uint64_t> stack) {
  constexpr std::uint64_t near = 4096;
  const std::uint64_t sp = hart.x[2];
  const bool memory = hart.trap == isa::TrapCause::load_fault || hart.trap == isa::TrapCause::store_fault;
  if (!memory || sp == 0 || sp >= stack.first || hart.trap_value - sp + near > 2 * near) return {};
  return fmt::format("; sp is below the thread's stack, {:#x} to {:#x}", stack.first, stack.second);
}

// A transfer of which `objection` says why it cannot be done.
std::string bad_transfer(const isa::Transfer& transfer, std::string_view objection) {
  return fmt::format(
      "transfer that cannot be done, for {} (global {:#x}, local {:#x}, count {}, semaphore {:#x})",
      objection, transfer.global, transfer.local, transfer.count, transfer.semaphore);
}

std::string trap_reason(const isa::Hart& hart) {
  switch (hart.trap) {
    case isa::TrapCause::illegal_instruction:
      return fmt::format("illegal instruction {:#x}", hart.trap_value);
    case isa::TrapCause::load_fault:
      return fmt::format("load from {:#x}, which cannot be read", hart.trap_value);
    case isa::TrapCause::store_fault:
      return fmt::format("store to {:#x}, which cannot be written", hart.trap_value);
    case isa::TrapCause::fetch_fault:
      return fmt::format("no instruction can be fetched at {:#x}", hart.trap_value);
    case isa::TrapCause::misaligned_atomic:
      return fmt::format("atomic access to misaligned {:#x}", hart.trap_value);
    case isa::TrapCause::breakpoint:
      return "breakpoint (ebreak)";
    case isa::TrapCause::bad_transfer:
      break;
  }
  return "unknown trap";
}

std::string why_trapped(const Execution& execution, const Thread& thread, const Program& program) {
  const isa::Hart& hart = thread.hart;
  if (thread.rival) return rivalry(thread, program);
  if (thread.refused_by_host != 0)
    return fmt::format("tohost holds {:#x}, which is no system call and no device that there is",
                       thread.refused_by_host);
  if (hart.trap == isa::TrapCause::bad_transfer)
    return bad_transfer(hart.transfer, execution.objection(thread));
  const std::string_view place = hart.machine.mtvec != 0 ? "; this is where mtvec sends traps" : "";
  return fmt::format("{}{}{}", trap_reason(hart), beyond_the_stack(hart, execution.stack(hart.thread)),
                     place);
}

std::string disassembly_at(const isa::Hart& hart, std::uint64_t pc) {
  std::uint32_t bits = 0;
  const std::byte* code = hart.memory.readable(pc, 2);
  if (code == nullptr) return {};
  std::memcpy(&bits, code, 2);
  if (const std::byte* whole = hart.memory.readable(pc, 4); (bits & 3) == 3 && whole != nullptr)
    std::memcpy(&bits, whole, 4);
  return isa::disassemble(isa::decode(bits, pc), pc);
}

}  // namespace

Stranded describe(const Execution& execution, const Thread& thread, const Program& program) {
  const isa::Hart& hart = thread.hart;
  Stranded stranded;
  stranded.node = hart.node;
  stranded.thread = hart.thread;
  stranded.pc = hart.pc;
  switch (thread.state.load()) {
    case ThreadState::trapped:
      stranded.reason = why_trapped(execution, thread, program);
      break;
    case ThreadState::too_long:
      stranded.reason = fmt::format("still running after {} instructions", hart.instructions);
      break;
    case ThreadState::waiting:
      stranded.pc -= 4;  // behind dj.wait, or what reads the clock
      stranded.reason = thread.asks ? "waits for the others, on whom the clock depends that it reads"
                                    : fmt::format("waits for semaphore {} >= {} (holds {})",
                                                  place(program, thread.semaphore), thread.amount,
                                                  execution.semaphore(hart.node, thread.semaphore));
      break;
    default:
      break;
  }
  stranded.disassembly = disassembly_at(hart, stranded.pc);
  stranded.symbol = program.describe(stranded.pc);
  stranded.registers.emplace_back("pc", stranded.pc);
  for (std::size_t i = 1; i < register_names.size(); ++i)
    stranded.registers.emplace_back(register_names[i], hart.x[i]);
  return stranded;
}

std::vector<Stranded> find_stranded(const Execution& execution, const Program& program, ThreadState state) {
  std::vector<Stranded> found;
  for (const auto& thread : execution.threads()) {
    if (thread->state != state) continue;
    if (found.size() == most_stranded) break;
    found.push_back(describe(execution, *thread, program));
  }
  return found;
}

}  // namespace dojo::system
