// Arbitrary bytes as code: decoded, written as text and executed, and nothing outside the hart and its memory
// is touched. Inputs: code_input.h.
#include <cstdlib>
#include <cstring>
#include <memory>

#include "code_input.h"
#include "isa/block.h"
#include "isa/machine_mode.h"

namespace {

using namespace dojo::isa;
using dojo::fuzz::input_header_bytes;

constexpr std::uint64_t base = 0x10000, bytes = 16 * 1024, code_bytes = 1024;
constexpr int most_blocks = 64;

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  return dojo::fuzz::mutate_input(data, size, most, seed);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < input_header_bytes || size - input_header_bytes > code_bytes) return 0;
  // Each byte of its own, so that a sanitizer sees the edges.
  const auto memory = std::make_unique<std::byte[]>(bytes);
  auto hart = std::make_unique<Hart>();
  std::memcpy(memory.get(), data + input_header_bytes, size - input_header_bytes);
  dojo::fuzz::begin_as(*hart, data, {memory.get(), base, bytes, 0, base, base + code_bytes});
  for (int i = 0; i < most_blocks; ++i) {
    const Block block = build_block(hart->memory, hart->pc);
    std::uint64_t pc = block.pc;
    for (std::uint32_t k = 0; k < block.count; pc += block.code[k++].length)
      if (disassemble(block.code[k], pc).empty()) std::abort();
    const auto completed = run_block(*hart, block);
    if (completed > block.count || hart->x[0] != 0 || hart->vl > 8 * hart->vlen_bits / 8) std::abort();
    if (hart->stop == Stop::trap && !enter_trap_handler(*hart)) break;
  }
  return 0;
}
