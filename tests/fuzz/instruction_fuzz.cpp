// Arbitrary bytes as code: decoded, written as text and executed, and nothing outside the hart and its memory
// is touched.
//
// An input: byte 0 chooses VLEN, bytes 1 and 2 the registers' random contents, byte 3 is the vtype that code
// starts in; the rest is the code.
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "isa/block.h"
#include "put_instruction.h"

namespace {

using namespace dojo::isa;
using dojo::fuzz::Numbers;

constexpr std::uint64_t base = 0x10000, bytes = 16 * 1024, code_bytes = 1024;
constexpr std::size_t header_bytes = 4;
constexpr int most_blocks = 64;

// Registers near memory more often than not, so that accesses meet its edges.
void fill(Hart& hart, Numbers numbers) {
  for (unsigned i = 1; i < 32; ++i) {
    const std::uint64_t random = numbers.next();
    hart.x[i] = (random >> 62) == 0 ? random : base + (random >> 33) % (bytes + 64) - 32;
  }
  for (auto& f : hart.f) f = numbers.next() | ((numbers.next() >> 63) != 0 ? 0xffffffff00000000u : 0);
  for (auto& byte : hart.v) byte = static_cast<std::byte>(numbers.next() >> 56);
}

// vsetvli t0, zero, `vtype`: as many elements as there are.
constexpr std::uint32_t configure(std::uint8_t vtype) { return 0x000072d7u | std::uint32_t{vtype} << 20; }

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  return dojo::fuzz::mutate(data, size, most, seed, header_bytes);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < header_bytes || size - header_bytes > code_bytes - 4) return 0;
  // Each byte of its own, so that a sanitizer sees the edges.
  const auto memory = std::make_unique<std::byte[]>(bytes);
  auto hart = std::make_unique<Hart>();
  constexpr std::array vlens = {128u, 256u, 512u, 1024u};
  hart->vlen_bits = vlens[data[0] & 3];
  hart->memory = {memory.get(), base, bytes, 0, base, base + code_bytes};
  const std::uint32_t first = configure(data[3]);
  std::memcpy(memory.get(), &first, sizeof first);
  std::memcpy(memory.get() + sizeof first, data + header_bytes, size - header_bytes);
  fill(*hart, Numbers(data[1] | data[2] << 8));
  hart->pc = base;
  for (int i = 0; i < most_blocks && hart->stop != Stop::trap; ++i) {
    const Block block = build_block(hart->memory, hart->pc);
    std::uint64_t pc = block.pc;
    for (std::uint32_t k = 0; k < block.count; pc += block.code[k++].length)
      if (disassemble(block.code[k], pc).empty()) std::abort();
    const auto completed = run_block(*hart, block);
    if (completed > block.count || hart->x[0] != 0 || hart->vl > 8 * hart->vlen_bits / 8) std::abort();
  }
  return 0;
}
