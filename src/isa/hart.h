// The state of one hardware thread, and how it stops. No clock is in sight here.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "isa/instruction.h"

namespace dojo::isa {

constexpr unsigned max_vlen_bits = 1024;
constexpr unsigned vector_registers = 32;
constexpr unsigned tile_edge = 16;  // xsfmm16t: 16 x 16 elements

// The bytes a hart's loads and stores can reach: one window of local addresses.
struct Memory {
  std::byte* bytes = nullptr;                  // host address of local address `base`
  std::uint64_t base = 0;                      // first local address of the window
  std::uint64_t size = 0;                      // bytes in the window
  std::uint64_t unmapped_below = 0;            // local addresses under this trap (null pointers)
  std::uint64_t text_begin = 0, text_end = 0;  // stores here trap

  // Host address of [address, address + count), or nullptr if any of it may not be read / written.
  std::byte* readable(std::uint64_t address, std::uint64_t count) const {
    const std::uint64_t offset = address - base;
    if (offset > size || count > size - offset || address < unmapped_below) return nullptr;
    return bytes + offset;
  }
  std::byte* writable(std::uint64_t address, std::uint64_t count) const {
    if (address < text_end && address + count > text_begin) return nullptr;
    return readable(address, count);
  }
  // Where the part begins that made `readable` / `writable` refuse the access: what mtval then holds.
  std::uint64_t first_unreadable(std::uint64_t address) const {
    return readable(address, 1) == nullptr ? address : base + size;
  }
  std::uint64_t first_unwritable(std::uint64_t address) const {
    if (writable(address, 1) == nullptr) return address;
    return address < text_begin && text_begin < text_end ? std::min(text_begin, base + size) : base + size;
  }
};

// The same bounds as translated code compares them: an access of up to 8 bytes at `address` is allowed if
// address - floor < span, without sign. What is refused may be allowed nevertheless: the instruction's own
// semantics decide then.
struct Reach {
  std::uint64_t bias = 0;  // host address of local address 0
  std::uint64_t load_floor = 0, load_span = 0, store_floor = 0, store_span = 0;

  Reach() = default;
  explicit Reach(const Memory& memory);
};

enum class TrapCause : std::uint8_t {
  illegal_instruction,
  load_fault,
  store_fault,
  fetch_fault,
  misaligned_atomic,
  breakpoint,
  bad_transfer,
};

// Why a hart left its block loop. `none`: just the end of a block.
enum class Stop : std::uint8_t { none, trap, system_call, transfer };

enum class TransferKind : std::uint8_t { put, get, signal, wait, quiet };

// What an Xdojo fabric instruction asks for; the node above performs it. Fields by kind: see docs/notes/002.
struct Transfer {
  TransferKind kind{};
  std::uint64_t global = 0;     // put: destination, get: source, signal: semaphore
  std::uint64_t local = 0;      // put: source, get: destination, wait: semaphore
  std::uint64_t count = 0;      // put, get: bytes; signal, wait: amount
  std::uint64_t semaphore = 0;  // put, get: offset of the semaphore to signal, 0 for none
};

// Machine mode as far as bare-metal programs use it (machine_mode.h).
struct MachineMode {
  std::uint64_t mtvec = 0;  // 0: the program takes no traps itself
  std::uint64_t mscratch = 0, mepc = 0, mcause = 0, mtval = 0, mie = 0;
  bool interrupts = false, interrupts_before = false;  // mstatus.MIE, MPIE
  bool user = false, user_before = false;              // the mode now; mstatus.MPP
  std::uint8_t off = 0;                                // RegisterState whose FS, VS is 0
  std::uint32_t mcounteren = ~std::uint32_t{0};
  std::uint64_t menvcfg = 0;  // EnvironmentConfig
  // What mcycle and minstret are ahead of Hart::cycle and Hart::instructions, modulo 2^64.
  std::uint64_t cycle_offset = 0, instret_offset = 0;
};

// What the last access to a clock did (csr.h): rd = old; clock = (old & keep) | set.
struct ClockAccess {
  std::uint64_t offset = 0;  // of the clock before it
  std::uint64_t keep = 0, set = 0;
  bool writes = false;
  std::uint8_t rd = 0;
};

struct Hart {
  std::array<std::uint64_t, 32> x{};  // x[0] stays 0: handlers write through set_x
  std::array<std::uint64_t, 32> f{};  // NaN-boxed
  std::uint64_t pc = 0;
  std::uint8_t fflags = 0, frm = 0;  // NX 1, UF 2, OF 4, DZ 8, NV 16
  std::uint8_t vxrm = 0, vxsat = 0;

