#include "isa/xdojo_header.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "isa/instruction.h"
#include "machine/address.h"

namespace dojo::isa {
namespace {

// What each row's operands are called in C++, in the order of its syntax, and what the call does.
struct Call {
  std::string_view mnemonic, name, parameters, comment;
};
constexpr Call calls[] = {
    {"dj.put", "dojo_put", "semaphore destination source bytes",
     "Copies local bytes to the global destination, then adds 1 to the semaphore at that endpoint (0: "
     "none)."},
    {"dj.get", "dojo_get", "semaphore destination source bytes",
     "Copies bytes from the global source, then adds 1 to the local semaphore (0: none)."},
    {"dj.signal", "dojo_signal", "semaphore amount", "Adds to the semaphore at a global address."},
    {"dj.wait", "dojo_wait", "semaphore amount",
     "Blocks until the local semaphore holds at least the amount, then subtracts it."},
    {"dj.quiet", "dojo_quiet", "",
     "Blocks until every put of this thread is delivered and every get has arrived."},
};

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    text = at == text.npos ? std::string_view{} : text.substr(at + separator.size());
  }
  return parts;
}

const Row& row_of(std::string_view mnemonic) {
  for (const Row& row : dojo_rows())
    if (row.mnemonic == mnemonic) return row;
  broken_invariant("every call has a row", __FILE__, __LINE__);
}

// ".insn r4 0x0b, 0, 1, " or ".insn r 0x0b, 1, 2, ": the fixed fields of an encoding, ready for its
// registers.
std::string insn(const Row& row) {
  const unsigned opcode = row.match & 0x7f, funct3 = row.match >> 12 & 7;
  if (row.rs3 != Operand::none)
    return fmt::format(".insn r4 {:#04x}, {}, {}, ", opcode, funct3, row.match >> 25 & 3);
  return fmt::format(".insn r {:#04x}, {}, {}, ", opcode, funct3, row.match >> 25);
}

std::string function(const Call& call) {
  const Row& row = row_of(call.mnemonic);
  const auto names = split(call.parameters, " ");
  const auto written = split(row.syntax, ", ");
  DOJO_ENSURE(names.size() == written.size());
  const auto place = [&](std::string_view field) -> std::string {
    for (std::size_t i = 0; i < written.size(); ++i)
      if (written[i] == field) return fmt::format("%z{}", i);
    return "x0";
  };
  std::string registers = fmt::format("{}, {}, {}", place("rd"), place("rs1"), place("rs2"));
  if (row.rs3 != Operand::none) registers += ", " + place("rs3");
  std::string parameters, inputs;
  for (const auto name : names) {
    parameters += fmt::format("{}uint64_t {}", parameters.empty() ? "" : ", ", name);
    inputs += fmt::format("{}\"rJ\"({})", inputs.empty() ? "" : ", ", name);
  }
  return fmt::format("// {}\ninline void {}({}) {{\n  asm volatile(\"{}{}\" : : {} : \"memory\");\n}}\n\n",
                     call.comment, call.name, parameters, insn(row), registers, inputs);
}

// An array loop: loads at one width, converts, stores at the other. LMUL is 1 on the narrow side.
std::string array_convert(std::string_view mnemonic, unsigned bits) {
  const Row& row = row_of(mnemonic);
  const bool narrows = mnemonic == "dj.vfncvt.cf.f";
  const unsigned ratio = 32 / bits;
  const std::string narrow_type = fmt::format("e{}, m1, ta, ma", bits);
  return fmt::format(
      "inline void dojo_{0}{1}(void* to, const void* from, uint64_t count, uint64_t descriptor) {{\n"
      "  uint64_t step;\n"
      "  asm volatile(\n"
      "      \"1: vsetvli %0, %3, {2}\\n\"\n"
      "      \"vle{3}.v v8, (%2)\\n\"\n"
      "      \"vsetvli zero, %0, e{1}, m1, ta, ma\\n\"\n"
      "      \".insn r {4:#04x}, {5}, {6}, v16, %4, v8\\n\"\n"
      "      \"vsetvli zero, %0, {7}\\n\"\n"
      "      \"vse{8}.v v16, (%1)\\n\"\n"
      "      \"sub %3, %3, %0\\n\"\n"
      "      \"slli %0, %0, {9}\\nadd %1, %1, %0\\n\"\n"
      "      \"{10} %0, %0, {11}\\nadd %2, %2, %0\\n\"\n"
      "      \"bnez %3, 1b\"\n"
      "      : \"=&r\"(step), \"+&r\"(to), \"+&r\"(from), \"+&r\"(count)\n"
      "      : \"r\"(descriptor)\n"
      "      : \"v8\", \"v9\", \"v10\", \"v11\", \"v16\", \"v17\", \"v18\", \"v19\", \"vl\", \"vtype\", "
      "\"memory\");\n}}\n\n",
      narrows ? "narrow" : "widen", bits, narrows ? fmt::format("e32, m{}, ta, ma", ratio) : narrow_type,
      narrows ? 32 : bits, row.match & 0x7f, row.match >> 12 & 7, row.match >> 25 | 1,
      narrows ? narrow_type : fmt::format("e32, m{}, ta, ma", ratio), narrows ? bits : 32,
      narrows ? (bits == 8 ? 0 : 1) : 2, narrows ? "slli" : "srli", ratio == 4 ? 2 : 1);
}

