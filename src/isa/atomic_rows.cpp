// A: load-reserved, store-conditional and read-modify-write. Harts of a node take turns between blocks, so an
// instruction is atomic by itself; aq and rl have nothing left to order. Addresses must be naturally aligned.
//
// Zawrs: a wait for the reservation to end may be over at any time. Here it is over at once, so a loop around
// it gives the node's other harts their turn and looks again.
//
// A reservation ends when its value changed, so two stores that restore a value between lr and sc go
// unnoticed.
#include <algorithm>
#include <cstring>

#include "isa/hart.h"
#include "isa/scalar_tables.h"

namespace dojo::isa {
namespace {

using i32 = std::int32_t;
using i64 = std::int64_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

template <typename T>
u64 extend(T value) {
  return static_cast<u64>(static_cast<i64>(value));
}

// Host address of the word at x[rs1]; nullptr after raising the trap.
template <typename T>
std::byte* place(Hart& h, const Decoded* d, bool writes) {
  const u64 address = h.x[d->rs1];
  std::byte* bytes = writes ? h.memory.writable(address, sizeof(T)) : h.memory.readable(address, sizeof(T));
  if (address % sizeof(T) != 0)
    h.raise(d, TrapCause::misaligned_atomic, address);
  else if (bytes == nullptr)
    writes ? h.raise_store_fault(d, address) : h.raise_load_fault(d, address);
  else
    return bytes;
  return nullptr;
}

template <typename T>
const Decoded* load_reserved(Hart& h, const Decoded* d) {
  const std::byte* bytes = place<T>(h, d, false);
  if (bytes == nullptr) return nullptr;
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  h.reserved_address = h.x[d->rs1];
  h.reserved_value = extend(value);
  h.set_x(d->rd, extend(value));
  return d + 1;
}

template <typename T>
const Decoded* store_conditional(Hart& h, const Decoded* d) {
  std::byte* bytes = place<T>(h, d, true);
  if (bytes == nullptr) return nullptr;
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  const bool succeeds = h.reserved_address == h.x[d->rs1] && h.reserved_value == extend(value);
  h.reserved_address = ~u64{0};
  if (succeeds) {
    value = static_cast<T>(h.x[d->rs2]);
    std::memcpy(bytes, &value, sizeof(T));
  }
  h.set_x(d->rd, succeeds ? 0 : 1);
  return d + 1;
}

// x[rd] = memory; memory = Function(memory, x[rs2]).
template <typename T, auto Function>
const Decoded* modify(Hart& h, const Decoded* d) {
  std::byte* bytes = place<T>(h, d, true);
  if (bytes == nullptr) return nullptr;
  T old;
  std::memcpy(&old, bytes, sizeof(T));
  const T result = static_cast<T>(Function(old, static_cast<T>(h.x[d->rs2])));
  std::memcpy(bytes, &result, sizeof(T));
  h.set_x(d->rd, extend(static_cast<std::make_signed_t<T>>(old)));
  return d + 1;
}

const Decoded* wait_on_reservation(Hart&, const Decoded* d) { return d + 1; }

constexpr Operand R = Operand::x_read, W = Operand::x_write, o = Operand::none;
constexpr Unit atomic = Unit::atomic, system_ = Unit::system;
constexpr std::uint16_t rd = reads_memory, wr = writes_memory, both = rd | wr;

// clang-format off
#define AMO(type, semantics) modify<type, [](type a, type b) { return (semantics); }>
constexpr Row rows[] = {
  // mnemonic    match       mask        syntax                ext  unit    rd rs1 rs2 rs3 properties  semantics: a = memory, b = x[rs2]
  {"lr.w",      0x1000202f, 0xf9f0707f, "aqrl rd, (rs1)",      "A", atomic, W, R, o, o, rd,            load_reserved<i32>},
  {"sc.w",      0x1800202f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, wr,            store_conditional<i32>},
  {"amoswap.w", 0x0800202f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, both,          AMO(u32, (static_cast<void>(a), b))},
  {"amoadd.w",  0x0000202f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, both,          AMO(u32, a + b)},
  {"amoxor.w",  0x2000202f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, both,          AMO(u32, a ^ b)},
  {"amoand.w",  0x6000202f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, both,          AMO(u32, a & b)},
  {"amoor.w",   0x4000202f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, both,          AMO(u32, a | b)},
  {"amomin.w",  0x8000202f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, both,          AMO(i32, std::min(a, b))},
  {"amomax.w",  0xa000202f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, both,          AMO(i32, std::max(a, b))},
  {"amominu.w", 0xc000202f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, both,          AMO(u32, std::min(a, b))},
  {"amomaxu.w", 0xe000202f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, both,          AMO(u32, std::max(a, b))},
  {"lr.d",      0x1000302f, 0xf9f0707f, "aqrl rd, (rs1)",      "A", atomic, W, R, o, o, rd,            load_reserved<i64>},
  {"sc.d",      0x1800302f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, wr,            store_conditional<i64>},
  {"amoswap.d", 0x0800302f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, both,          AMO(u64, (static_cast<void>(a), b))},
  {"amoadd.d",  0x0000302f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, both,          AMO(u64, a + b)},
  {"amoxor.d",  0x2000302f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, both,          AMO(u64, a ^ b)},
  {"amoand.d",  0x6000302f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, both,          AMO(u64, a & b)},
  {"amoor.d",   0x4000302f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, both,          AMO(u64, a | b)},
  {"amomin.d",  0x8000302f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, both,          AMO(i64, std::min(a, b))},
  {"amomax.d",  0xa000302f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, both,          AMO(i64, std::max(a, b))},
  {"amominu.d", 0xc000302f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, both,          AMO(u64, std::min(a, b))},
  {"amomaxu.d", 0xe000302f, 0xf800707f, "aqrl rd, rs2, (rs1)", "A", atomic, W, R, R, o, both,          AMO(u64, std::max(a, b))},

  {"wrs.nto",   0x00d00073, 0xffffffff, "",                    "Zawrs", system_, o, o, o, o, ends_block, wait_on_reservation},
  {"wrs.sto",   0x01d00073, 0xffffffff, "",                    "Zawrs", system_, o, o, o, o, ends_block, wait_on_reservation},
};
#undef AMO
// clang-format on

}  // namespace

std::span<const Row> atomic_rows() { return rows; }

}  // namespace dojo::isa
