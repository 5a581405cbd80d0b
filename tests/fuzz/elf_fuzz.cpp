// Arbitrary bytes as an ELF file: read, laid out and loaded, or refused, and nothing else.
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "machine/machine.h"
#include "system/layout.h"
#include "system/program.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dojo::system;
  static const auto machine = dojo::machine::read_machine("d1");
  try {
    const Program program = Program::parse({reinterpret_cast<const std::byte*>(data), size}, "fuzz.elf");
    for (const auto& [address, name] : program.code_symbols()) program.locate(address + 1);
    const Layout layout = lay_out(program, machine.node, 0, 0);
    std::vector<std::byte> sram(layout.window.size);
    load(program, layout, sram);
  } catch (const dojo::UserError&) {
  }
  return 0;
}
