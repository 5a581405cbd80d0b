#include "isa/operands.h"

#include <fmt/format.h>

#include <array>

#include "isa/csr.h"
#include "isa/float_constants.h"

namespace dojo::isa {
namespace {

constexpr std::array<std::string_view, 32> x_names = {
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
    "a6",   "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
constexpr std::array<std::string_view, 32> f_names = {
    "ft0", "ft1", "ft2", "ft3", "ft4",  "ft5",  "ft6", "ft7", "fs0",  "fs1", "fa0",
    "fa1", "fa2", "fa3", "fa4", "fa5",  "fa6",  "fa7", "fs2", "fs3",  "fs4", "fs5",
    "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11"};
constexpr std::array<std::string_view, 8> rounding_names = {"rne", "rtz", "rdn", "rup", "rmm", "", "", "dyn"};

// Bits high..low of the word, as they stand and sign-extended.
constexpr std::int64_t bits(std::uint32_t word, unsigned high, unsigned low) {
  return (word >> low) & ((std::uint64_t{1} << (high - low + 1)) - 1);
}
constexpr std::int64_t signed_bits(std::uint32_t word, unsigned high, unsigned low) {
  const unsigned shift = 64 - (high - low + 1);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(bits(word, high, low)) << shift) >> shift;
}

std::int64_t branch_offset(std::uint32_t w) {
  return (signed_bits(w, 31, 31) * 4096) | (bits(w, 7, 7) << 11) | (bits(w, 30, 25) << 5) |
         (bits(w, 11, 8) << 1);
}
std::int64_t jump_offset(std::uint32_t w) {
  return (signed_bits(w, 31, 31) * 1048576) | (bits(w, 19, 12) << 12) | (bits(w, 20, 20) << 11) |
         (bits(w, 30, 21) << 1);
}

// What fence orders: input, output, reads, writes.
std::string ordered_accesses(std::int64_t set) {
  std::string text;
  for (int i = 0; i < 4; ++i)
    if ((set >> (3 - i)) & 1) text += "iorw"[i];
  return text.empty() ? "0" : text;
}

std::string vtype_text(std::int64_t vtype) {
  constexpr std::array<std::string_view, 8> groups = {"m1", "m2", "m4", "m8", "", "mf8", "mf4", "mf2"};
  const auto group = groups[vtype & 7];
  if (vtype >> 8 || ((vtype >> 3) & 7) > 3 || group.empty()) return fmt::format("{}", vtype);
  return fmt::format("e{}, {}, {}, {}", 8 << ((vtype >> 3) & 7), group, vtype & 64 ? "ta" : "tu",
                     vtype & 128 ? "ma" : "mu");
}

template <std::uint8_t Decoded::* Field>
std::string x_register(const Decoded& d, std::uint64_t) {
  return std::string(x_names[d.*Field]);
}
template <std::uint8_t Decoded::* Field>
std::string f_register(const Decoded& d, std::uint64_t) {
  return std::string(f_names[d.*Field]);
}
template <std::uint8_t Decoded::* Field>
std::string vector_register(const Decoded& d, std::uint64_t) {
  return fmt::format("v{}", d.*Field);
}
std::string number(const Decoded& d, std::uint64_t) { return fmt::format("{}", d.immediate); }
std::string offset(const Decoded& d, std::uint64_t pc) {
  return fmt::format("{}", d.immediate - static_cast<std::int64_t>(pc));
}
std::string upper_20(const Decoded& d, std::uint64_t) { return fmt::format("{}", d.word >> 12); }
std::string rounding(const Decoded& d, std::uint64_t) { return std::string(rounding_names[d.mode & 7]); }
std::string rounding_if_any(const Decoded& d, std::uint64_t pc) { return d.mode == 0 ? "" : rounding(d, pc); }
std::string mask_register(const Decoded& d, std::uint64_t) { return d.mode & 1 ? "" : "v0.t"; }
std::string ordering(const Decoded& d, std::uint64_t) {
  constexpr std::array<std::string_view, 4> names = {"", ".rl", ".aq", ".aqrl"};
  return std::string(names[d.mode & 3]);
}

template <unsigned High, unsigned Low>
std::int64_t unsigned_field(std::uint32_t word) {
  return bits(word, High, Low);
}
template <unsigned High, unsigned Low>
std::int64_t signed_field(std::uint32_t word) {
  return signed_bits(word, High, Low);
}

using D = Decoded;
using Word = std::uint32_t;

// clang-format off
constexpr OperandToken tokens[] = {
  // name       immediate                                            pc     mode   print
  {"rd",        nullptr,                                             false, 0, 0,  x_register<&D::rd>},
  {"rs1",       nullptr,                                             false, 0, 0,  x_register<&D::rs1>},
  {"rs2",       nullptr,                                             false, 0, 0,  x_register<&D::rs2>},
  {"rs3",       nullptr,                                             false, 0, 0,  x_register<&D::rs3>},
  {"fd",        nullptr,                                             false, 0, 0,  f_register<&D::rd>},
  {"fs1",       nullptr,                                             false, 0, 0,  f_register<&D::rs1>},
  {"fs2",       nullptr,                                             false, 0, 0,  f_register<&D::rs2>},
  {"fs3",       nullptr,                                             false, 0, 0,  f_register<&D::rs3>},
  {"vd",        nullptr,                                             false, 0, 0,  vector_register<&D::rd>},
  {"vs1",       nullptr,                                             false, 0, 0,  vector_register<&D::rs1>},
  {"vs2",       nullptr,                                             false, 0, 0,  vector_register<&D::rs2>},
  {"vs3",       nullptr,                                             false, 0, 0,  vector_register<&D::rd>},
  {"rm",        nullptr,                                             false, 12, 3, rounding},
  {"rm_exact",  nullptr,                                             false, 12, 3, rounding_if_any},
  {"vm",        nullptr,                                             false, 25, 1, mask_register},
  {"aqrl",      nullptr,                                             false, 25, 2, ordering, true},
  {"mop_r",     nullptr,                                             false, 0, 0,  [](const D& d, std::uint64_t) { return fmt::format("{}", bits(d.word, 30, 30) << 4 | bits(d.word, 27, 26) << 2 | bits(d.word, 21, 20)); }, true},
  {"mop_rr",    nullptr,                                             false, 0, 0,  [](const D& d, std::uint64_t) { return fmt::format("{}", bits(d.word, 30, 30) << 2 | bits(d.word, 27, 26)); }, true},
  {"imm12",     signed_field<31, 20>,                                false, 0, 0,  number},
  {"store12",   [](Word w) { return (signed_bits(w, 31, 25) * 32) | bits(w, 11, 7); }, false, 0, 0, number},
  {"block12",   [](Word w) { return signed_bits(w, 31, 25) * 32; },   false, 0, 0,  number},
  {"imm20",     [](Word w) { return signed_bits(w, 31, 12) * 4096; }, false, 0, 0, upper_20},
  {"pcrel20",   [](Word w) { return signed_bits(w, 31, 12) * 4096; }, true,  0, 0, upper_20},
  {"branch",    branch_offset,                                       true,  0, 0,  offset},
  {"jump",      jump_offset,                                         true,  0, 0,  offset},
  {"shamt5",    unsigned_field<24, 20>,                              false, 0, 0,  number},
  {"shamt6",    unsigned_field<25, 20>,                              false, 0, 0,  number},
  {"csr",       unsigned_field<31, 20>,                              false, 0, 0,  [](const D& d, std::uint64_t) { return csr_name(static_cast<unsigned>(d.immediate)); }},
  {"simm5",     signed_field<19, 15>,                                false, 0, 0,  number},
  {"uimm5",     unsigned_field<19, 15>,                              false, 0, 0,  number},
  {"uimm6",     [](Word w) { return (bits(w, 26, 26) << 5) | bits(w, 19, 15); }, false, 0, 0, number},
  {"zimm5",     nullptr,                                             false, 0, 0,  [](const D& d, std::uint64_t) { return fmt::format("{}", d.rs1); }},
  {"vtypei",    unsigned_field<30, 20>,                              false, 0, 0,  [](const D& d, std::uint64_t) { return vtype_text(d.immediate); }},
  {"vtypei10",  unsigned_field<29, 20>,                              false, 0, 0,  [](const D& d, std::uint64_t) { return vtype_text(d.immediate); }},
  {"pred",      nullptr,                                             false, 0, 0,  [](const D& d, std::uint64_t) { return ordered_accesses(bits(d.word, 27, 24)); }},
  {"succ",      nullptr,                                             false, 0, 0,  [](const D& d, std::uint64_t) { return ordered_accesses(bits(d.word, 23, 20)); }},
  {"fli",       nullptr,                                             false, 0, 0,  [](const D& d, std::uint64_t) { return std::string(float_constant(d.rs1).text); }},
  {"mt",        nullptr,                                             false, 0, 0,  [](const D& d, std::uint64_t) { return fmt::format("mt{}", bits(d.word, 11, 8)); }},
  {"imm",       nullptr,                                             false, 0, 0,  number},
  {"cimm20",    nullptr,                                             false, 0, 0,  upper_20},
  {"pcoffset",  nullptr,                                             false, 0, 0,  offset},
};
// clang-format on

}  // namespace

const OperandToken* find_token(std::string_view name) {
  for (const auto& token : tokens)
    if (token.name == name) return &token;
  return nullptr;
}

}  // namespace dojo::isa
