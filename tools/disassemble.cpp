// dojo disassemble: the code of a program, from the same table that executes it.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/printable.h"
#include "commands.h"
#include "isa/block.h"
#include "system/program.h"

namespace dojo::tools {

namespace {

// The bits at `offset`, low half-word first; a half-word that the segment lacks reads as zero.
std::uint32_t bits_at(const toolchain::ElfSegment& segment, std::uint64_t offset) {
  std::uint32_t bits = 0;
  const std::uint64_t left = segment.bytes.size() - offset;
  std::memcpy(&bits, segment.bytes.data() + offset, std::min<std::uint64_t>(left, 4));
  return (bits & 3) == 3 ? bits : bits & 0xffff;
}

void disassemble_segment(const system::Program& program, const toolchain::ElfSegment& segment) {
  const auto symbols = program.code_symbols();
  auto symbol =
      std::ranges::lower_bound(symbols, segment.address, {}, [](const auto& entry) { return entry.first; });
  for (std::uint64_t offset = 0; offset + 2 <= segment.bytes.size();) {
    const std::uint64_t pc = segment.address + offset;
    for (; symbol != symbols.end() && symbol->first <= pc; ++symbol)
      fmt::print("\n{:016x} <{}>:\n", symbol->first, printable(symbol->second));
    const std::uint32_t bits = bits_at(segment, offset);
    const bool compressed = (bits & 3) != 3;
    fmt::print("{:>8x}:  {:<10}  {}\n", pc,
               compressed ? fmt::format("{:04x}", bits) : fmt::format("{:08x}", bits),
               isa::disassemble(isa::decode(bits, pc), pc));
    offset += compressed ? 2 : 4;
  }
}

}  // namespace

Command disassemble_command() {
  auto path = std::make_shared<std::string>();
  return {
      .name = "disassemble",
      .summary = "Print the code of a program",
      .options =
          {{.name = "PROGRAM", .into = path.get(), .help = "ELF file", .is_path = true, .required = true}},
      .run = [path](Command&) {
        const system::Program program = system::Program::read(*path);
        for (const toolchain::ElfSegment& segment : program.segments())
          if (segment.executable) disassemble_segment(program, segment);
        return 0;
      }};
}

}  // namespace dojo::tools
