// Test help: programs on a core, whole or in slices, and what becomes of them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "node/assembly_for_test.h"
#include "node/core.h"
#include "node/d1_for_tests.h"

namespace dojo::node::core_runs {

inline constexpr std::string_view exit_code = "li a7, 93\n ecall\n";

// Blocks with and without vectors, nested loops, changing vl, divides, matrix steps, markers.
inline const std::string mixed_program = R"(
  lui s0, 16
  li s1, 37
  dj_mark_1: .word 0x0010200b
outer:
  vsetvli t0, s1, e32, m2, ta, ma
  vle32.v v8, (s0)
  vfadd.vv v10, v8, v8
  vfmacc.vv v12, v10, v8
  vfredusum.vs v14, v12, v8
  vfmv.f.s fa0, v14
  fadd.s fa1, fa1, fa0
  li s2, 5
inner:
  mul t1, s2, s1
  add t2, t2, t1
  ld t3, 8(s0)
  add t2, t2, t3
  addi s2, s2, -1
  bnez s2, inner
  vse32.v v12, (s0)
  divu t4, t2, s1
  addi s1, s1, -1
  bnez s1, outer
  .word 0x0020200b
  sf.vsettnt x0, s3, e16alt, w2
  li s3, 16
  sf.vsettnt x0, s3, e16alt, w2
  sf.vsettm x0, s3
  li s4, 2
  sf.vsettk x0, s4
  sf.vtzero.t mt0
  li s5, 20
matrix:
  vle16.v v0, (s0)
  vle16.v v4, (s0)
  vle16.v v8, (s0)
  vle16.v v12, (s0)
  sf.mm.f.f mt0, v0, v8
  addi s0, s0, 32
  addi s5, s5, -1
  bnez s5, matrix
)" + std::string(exit_code);

struct CoreRun {
  Slice slice;
  std::map<std::uint32_t, Counts> counts;
  std::array<std::uint64_t, 32> x;
  std::vector<std::byte> memory;
};

inline CoreRun run_on_core(const Bench& original, CodeImage& image, BlockTiming& timing, bool with_timing,
                           std::uint64_t budget) {
  Bench bench = original;
  bench.hart.memory.bytes = bench.sram.data();
  Core core(image, timing, with_timing);
  CoreRun outcome;
  while (outcome.slice.stop == isa::Stop::none) {
    const Slice slice = core.run(bench.hart, budget);
    outcome.slice.stop = slice.stop;
    outcome.slice.cycles += slice.cycles;
    outcome.slice.instructions += slice.instructions;
  }
  outcome.counts = core.counts();
  outcome.x = bench.hart.x;
  outcome.memory = bench.sram;
  return outcome;
}

inline Counts total(const std::map<std::uint32_t, Counts>& counts) {
  Counts sum;
  for (const auto& [op, part] : counts) sum += part;
  return sum;
}

}  // namespace dojo::node::core_runs
