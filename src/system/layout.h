// Where a program lies in a node's local memory (docs/notes/001), decided and checked once per launch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "isa/hart.h"
#include "machine/machine.h"
#include "system/program.h"

namespace dojo::system {

constexpr std::uint64_t node_stack_bytes = 16 * 1024;        // per thread, in a node's own SRAM
constexpr std::uint64_t flat_stack_bytes = 8 * 1024 * 1024;  // at most, in a larger memory: an eighth of it

struct Layout {
  isa::Memory window;  // bytes left null: it is the same for all nodes
  unsigned threads = 1;
  std::uint64_t stack_bytes = node_stack_bytes;  // per thread
  std::uint64_t persistent_begin = 0, persistent_end = 0;
  std::uint64_t tohost = 0, fromhost = 0;  // 0: the program has no such symbol

  // First address behind the program's last segment.
  std::uint64_t image_end = 0;

  // Where the heap begins, and the address that it must not reach.
  std::pair<std::uint64_t, std::uint64_t> heap() const {
    const std::uint64_t begin = (image_end + 15) / 16 * 16, end = stack_end(threads);
    const bool kept_above = persistent_begin != persistent_end && persistent_begin >= begin;
    return {begin, kept_above ? persistent_begin : end};
  }
  // Address just behind the stack of a thread.
  std::uint64_t stack_end(unsigned thread) const { return window.base + window.size - thread * stack_bytes; }
};

// Throws UserError if the program does not fit a node, or overlaps the persistent region or its stacks.
Layout lay_out(const Program& program, const machine::Node& node, std::uint64_t persistent_begin,
               std::uint64_t persistent_end);

// Zeroes everything but the persistent region and loads the program's segments.
void load(const Program& program, const Layout& layout, std::span<std::byte> sram);

}  // namespace dojo::system
