// Arbitrary bytes as code, run in two ways: by its semantics, and as host code, blocks and traces from the
// first run on. Hart, memory, cycles and counts must end alike. Inputs: code_input.h; what stays of bytes 1
// and 2 also decides how it is run.
#include <array>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>

#include "code_input.h"
#include "isa/block.h"
#include "node/core.h"

namespace {

using namespace dojo;
using fuzz::input_header_bytes;
using isa::Hart;

constexpr std::uint64_t base = 0x10000, bytes = 4 * 1024, code_bytes = 1024;
constexpr std::uint64_t most_instructions = 2000;

struct World {
  Hart hart;
  std::array<std::byte, bytes> memory{};
  std::uint64_t instructions = 0, cycles = 0;
  std::map<std::uint32_t, node::Counts> counts;

  isa::Memory window() { return {memory.data(), base, bytes, 0, base, base + code_bytes}; }
  bool operator==(const World& other) const {
    const Hart &a = hart, &b = other.hart;
    return a.x == b.x && a.f == b.f && a.pc == b.pc && a.fflags == b.fflags && a.frm == b.frm &&
           a.vl == b.vl && a.vtype == b.vtype && a.sew == b.sew && a.lmul_log2 == b.lmul_log2 &&
           a.altfmt == b.altfmt && a.tile_m == b.tile_m && a.tile_k == b.tile_k &&
           a.tile_widen == b.tile_widen && a.vstart == b.vstart && a.v == b.v && a.tiles == b.tiles &&
           a.stop == b.stop &&
           (a.stop != isa::Stop::trap || (a.trap == b.trap && a.trap_value == b.trap_value)) &&
           memory == other.memory && instructions == other.instructions && cycles == other.cycles &&
           counts == other.counts;
  }
};

struct Way {
  std::uint32_t translate_after = node::never_translate;
  node::HostVectors vectors = node::HostVectors::none;
  bool with_timing = true;
  std::uint64_t slice = most_instructions;  // instructions
};

void run(World& world, const Way& way) {
  static const auto machine = machine::read_machine(DOJO_SOURCE_DIR "/machines/d1.toml");
  world.hart.memory = world.window();
  node::CodeImage image(base, base + code_bytes, isa::max_block, way.translate_after, way.vectors);
  node::BlockTiming timing(machine.node);
  node::Core core(image, timing, way.with_timing);
  while (world.instructions < most_instructions) {
    const node::Slice slice = core.run(world.hart, way.slice);
    world.instructions += slice.instructions;
    world.cycles += slice.cycles;
    if (slice.stop != isa::Stop::none) break;
  }
  world.counts = core.counts();
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  return dojo::fuzz::mutate_input(data, size, most, seed);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (node::host_vectors() == node::HostVectors::none) return 0;
  if (size < input_header_bytes || size - input_header_bytes > code_bytes) return 0;
  const auto start = std::make_unique<World>();
  std::memcpy(start->memory.data(), data + input_header_bytes, size - input_header_bytes);
  fuzz::begin_as(start->hart, data, start->window());
  const unsigned choice = data[1];
  const bool with_timing = (choice & 1) != 0;
  // Slices that end where they do by the semantics alone, too, so that cycles are cut alike.
  const std::uint64_t slice = (choice & 2) != 0 ? most_instructions : 1 + choice % 61;
  const auto expected = std::make_unique<World>(*start), translated = std::make_unique<World>(*start);
  run(*expected, {.with_timing = with_timing, .slice = slice});
  run(*translated, {.translate_after = (choice & 4) != 0 ? 0u : 2u,
                    .vectors = (choice & 8) != 0 ? node::HostVectors::avx2 : node::host_vectors(),
                    .with_timing = with_timing,
                    .slice = slice});
  if (!(*expected == *translated)) std::abort();
  return 0;
}
