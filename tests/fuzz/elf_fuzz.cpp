// Arbitrary bytes as an ELF file: read, laid out, loaded and run on two nodes for some thousand instructions,
// or refused, and nothing else. The file's length decides whether cycles are counted and code is translated.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/error.h"
#include "machine/machine.h"
#include "put_instruction.h"
#include "system/computer.h"
#include "system/program.h"

namespace {

using dojo::fuzz::Numbers;

constexpr std::size_t code_begins = 0x78;  // behind the headers of a file with one segment

std::uint64_t any_number(std::size_t size, Numbers& numbers) {
  switch (numbers.below(4)) {
    case 0:
      return numbers.below(16);
    case 1:
      return size - numbers.below(std::min<std::size_t>(size, 80));
    case 2:
      return (std::uint64_t{1} << numbers.below(64)) - numbers.below(2);
    default:
      return 0x1000 + 8 * numbers.below(0x400);
  }
}

// Another number into a field of the header, or of one of the two tables that it names.
void change_field(std::uint8_t* data, std::size_t size, Numbers& numbers) {
  constexpr std::size_t table_fields[] = {32, 40};
  std::size_t at = 2 * numbers.below(32);
  if (const std::uint64_t which = numbers.below(3); which < 2) {
    std::uint64_t table = 0;
    std::memcpy(&table, data + table_fields[which], sizeof table);
    at = table % size + 4 * numbers.below(120);
  }
  const std::uint64_t number = any_number(size, numbers);
  const std::size_t width = std::size_t{1} << (1 + numbers.below(3));
  if (at + width <= size) std::memcpy(data + at, &number, width);
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  Numbers numbers(seed);
  if (size < code_begins || numbers.below(3) != 0)
    return dojo::fuzz::mutate(data, size, most, static_cast<unsigned>(numbers.next() >> 32), code_begins);
  change_field(data, size, numbers);
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dojo::system;
  static const auto machine = [] {
    auto small = dojo::machine::read_machine(DOJO_SOURCE_DIR "/machines/d1.toml");
    small.node.sram_bytes = 512 * 1024;  // which is zeroed for each input
    return small;
  }();
  static Computer computer(machine, 2);
  try {
    const Program program = Program::parse({reinterpret_cast<const std::byte*>(data), size}, "fuzz.elf");
    for (const auto& segment : program.segments()) program.describe(segment.address + 1);
    LaunchOptions options;
    options.host.threads = 1;
    options.host.timing = size % 2 == 0;
    options.translate_after = size % 4 < 2 ? 0 : dojo::node::never_translate;
    options.max_instructions = 4000;
    options.measure_memory = size % 16 == 3;  // looks at every byte
    options.arguments = {"fuzz.elf", "word"};
    std::string said;
    options.text_output = [&](std::string_view text) { said += text; };
    computer.launch(program, 0, 0, options);
  } catch (const dojo::UserError&) {
  }
  return 0;
}
