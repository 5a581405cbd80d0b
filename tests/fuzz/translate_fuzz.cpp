// Arbitrary bytes as code, block by block in both ways: by its meanings, and translated to host code. Hart
// and memory must end alike. Inputs: code_input.h.
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "code_input.h"
#include "isa/block.h"
#include "isa/float_host.h"
#include "translate/translator.h"

namespace {

using namespace dojo::isa;
using dojo::fuzz::input_header_bytes;
using dojo::translate::Tally;

constexpr std::uint64_t base = 0x10000, bytes = 4 * 1024, code_bytes = 1024;
constexpr int most_blocks = 16;
constexpr std::uint8_t nearest_to_maximum = 4;

struct World {
  Hart hart;
  std::array<std::byte, bytes> memory{};

  Memory window() { return {memory.data(), base, bytes, 0, base, base + code_bytes}; }
  void attach() {
    hart.memory = window();
    hart.reach = Reach(hart.memory);
  }
  bool operator==(const World& other) const {
    const Hart &a = hart, &b = other.hart;
    return a.x == b.x && a.f == b.f && a.pc == b.pc && a.fflags == b.fflags && a.vl == b.vl &&
           a.vtype == b.vtype && a.vstart == b.vstart && a.v == b.v && a.tiles == b.tiles &&
           a.stop == b.stop && (a.stop != Stop::trap || (a.trap == b.trap && a.trap_value == b.trap_value)) &&
           memory == other.memory;
  }
};

void run_translated(World& world, const Block& block) {
  // Its room for code is used up in the end; the next one begins with all of it.
  static auto translator = std::make_unique<dojo::translate::Translator>();
  Hart& hart = world.hart;
  int owner = 0;
  const dojo::translate::Vectors vectors{
      .any = true, .vl = hart.vl, .vtype = hart.vtype, .vlen_bits = hart.vlen_bits};
  const void* entry = translator->translate(block, vectors, {.owner = &owner});
  if (entry == nullptr) {
    translator = std::make_unique<dojo::translate::Translator>();
    entry = translator->translate(block, vectors, {.owner = &owner});
    if (entry == nullptr) std::abort();
  }
  hart.stop = Stop::none;
  begin_floats(hart);
  std::vector<Tally> tally(dojo::translate::tallies);
  const dojo::translate::Step before;  // nothing is known to follow: one block, left unaccounted
  dojo::translate::Chain chain{.last = &before, .budget = 1000, .tally = tally.data()};
  translator->run(hart, chain, entry);
  end_floats(hart);
  if (hart.stop == Stop::trap) settle_trap(hart, block);
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned seed) {
  return dojo::fuzz::mutate_input(data, size, most, seed);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (!dojo::translate::Translator::host_is_known()) return 0;
  if (size < input_header_bytes || size - input_header_bytes > code_bytes) return 0;
  const auto meant = std::make_unique<World>(), translated = std::make_unique<World>();
  std::memcpy(meant->memory.data(), data + input_header_bytes, size - input_header_bytes);
  dojo::fuzz::begin_as(meant->hart, data, meant->window());
  meant->attach();
  for (int i = 0; i < most_blocks && meant->hart.stop != Stop::trap; ++i) {
    const Block block = build_block(meant->hart.memory, meant->hart.pc);
    if (meant->hart.vstart != 0 || meant->hart.frm >= nearest_to_maximum) break;  // never translated
    *translated = *meant;
    translated->attach();
    run_block(meant->hart, block);
    run_translated(*translated, block);
    if (!(*meant == *translated)) std::abort();
  }
  return 0;
}