  // Vector configuration, decoded from vtype by vset*.
  std::uint64_t vl = 0, vstart = 0;
  std::uint64_t vtype = std::uint64_t{1} << 63;  // vill
  std::uint16_t sew = 8;                         // bits
  std::int8_t lmul_log2 = 0;                     // -3..3
  bool vill = true, altfmt = false;              // altfmt: bf16 meaning of SEW = 16 for XSfmm
  std::uint8_t tile_widen = 0;                   // XSfmm twiden: 0 (off), 1, 2, 4
  std::uint8_t tile_m = 0, tile_k = 0;           // XSfmm tm, tk (tn is vl)
  std::uint8_t tile_first = 0;                   // rows that translated code has done of the present step

  unsigned vlen_bits = 512;
  // Register r at r * vlen_bits / 8; tile mt(4 i) at i * 1024, rows of FP32.
  alignas(64) std::array<std::byte, vector_registers * max_vlen_bits / 8> v{};
  alignas(64) std::array<std::byte, 4 * tile_edge * tile_edge * 4> tiles{};

  Memory memory;
  Reach reach;                                         // of `memory`, kept by who runs translated code
  std::uint64_t reserved_address = ~std::uint64_t{0};  // lr/sc; ~0: none
  std::uint64_t reserved_value = 0;                    // sc fails if the memory no longer holds it

  // Identity and Xdojo CSRs (docs/notes/001).
  std::uint32_t node = 0, nodes = 1, row = 0, column = 0, thread = 0;
  std::uint64_t stochastic_key = 0, stochastic_counter = 0, cfloat_control = 0;
  std::uint32_t op = 0;            // last dj.mark
  std::uint64_t instructions = 0;  // instret; kept by the node at block ends
  std::uint64_t cycle = 0;         // what `cycle` reads; kept by the node at block ends
  MachineMode machine;
  ClockAccess clock_access;

  Stop stop = Stop::none;
  TrapCause trap{};
  std::uint64_t trap_value = 0;         // address or instruction word
  const Decoded* trapped_at = nullptr;  // in its block, while there is one
  const Row* trapped_row = nullptr;     // the same, from settle_trap on
  Transfer transfer{};

  std::byte* vreg(unsigned r) { return v.data() + r * (vlen_bits / 8); }
  void set_x(unsigned r, std::uint64_t value) {
    if (r != 0) x[r] = value;
  }
  // Ends the block with a trap at `instruction`: `return hart.raise(d, ...)`. pc is derived from it.
  const Decoded* raise(const Decoded* instruction, TrapCause cause, std::uint64_t value) {
    stop = Stop::trap;
    trapped_at = instruction;
    trap = cause;
    trap_value = value;
    return nullptr;
  }
  // The same for an access at `address` that the memory refuses.
  const Decoded* raise_load_fault(const Decoded* instruction, std::uint64_t address) {
    return raise(instruction, TrapCause::load_fault, memory.first_unreadable(address));
  }
  const Decoded* raise_store_fault(const Decoded* instruction, std::uint64_t address) {
    return raise(instruction, TrapCause::store_fault, memory.first_unwritable(address));
  }
};

// What a handler may return instead of d + 1: runs on at once. Compilers make it a jump, so each kind of
// instruction has its own prediction of what follows; where they do not, the stack holds a block's worth of
// small frames at most. Only without objects whose destructors must run first.
inline const Decoded* proceed(Hart& hart, const Decoded* d) { return d[1].execute(hart, d + 1); }

}  // namespace dojo::isa
