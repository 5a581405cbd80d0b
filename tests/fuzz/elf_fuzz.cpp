// Arbitrary bytes as an ELF file: read, laid out, loaded and run on two nodes for some thousand instructions,
// or refused, and nothing else. The file's length decides whether cycles are counted.
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "machine/machine.h"
#include "put_instruction.h"
#include "system/computer.h"
#include "system/program.h"

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  return dojo::fuzz::mutate(data, size, most, seed, 0x78);  // behind the headers of a file with one segment
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dojo::system;
  static const auto machine = dojo::machine::read_machine("d1");
  static Computer computer(machine, 2);
  try {
    const Program program = Program::parse({reinterpret_cast<const std::byte*>(data), size}, "fuzz.elf");
    for (const auto& [address, name] : program.code_symbols()) program.locate(address + 1);
    LaunchOptions options;
    options.host_threads = 1;
    options.timing = size % 2 == 0;
    options.max_instructions = 4000;
    options.measure_memory = true;
    options.arguments = {"fuzz.elf", "word"};
    std::string said;
    options.text_output = [&](std::string_view text) { said += text; };
    computer.launch(program, 0, 0, options);
  } catch (const dojo::UserError&) {
  }
  return 0;
}
