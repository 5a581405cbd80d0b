// Arbitrary bytes as code: decoded, written as text and executed, and nothing outside the hart and its memory
// is touched.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "isa/block.h"

namespace {

constexpr std::uint64_t base = 0x10000, bytes = 16 * 1024, code_bytes = 1024;
constexpr int most_blocks = 64;

// Registers near memory more often than not, so that accesses meet its edges.
void fill(dojo::isa::Hart& hart, const std::uint8_t* data, std::size_t size) {
  std::uint64_t seed = 0x9e3779b97f4a7c15u;
  for (std::size_t i = 0; i < size; ++i) seed = (seed ^ data[i]) * 0x100000001b3u;
  const auto next = [&seed] { return seed = seed * 6364136223846793005u + 1442695040888963407u; };
  for (unsigned i = 1; i < 32; ++i) {
    const std::uint64_t random = next();
    hart.x[i] = (random >> 62) == 0 ? random : base + (random >> 33) % (bytes + 64) - 32;
  }
  for (auto& f : hart.f) f = next() | ((next() >> 63) != 0 ? 0xffffffff00000000u : 0);
  for (auto& byte : hart.v) byte = static_cast<std::byte>(next() >> 56);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dojo::isa;
  if (size < 3 || size > code_bytes) return 0;
  // Each byte of its own, so that a sanitizer sees the edges.
  const auto memory = std::make_unique<std::byte[]>(bytes);
  auto hart = std::make_unique<Hart>();
  constexpr std::array vlens = {128u, 256u, 512u, 1024u};
  hart->vlen_bits = vlens[data[0] & 3];
  hart->memory = {memory.get(), base, bytes, 0, base, base + code_bytes};
  std::memcpy(memory.get(), data + 1, size - 1);
  fill(*hart, data, size);
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
