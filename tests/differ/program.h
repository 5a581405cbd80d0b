// A random program as the differ makes it: a state to start from and a tree of instructions.
//
// Branches and loops own what they jump over or repeat, so that any part can be taken out and what is left is
// still a program that ends.
//
// Registers with a fixed duty, which instructions may read but never write: x2 and x8 point to the middle of
// the program's memory, x3 to the middle of the tables of indices (shell.h), x28 and x29 count loops, x30 and
// x31 belong to the shell.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dojo::differ {

constexpr unsigned memory_bytes = 4096, most_vlen_bits = 1024;

// All that a program can see and change. This is also the record that programs load and dump (shell.h).
struct State {
  std::array<std::byte, memory_bytes> memory{};
  std::array<std::uint64_t, 32> x{}, f{};
  std::uint64_t fcsr = 0, vcsr = 0, vl = 0, vtype = 0, vstart = 0;
  std::array<std::uint64_t, 3> unused{};
  std::array<std::byte, 32 * most_vlen_bits / 8> v{};  // register r at r * VLEN / 8
  std::array<std::byte, 3520> padding{};  // whole pages, so that addresses end alike in every place
};
static_assert(sizeof(State) == 3 * 4096);

struct Item {
  enum class Kind {
    straight,  // words, one after the other
    branch,    // words[0] jumps (perhaps) over the body: beq..., jal, c.j, c.beqz, c.bnez
    jump,      // words[0] is auipc, words[1] a jalr through it over the body
    loop,      // the body `times` times
  };
  Kind kind = Kind::straight;
  std::vector<std::uint32_t> words = {};  // a word whose low bits are not 3 is a half-word
  std::vector<Item> body = {};
  unsigned times = 0, counter = 0;  // loop: the counter is register 28 or 29
};

struct Program {
  State before;
  std::vector<Item> items;
  unsigned vlen_bits = 512;
};

// The instructions in the order in which they lie in memory, jumps filled in.
std::vector<std::uint32_t> encode(const std::vector<Item>& items);
unsigned bytes_of(std::uint32_t word);

// How many instructions the program has, each counted once.
std::size_t instructions_of(const Program& program);

// As llvm-mc would take it, one instruction a line.
std::string assembly(const Program& program);

}  // namespace dojo::differ
