// I, M and Zifencei: integers, memory, control flow. The semantics stand in each row.
#include <bit>
#include <cstring>

#include "isa/hart.h"
#include "isa/scalar_tables.h"

namespace dojo::isa {
namespace {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;
__extension__ using i128 = __int128;
__extension__ using u128 = unsigned __int128;

constexpr u64 sign_extend_word(u64 value) {
  return static_cast<u64>(static_cast<i64>(static_cast<i32>(value)));
}
constexpr u32 low_word(u64 value) { return static_cast<u32>(value); }
constexpr u64 arithmetic_shift(u64 a, u64 b) { return static_cast<u64>(static_cast<i64>(a) >> b); }

// Decoding replaces arithmetic on rd = x0 by nothing, so results are stored without looking.
template <auto Function>
const Decoded* register_register(Hart& h, const Decoded* d) {
  h.x[d->rd] = Function(h.x[d->rs1], h.x[d->rs2]);
  return proceed(h, d);
}
template <auto Function>
const Decoded* register_immediate(Hart& h, const Decoded* d) {
  h.x[d->rd] = Function(h.x[d->rs1], static_cast<u64>(d->immediate));
  return proceed(h, d);
}
const Decoded* immediate(Hart& h, const Decoded* d) {
  h.x[d->rd] = static_cast<u64>(d->immediate);
  return proceed(h, d);
}

template <typename T>
const Decoded* load_x(Hart& h, const Decoded* d) {
  const u64 address = h.x[d->rs1] + static_cast<u64>(d->immediate);
  const std::byte* source = h.memory.readable(address, sizeof(T));
  if (source == nullptr) [[unlikely]]
    return h.raise_load_fault(d, address);
  T value;
  std::memcpy(&value, source, sizeof(T));
  h.set_x(d->rd, static_cast<u64>(static_cast<i64>(value)));
  return proceed(h, d);
}
template <typename T>
const Decoded* store_x(Hart& h, const Decoded* d) {
  const u64 address = h.x[d->rs1] + static_cast<u64>(d->immediate);
  std::byte* destination = h.memory.writable(address, sizeof(T));
  if (destination == nullptr) [[unlikely]]
    return h.raise_store_fault(d, address);
  const T value = static_cast<T>(h.x[d->rs2]);
  std::memcpy(destination, &value, sizeof(T));
  return proceed(h, d);
}

template <auto Condition>
const Decoded* branch_if(Hart& h, const Decoded* d) {
  if (!Condition(h.x[d->rs1], h.x[d->rs2])) return proceed(h, d);
  h.pc = static_cast<u64>(d->immediate);
  return nullptr;
}
// The sentinel behind d holds the address of the next instruction.
const Decoded* jal(Hart& h, const Decoded* d) {
  h.set_x(d->rd, static_cast<u64>(d[1].immediate));
  h.pc = static_cast<u64>(d->immediate);
  return nullptr;
}
const Decoded* jalr(Hart& h, const Decoded* d) {
  const u64 target = (h.x[d->rs1] + static_cast<u64>(d->immediate)) & ~u64{1};
  h.set_x(d->rd, static_cast<u64>(d[1].immediate));
  h.pc = target;
  return nullptr;
}

const Decoded* nothing(Hart& h, const Decoded* d) { return proceed(h, d); }
const Decoded* ecall(Hart& h, const Decoded* d) {
  h.stop = Stop::system_call;
  return d + 1;
}
const Decoded* ebreak(Hart& h, const Decoded* d) { return h.raise(d, TrapCause::breakpoint, 0); }

// Division by zero gives all ones and the dividend; the one overflow gives the dividend and 0.
template <typename T>
constexpr T quotient(T a, T b) {
  if (b == 0) return static_cast<T>(-1);
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return static_cast<T>(u64{0} - static_cast<u64>(a));
  return static_cast<T>(a / b);
}
template <typename T>
constexpr T remainder(T a, T b) {
  if (b == 0) return a;
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return 0;
  return static_cast<T>(a % b);
}
template <typename T, auto Function>
constexpr auto on = [](u64 a, u64 b) {
  return static_cast<u64>(
      static_cast<i64>(static_cast<std::make_signed_t<T>>(Function(static_cast<T>(a), static_cast<T>(b)))));
};

using enum Unit;
constexpr Operand R = Operand::x_read, W = Operand::x_write, o = Operand::none;
constexpr auto jump = ends_block;

// clang-format off
#define RR(semantics) register_register<[](u64 a, u64 b) -> u64 { return (semantics); }>
#define RI(semantics) register_immediate<[](u64 a, u64 b) -> u64 { return (semantics); }>
#define IF(semantics) branch_if<[](u64 a, u64 b) { return (semantics); }>
const Row rows[] = {
  // mnemonic   match       mask        syntax                 ext  unit      rd rs1 rs2 rs3 properties      semantics: a = x[rs1], b = x[rs2] or the immediate
  {"lui",       0x00000037, 0x0000007f, "rd, imm20",           "I", alu,      W, o, o, o, 0,                immediate},
  {"auipc",     0x00000017, 0x0000007f, "rd, pcrel20",         "I", alu,      W, o, o, o, 0,                immediate},
  {"addi",      0x00000013, 0x0000707f, "rd, rs1, imm12",      "I", alu,      W, R, o, o, 0,                RI(a + b)},
  {"slti",      0x00002013, 0x0000707f, "rd, rs1, imm12",      "I", alu,      W, R, o, o, 0,                RI(static_cast<i64>(a) < static_cast<i64>(b))},
  {"sltiu",     0x00003013, 0x0000707f, "rd, rs1, imm12",      "I", alu,      W, R, o, o, 0,                RI(a < b)},
  {"xori",      0x00004013, 0x0000707f, "rd, rs1, imm12",      "I", alu,      W, R, o, o, 0,                RI(a ^ b)},
  {"ori",       0x00006013, 0x0000707f, "rd, rs1, imm12",      "I", alu,      W, R, o, o, 0,                RI(a | b)},
  {"andi",      0x00007013, 0x0000707f, "rd, rs1, imm12",      "I", alu,      W, R, o, o, 0,                RI(a & b)},
  {"slli",      0x00001013, 0xfc00707f, "rd, rs1, shamt6",     "I", alu,      W, R, o, o, 0,                RI(a << b)},
  {"srli",      0x00005013, 0xfc00707f, "rd, rs1, shamt6",     "I", alu,      W, R, o, o, 0,                RI(a >> b)},
  {"srai",      0x40005013, 0xfc00707f, "rd, rs1, shamt6",     "I", alu,      W, R, o, o, 0,                RI(arithmetic_shift(a, b))},
  {"addiw",     0x0000001b, 0x0000707f, "rd, rs1, imm12",      "I", alu,      W, R, o, o, 0,                RI(sign_extend_word(a + b))},
  {"slliw",     0x0000101b, 0xfe00707f, "rd, rs1, shamt5",     "I", alu,      W, R, o, o, 0,                RI(sign_extend_word(a << b))},
  {"srliw",     0x0000501b, 0xfe00707f, "rd, rs1, shamt5",     "I", alu,      W, R, o, o, 0,                RI(sign_extend_word(low_word(a) >> b))},
  {"sraiw",     0x4000501b, 0xfe00707f, "rd, rs1, shamt5",     "I", alu,      W, R, o, o, 0,                RI(arithmetic_shift(sign_extend_word(a), b))},
  {"add",       0x00000033, 0xfe00707f, "rd, rs1, rs2",        "I", alu,      W, R, R, o, 0,                RR(a + b)},
  {"sub",       0x40000033, 0xfe00707f, "rd, rs1, rs2",        "I", alu,      W, R, R, o, 0,                RR(a - b)},
  {"sll",       0x00001033, 0xfe00707f, "rd, rs1, rs2",        "I", alu,      W, R, R, o, 0,                RR(a << (b & 63))},
  {"slt",       0x00002033, 0xfe00707f, "rd, rs1, rs2",        "I", alu,      W, R, R, o, 0,                RR(static_cast<i64>(a) < static_cast<i64>(b))},
  {"sltu",      0x00003033, 0xfe00707f, "rd, rs1, rs2",        "I", alu,      W, R, R, o, 0,                RR(a < b)},
  {"xor",       0x00004033, 0xfe00707f, "rd, rs1, rs2",        "I", alu,      W, R, R, o, 0,                RR(a ^ b)},
  {"srl",       0x00005033, 0xfe00707f, "rd, rs1, rs2",        "I", alu,      W, R, R, o, 0,                RR(a >> (b & 63))},
  {"sra",       0x40005033, 0xfe00707f, "rd, rs1, rs2",        "I", alu,      W, R, R, o, 0,                RR(arithmetic_shift(a, b & 63))},
  {"or",        0x00006033, 0xfe00707f, "rd, rs1, rs2",        "I", alu,      W, R, R, o, 0,                RR(a | b)},
  {"and",       0x00007033, 0xfe00707f, "rd, rs1, rs2",        "I", alu,      W, R, R, o, 0,                RR(a & b)},
  {"addw",      0x0000003b, 0xfe00707f, "rd, rs1, rs2",        "I", alu,      W, R, R, o, 0,                RR(sign_extend_word(a + b))},
  {"subw",      0x4000003b, 0xfe00707f, "rd, rs1, rs2",        "I", alu,      W, R, R, o, 0,                RR(sign_extend_word(a - b))},
  {"sllw",      0x0000103b, 0xfe00707f, "rd, rs1, rs2",        "I", alu,      W, R, R, o, 0,                RR(sign_extend_word(a << (b & 31)))},
  {"srlw",      0x0000503b, 0xfe00707f, "rd, rs1, rs2",        "I", alu,      W, R, R, o, 0,                RR(sign_extend_word(low_word(a) >> (b & 31)))},
  {"sraw",      0x4000503b, 0xfe00707f, "rd, rs1, rs2",        "I", alu,      W, R, R, o, 0,                RR(arithmetic_shift(sign_extend_word(a), b & 31))},

  {"lb",        0x00000003, 0x0000707f, "rd, imm12(rs1)",      "I", load,  W, R, o, o, reads_memory,  load_x<i8>},
  {"lh",        0x00001003, 0x0000707f, "rd, imm12(rs1)",      "I", load,  W, R, o, o, reads_memory,  load_x<i16>},
  {"lw",        0x00002003, 0x0000707f, "rd, imm12(rs1)",      "I", load,  W, R, o, o, reads_memory,  load_x<i32>},
  {"ld",        0x00003003, 0x0000707f, "rd, imm12(rs1)",      "I", load,  W, R, o, o, reads_memory,  load_x<i64>},
  {"lbu",       0x00004003, 0x0000707f, "rd, imm12(rs1)",      "I", load,  W, R, o, o, reads_memory,  load_x<u8>},
  {"lhu",       0x00005003, 0x0000707f, "rd, imm12(rs1)",      "I", load,  W, R, o, o, reads_memory,  load_x<u16>},
  {"lwu",       0x00006003, 0x0000707f, "rd, imm12(rs1)",      "I", load,  W, R, o, o, reads_memory,  load_x<u32>},
  {"sb",        0x00000023, 0x0000707f, "rs2, store12(rs1)",   "I", store, o, R, R, o, writes_memory, store_x<u8>},
  {"sh",        0x00001023, 0x0000707f, "rs2, store12(rs1)",   "I", store, o, R, R, o, writes_memory, store_x<u16>},
  {"sw",        0x00002023, 0x0000707f, "rs2, store12(rs1)",   "I", store, o, R, R, o, writes_memory, store_x<u32>},
  {"sd",        0x00003023, 0x0000707f, "rs2, store12(rs1)",   "I", store, o, R, R, o, writes_memory, store_x<u64>},

  {"beq",       0x00000063, 0x0000707f, "rs1, rs2, branch",    "I", branch, o, R, R, o, jump,         IF(a == b)},
  {"bne",       0x00001063, 0x0000707f, "rs1, rs2, branch",    "I", branch, o, R, R, o, jump,         IF(a != b)},
  {"blt",       0x00004063, 0x0000707f, "rs1, rs2, branch",    "I", branch, o, R, R, o, jump,         IF(static_cast<i64>(a) < static_cast<i64>(b))},
  {"bge",       0x00005063, 0x0000707f, "rs1, rs2, branch",    "I", branch, o, R, R, o, jump,         IF(static_cast<i64>(a) >= static_cast<i64>(b))},
  {"bltu",      0x00006063, 0x0000707f, "rs1, rs2, branch",    "I", branch, o, R, R, o, jump,         IF(a < b)},
  {"bgeu",      0x00007063, 0x0000707f, "rs1, rs2, branch",    "I", branch, o, R, R, o, jump,         IF(a >= b)},
  {"jal",       0x0000006f, 0x0000007f, "rd, jump",            "I", branch, W, o, o, o, jump,         jal},
  {"jalr",      0x00000067, 0x0000707f, "rd, imm12(rs1)",      "I", branch, W, R, o, o, jump,         jalr},

  // A fence's rd and rs1, and whatever fm says but .tso, are for finer fences to come: implementations ignore
  // them, as all but funct3 of fence.i. pause (pred w, no succ) is a HINT among them.
  {"fence.tso", 0x8330000f, 0xfff0707f, "",                    "I", system,   o, o, o, o, jump,             nothing},
  {"fence",     0x0000000f, 0x0000707f, "pred, succ",          "I", system,   o, o, o, o, jump,             nothing},
  {"ecall",     0x00000073, 0xffffffff, "",                    "I", system,   o, o, o, o, jump,             ecall},
  {"ebreak",    0x00100073, 0xffffffff, "",                    "I", system,   o, o, o, o, jump,             ebreak},
  {"fence.i",   0x0000100f, 0x0000707f, "",                    "Zifencei", system, o, o, o, o, jump,        nothing},

  {"mul",       0x02000033, 0xfe00707f, "rd, rs1, rs2",        "M", multiply, W, R, R, o, 0,                RR(a * b)},
  {"mulh",      0x02001033, 0xfe00707f, "rd, rs1, rs2",        "M", multiply, W, R, R, o, 0,                RR(static_cast<u64>(i128{static_cast<i64>(a)} * static_cast<i64>(b) >> 64))},
  {"mulhsu",    0x02002033, 0xfe00707f, "rd, rs1, rs2",        "M", multiply, W, R, R, o, 0,                RR(static_cast<u64>(i128{static_cast<i64>(a)} * static_cast<i128>(b) >> 64))},
  {"mulhu",     0x02003033, 0xfe00707f, "rd, rs1, rs2",        "M", multiply, W, R, R, o, 0,                RR(static_cast<u64>(u128{a} * b >> 64))},
  {"mulw",      0x0200003b, 0xfe00707f, "rd, rs1, rs2",        "M", multiply, W, R, R, o, 0,                RR(sign_extend_word(a * b))},
  {"div",       0x02004033, 0xfe00707f, "rd, rs1, rs2",        "M", divide, W, R, R, o, 0,            register_register<on<i64, quotient<i64>>>},
  {"divu",      0x02005033, 0xfe00707f, "rd, rs1, rs2",        "M", divide, W, R, R, o, 0,            register_register<on<u64, quotient<u64>>>},
  {"rem",       0x02006033, 0xfe00707f, "rd, rs1, rs2",        "M", divide, W, R, R, o, 0,            register_register<on<i64, remainder<i64>>>},
  {"remu",      0x02007033, 0xfe00707f, "rd, rs1, rs2",        "M", divide, W, R, R, o, 0,            register_register<on<u64, remainder<u64>>>},
  {"divw",      0x0200403b, 0xfe00707f, "rd, rs1, rs2",        "M", divide, W, R, R, o, 0,            register_register<on<i32, quotient<i32>>>},
  {"divuw",     0x0200503b, 0xfe00707f, "rd, rs1, rs2",        "M", divide, W, R, R, o, 0,            register_register<on<u32, quotient<u32>>>},
  {"remw",      0x0200603b, 0xfe00707f, "rd, rs1, rs2",        "M", divide, W, R, R, o, 0,            register_register<on<i32, remainder<i32>>>},
  {"remuw",     0x0200703b, 0xfe00707f, "rd, rs1, rs2",        "M", divide, W, R, R, o, 0,            register_register<on<u32, remainder<u32>>>},
};
#undef RR
#undef RI
#undef IF
// clang-format on

}  // namespace

std::span<const Row> base_rows() { return rows; }

}  // namespace dojo::isa