// docs/notes/001.
std::string addresses() {
  return fmt::format(
      "// A place in the SRAM of a node (its endpoint is its number), and in the HBM of interface processor "
      "d.\n"
      "constexpr uint64_t dojo_global(uint64_t endpoint, uint64_t offset) {{\n"
      "  return endpoint << {} | offset;\n}}\n"
      "constexpr uint64_t dojo_hbm(uint64_t d, uint64_t offset) {{ return dojo_global({:#x} + d, offset); "
      "}}\n\n",
      machine::GlobalAddress::offset_bits, machine::first_interface);
}

}  // namespace

std::string xdojo_header() {
  std::string text =
      "// Xdojo's instructions for C++ on a node. Generated from the rows in src/isa/xdojo_rows.cpp (see "
      "xdojo_header.h);\n"
      "// do not edit. Meanings stand in docs/notes/002.\n"
      "#pragma once\n\n#include <stdint.h>\n\n";
  text += addresses();
  for (const Call& call : calls) text += function(call);
  const Row& mark = row_of("dj.mark");
  text += fmt::format(
      "// Instructions that follow belong to plan op `id`. Free.\ntemplate <uint32_t id>\ninline void "
      "dojo_mark() {{\n"
      "  constexpr int32_t low = static_cast<int32_t>(id << 20) >> 20;\n"
      "  asm volatile(\".insn i {:#04x}, {}, x0, %z0, %1\" : : \"rJ\"(static_cast<uint64_t>(id) - low), "
      "\"i\"(low) : "
      "\"memory\");\n}}\n",
      mark.match & 0x7f, mark.match >> 12 & 7);
  text +=
      "\n// FP32 to CFloat or bf16 codes of 8 or 16 bits and back, whole arrays (count > 0). The descriptor: "
      "bias, format << 8 (0\n"
      "// CFloat8_1_4_3, 1 CFloat8_1_5_2, 2 CFloat16 SHP, 3 CFloat16 UHP, 4 bf16), stochastic << 16, printed "
      "denormals << 17.\n";
  for (const unsigned bits : {8u, 16u})
    for (const auto mnemonic : {"dj.vfncvt.cf.f", "dj.vfwcvt.f.cf"}) text += array_convert(mnemonic, bits);
  const Row& step = row_of("dj.mm.cf");
  text += fmt::format(
      "// For use inside an asm statement that has set the matrix configuration (e8, w4): the tile is mt0, "
      "mt4, mt8 or mt12,\n"
      "// a and b are v registers. DOJO_MM_CF(mt4, v0, v8) adds to mt4.\n"
      "#define DOJO_MM_CF(tile, a, b) \".insn r {:#04x}, {}, {}, \" DOJO_REGISTER_##tile \", \" #b \", \" #a "
      "\"\\n\"\n"
      "#define DOJO_REGISTER_mt0 \"x0\"\n"
      "#define DOJO_REGISTER_mt4 \"x8\"\n"
      "#define DOJO_REGISTER_mt8 \"x16\"\n"
      "#define DOJO_REGISTER_mt12 \"x24\"\n",
      step.match & 0x7f, step.match >> 12 & 7, step.match >> 25);
  return text;
}

}  // namespace dojo::isa
