#include "system/layout.h"

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "system/memory.h"

namespace dojo::system {

namespace {

constexpr std::uint64_t window_grain = 64 * 1024;
// What is larger is no node's SRAM but a flat memory for ordinary programs, which want ordinary stacks.
constexpr std::uint64_t largest_sram = 8 * 1024 * 1024;

void check_range(const Program& program, const Layout& layout, std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t lowest = std::max(layout.window.base, layout.window.unmapped_below);
  const std::uint64_t stacks = layout.stack_end(layout.threads);
  if (begin < lowest)
    refuse(program.where(), "has a segment at {:#x}, below the first mapped address {:#x} of a node", begin,
           lowest);
  if (end > stacks)
    refuse(program.where(),
           "does not fit a node: it ends at {:#x}, {} bytes over {:#x} where the stacks begin", end,
           end - stacks, stacks);
  if (begin < layout.persistent_end && end > layout.persistent_begin)
    refuse(program.where(), "has a segment [{:#x}, {:#x}) in the persistent region [{:#x}, {:#x})", begin,
           end, layout.persistent_begin, layout.persistent_end);
}

// The address of a word that the program shares with its host; 0: it has none.
std::uint64_t host_word(const Program& program, const isa::Memory& window, std::string_view name) {
  constexpr std::uint64_t bytes = 8;
  const std::uint64_t address = program.symbol(name, 0);
  if (program.has_symbol(name) &&
      (address < std::max(window.base, window.unmapped_below) || address > window.base + window.size - bytes))
    refuse(program.where(), "has its symbol {} at {:#x}, outside a node's memory", name, address);
  return address;
}

}  // namespace

Layout lay_out(const Program& program, const machine::Node& node, std::uint64_t persistent_begin,
               std::uint64_t persistent_end) {
  Layout layout;
  isa::Memory& window = layout.window;
  window.size = node.sram_bytes;
  window.unmapped_below = node.program_base;
  const std::uint64_t lowest = program.segments().front().address;
  if (lowest >= node.sram_bytes) {
    window.base = lowest / window_grain * window_grain;
    window.unmapped_below = window.base;
  }
  if (window.base + window.size < window.base)
    refuse(program.where(), "is linked at {:#x}, too near the end", lowest);
  std::tie(window.text_begin, window.text_end) = program.text();

  const std::uint64_t threads = program.symbol("__dojo_threads", 1);
  if (threads < 1 || threads > node.threads)
    refuse(program.where(), "asks for {} threads (symbol __dojo_threads); a node has 1 to {}", threads,
           node.threads);
  layout.threads = static_cast<unsigned>(threads);
  if (window.size > largest_sram) layout.stack_bytes = std::min(window.size / 8, flat_stack_bytes);
  layout.image_end = program.segments().back().end();
  layout.persistent_begin = persistent_begin;
  layout.persistent_end = persistent_end;
  const std::uint64_t stacks = layout.stack_end(layout.threads);
  if (persistent_begin != persistent_end &&
      (persistent_begin > persistent_end || persistent_begin < window.base || persistent_end > stacks))
    refuse(program.where(), "runs with a persistent region [{:#x}, {:#x}) outside [{:#x}, {:#x})",
           persistent_begin, persistent_end, window.base, stacks);
  for (const toolchain::ElfSegment& segment : program.segments())
    check_range(program, layout, segment.address, segment.end());

  layout.tohost = host_word(program, window, "tohost");
  layout.fromhost = host_word(program, window, "fromhost");
  return layout;
}

void load(const Program& program, const Layout& layout, std::span<std::byte> sram) {
  const std::uint64_t base = layout.window.base;
  const bool keeps = layout.persistent_begin != layout.persistent_end;
  const std::uint64_t kept_begin = keeps ? layout.persistent_begin - base : sram.size();
  const std::uint64_t kept_end = keeps ? layout.persistent_end - base : sram.size();
  make_zero(sram.first(kept_begin));
  make_zero(sram.subspan(kept_end));
  for (const toolchain::ElfSegment& segment : program.segments())
    std::ranges::copy(segment.bytes, sram.begin() + static_cast<std::ptrdiff_t>(segment.address - base));
}

}  // namespace dojo::system
