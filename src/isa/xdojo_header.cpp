#include "isa/xdojo_header.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "isa/instruction.h"

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

}  // namespace

std::string xdojo_header() {
  std::string text =
      "// Xdojo's instructions for C++ on a node. Generated from the rows in src/isa/xdojo_rows.cpp (see "
      "xdojo_header.h);\n"
      "// do not edit. Global addresses are endpoint << 40 | offset (docs/notes/001), meanings stand in "
      "docs/notes/002.\n"
      "#pragma once\n\n#include <stdint.h>\n\n";
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
  return text;
}

}  // namespace dojo::isa
