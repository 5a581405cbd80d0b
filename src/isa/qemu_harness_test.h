// Asks qemu-riscv64 what instructions do, and compares: the oracle of semantics for every row that qemu 7.2
// knows.
//
// A trial is a state and a few instruction words. All trials of a call are linked into one static ELF file,
// which loads each state, executes the words, stores the state after them, and finally writes all states to
// its output. qemu runs that file, and so do we; every bit of every state must agree.
//
// x30 and x31 belong to the harness: instructions must neither write nor depend on them. Trials must not
// trap. Straight-line code and forward branches within the trial's own words are fine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "isa/corners_for_tests.h"
#include "isa/hart.h"
#include "isa/instruction.h"

namespace dojo::isa {

struct TrialState {
  std::array<std::uint64_t, 32> x{}, f{};
  std::uint64_t fcsr = 0, vcsr = 0, vl = 0, vtype = 0, vstart = 0;
  std::array<std::uint64_t, 3> unused{};
  std::array<std::byte, 4096> memory{};                             // at memory_of_trial(index)
  std::array<std::byte, vector_registers * max_vlen_bits / 8> v{};  // register r at r * vlenb
};

struct Trial {
  TrialState before;
  std::vector<std::uint32_t> words;  // executed in order; a word whose low bits are not 3 is a half-word
};

struct TrialOptions {
  bool vectors = false;  // load, store and compare v0-v31, vl, vtype, vcsr, vstart
  unsigned vlen_bits = 512;
  std::string march = "rv64gcv_zvl128b";  // for the harness's own code
};

// Local address of TrialState::memory of the trial with this index in the span given to expect_same_as_qemu.
std::uint64_t memory_of_trial(std::size_t index);

// Fails the current test, naming the first differing trials with disassembly and registers.
void expect_same_as_qemu(std::span<const Trial> trials, const TrialOptions& options = {});

// Every register and byte of memory filled with corner values (f registers of this width); fcsr random, frm
// 0..4.
TrialState random_state(Random& random, unsigned float_width_bits);

}  // namespace dojo::isa
