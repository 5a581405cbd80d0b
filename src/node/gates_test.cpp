// Does every rule of docs/notes/005 hold to the cycle? Each gate asks for the exact cycle: one too early or
// too late fails.
#include <gtest/gtest.h>

#include <deque>

#include "machine/machine.h"
#include "node/assembly_for_test.h"
#include "node/d1_for_tests.h"
#include "node/pipeline.h"
#include "node/pipeline_reference.h"

namespace dojo::node {
namespace {

struct Vector {  // a configuration in the words of vsetvli
  unsigned vl = 16, sew = 32;
  int lmul_log2 = 0;
  unsigned widen = 0, tm = 0, tk = 0;
  operator Config() const {
    return {static_cast<std::uint16_t>(vl),      static_cast<std::uint8_t>(std::countr_zero(sew)),
            static_cast<std::int8_t>(lmul_log2), static_cast<std::uint8_t>(widen),
            static_cast<std::uint8_t>(tm),       static_cast<std::uint8_t>(tk)};
  }
};

// Times of straight-line code on an idle node, from the definition; the fast model must agree on every one.
std::vector<ReferencePipeline::Times> times_of(std::string_view text, const Config& config = Vector{},
                                               const machine::Node& node = d1(), bool last_taken = false) {
  const Bench bench(text);
  ReferencePipeline slow(node, 1);
  Pipeline fast(node);
  std::vector<ReferencePipeline::Times> fast_times;
  std::deque<TimedInstruction> instructions;
  for (std::uint64_t pc = Bench::base; pc < bench.text_end;) {
    const isa::Block block = isa::build_block(bench.hart.memory, pc);
    std::uint32_t count = 0;  // not of the memory behind the text
    for (; count < block.count && pc < bench.text_end; ++count) pc += block.code[count].length;
    for (const TimedInstruction& instruction :
         timed_instructions(block, count, config, last_taken ? Exit::taken : Exit::onward, node)) {
      slow.feed(0, instructions.emplace_back(instruction));
      fast.add(instruction);
      fast_times.push_back(fast.last());
    }
  }
  while (!slow.empty(0)) slow.tick();
  const auto times = slow.times(0);
  EXPECT_EQ(times.size(), fast_times.size());
  for (std::size_t i = 0; i < times.size(); ++i) {
    EXPECT_EQ(times[i].passed, fast_times[i].passed) << text << " at " << i;
    EXPECT_EQ(times[i].issued, fast_times[i].issued) << text << " at " << i;
  }
  return times;
}

// Cycles between the beginnings of the first and the last instruction.
Cycle distance(std::string_view text, const Config& config = Vector{}, const machine::Node& node = d1()) {
  const auto times = times_of(text, config, node);
  return times.back().issued - times.front().issued;
}

Cycle cycles(std::uint64_t parameter) { return static_cast<Cycle>(parameter); }

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(Gates, AScalarResultIsUsedAfterItsLatency) {
  EXPECT_EQ(distance("add a0, a1, a2\n add a3, a0, a0"), cycles(d1().alu_cycles));
  EXPECT_EQ(distance("mul a0, a1, a2\n add a3, a0, a0"), cycles(d1().multiply_cycles));
  EXPECT_EQ(distance("div a0, a1, a2\n add a3, a0, a0"), cycles(d1().divide_cycles));
  EXPECT_EQ(distance("ld a0, 0(a1)\n add a3, a0, a0"), cycles(d1().sram_load_cycles));
  EXPECT_EQ(distance("amoadd.d a0, a1, (a2)\n add a3, a0, a0"), cycles(d1().sram_load_cycles));
  EXPECT_EQ(distance("fadd.d fa0, fa1, fa2\n fadd.d fa3, fa0, fa0"), cycles(d1().scalar_float_cycles));
  EXPECT_EQ(distance("fdiv.s fa0, fa1, fa2\n fadd.s fa3, fa0, fa0"), cycles(d1().scalar_float_divide_cycles));
  EXPECT_EQ(distance("add x0, a1, a2\n add a3, x0, x0"), 0) << "x0 is never waited for";
}

TEST(Gates, ALaterWriteWaitsForTheEarlierOne) {
  EXPECT_EQ(distance("ld a0, 0(a1)\n li a0, 3"), cycles(d1().sram_load_cycles));
}

TEST(Gates, TheDividerIsNotPipelined) {
  EXPECT_EQ(distance("div a0, a1, a2\n div a3, a4, a5"), cycles(d1().divide_cycles));
  EXPECT_EQ(distance("mul a0, a1, a2\n mul a3, a4, a5\n mul s0, a4, a5"), 1) << "two ALUs, pipelined";
}

TEST(Gates, SlotsOfACycle) {
  EXPECT_EQ(distance("add a0, a1, a1\n add a2, a1, a1"), 0);
  EXPECT_EQ(distance("add a0, a1, a1\n add a2, a1, a1\n add a3, a1, a1"), 1) << "two ALUs";
  EXPECT_EQ(distance("ld a0, 0(s0)\n ld a1, 8(s0)"), 1) << "one 64-bit load path";
  EXPECT_EQ(distance("sd a0, 0(s0)\n sd a1, 8(s0)"), 1) << "one 64-bit store path";
  EXPECT_EQ(distance("ld a0, 0(s0)\n sd a1, 8(s0)\n add a2, a3, a3\n add a4, a3, a3"), 0)
      << "four scalar slots";
  EXPECT_EQ(distance("ld a0, 0(s0)\n sd a1, 8(s0)\n add a2, a3, a3\n add a4, a3, a3\n ld a5, 0(s0)"), 1);
  EXPECT_EQ(distance("add a0, a1, a1\n add a2, a1, a1\n vadd.vv v1, v2, v3\n beq a1, a1, 8"), 0)
      << "branches are free of slots";
}

TEST(Gates, EightInstructionsAreDecodedInACycle) {
  const auto eight = times_of(repeated("vadd.vv v1, v2, v3\n", 8));
  EXPECT_EQ(eight.back().passed, 0);
  const auto nine = times_of(repeated("vadd.vv v1, v2, v3\n", 9));
  EXPECT_EQ(nine.back().passed, 1);
}

TEST(Gates, ThirtyTwoBytesAreFetchedInACycle) {
  machine::Node wide = d1();
  wide.decode_width = 16;
  EXPECT_EQ(times_of(repeated("vadd.vv v1, v2, v3\n", 8), Vector{}, wide).back().passed, 0);
  EXPECT_EQ(times_of(repeated("vadd.vv v1, v2, v3\n", 9), Vector{}, wide).back().passed, 1);
}

TEST(Gates, ATakenBranchCostsItsBubble) {
  const auto taken = times_of("beq a0, a0, 8\n add a1, a2, a2", Vector{}, d1(), true);
  EXPECT_EQ(taken[1].passed, 1 + cycles(d1().branch_taken_cycles));
  const auto onward = times_of("beq a0, a0, 8\n add a1, a2, a2");
  EXPECT_EQ(onward[1].passed, 0);
  EXPECT_EQ(distance("ld a0, 0(a1)\n beq a0, a2, 8"), cycles(d1().sram_load_cycles))
      << "a branch waits for its operands";
}

TEST(Gates, TheVectorQueueHoldsTheScalarEngineWhenFull) {
  // A divide keeps the pipe; what follows queues up behind it until the queue is full.
  const Vector long_divide{16, 32, 0};
  const int depth = static_cast<int>(d1().vector_queue);
  const auto fits =
      times_of("vfdiv.vv v1, v2, v3\n" + repeated("vadd.vv v4, v1, v1\n", depth) + "li a0, 1", long_divide);
  const auto full = times_of(
      "vfdiv.vv v1, v2, v3\n" + repeated("vadd.vv v4, v1, v1\n", depth + 1) + "li a0, 1", long_divide);
  EXPECT_LT(fits.back().passed, 5);
  EXPECT_EQ(full.back().passed, full[1].issued)
      << "a place is free in the cycle in which the oldest entry begins";
  EXPECT_EQ(fits[0].issued, fits[0].passed + 1)
      << "a vector instruction begins a cycle after it was passed on";
}

TEST(Gates, VectorResultsAndChaining) {
  EXPECT_EQ(distance("vfadd.vv v1, v2, v3\n vfadd.vv v4, v1, v1"), cycles(d1().simd_cycles));
  const Vector m8{128, 32, 3};
  EXPECT_EQ(distance("vfadd.vv v8, v16, v24\n vfadd.vv v0, v16, v24", m8), 8)
      << "a group takes the pipe 8 cycles";
  EXPECT_EQ(distance("vfadd.vv v8, v16, v24\n vfadd.vv v0, v8, v8", m8), 8)
      << "register by register, so no wait on top";
  EXPECT_EQ(distance("vle32.v v8, (a0)\n vfadd.vv v0, v8, v8", m8), cycles(d1().sram_load_cycles))
      << "behind a load";
  EXPECT_EQ(distance("vfadd.vv v8, v16, v24\n vrgather.vv v0, v8, v16", m8), 7 + cycles(d1().simd_cycles))
      << "all at once";
  EXPECT_EQ(distance("vfadd.vv v0, v16, v24\n vse32.v v0, (a0)", m8), cycles(d1().simd_cycles));
  EXPECT_EQ(distance("vmfeq.vv v0, v16, v24\n vfadd.vv v8, v16, v24, v0.t", Vector{32, 32, 1}),
            1 + cycles(d1().simd_cycles))
      << "a mask is read at once";
}

TEST(Gates, OccupancyFollowsVlAndWidth) {
  const auto apart = [&](std::string_view op, const Config& config) {
    return distance(std::string(op) + "\n" + std::string(op), config);
  };
  EXPECT_EQ(apart("vadd.vv v8, v16, v24", Vector{0, 32, 0}), 1) << "nothing takes less than a cycle";
  EXPECT_EQ(apart("vadd.vv v8, v16, v24", Vector{64, 32, 2}), 4);
  EXPECT_EQ(apart("vadd.vv v8, v16, v24", Vector{65, 32, 3}), 5);
  EXPECT_EQ(apart("vadd.vv v8, v16, v24", Vector{64, 8, 0}), 1);
  EXPECT_EQ(apart("vwadd.vv v8, v16, v24", Vector{32, 16, 0}), 2) << "widened";
  EXPECT_EQ(apart("vfdiv.vv v8, v16, v24", Vector{16, 32, 0}), 16) << "element by element";
  EXPECT_EQ(apart("vmand.mm v8, v16, v24", Vector{128, 32, 3}), 1) << "mask bits";
  EXPECT_EQ(apart("vmv4r.v v8, v16", Vector{1, 8, 0}), 4) << "whole registers";
  EXPECT_EQ(apart("vrgather.vv v8, v16, v24", Vector{64, 32, 2}), 16) << "each register from each register";
}

// Behind a load of one register: whether the instruction waits for that register, to the cycle.
TEST(Gates, AnInstructionWaitsForTheRegistersThatItReadsAndNoOthers) {
  const auto behind = [](unsigned loaded, std::string_view text, const Config& config) {
    return distance("vl1re8.v v" + std::to_string(loaded) + ", (a0)\n" + std::string(text), config);
  };
  const Cycle waits = cycles(d1().sram_load_cycles);
  const Vector quarter_sources{64, 32, 2}, bytes{64, 8, 0};
  EXPECT_EQ(behind(4, "vzext.vf4 v8, v4", quarter_sources), waits);
  EXPECT_EQ(behind(5, "vzext.vf4 v8, v4", quarter_sources), 0) << "a quarter of LMUL 4 is one register";
  EXPECT_EQ(behind(7, "vsext.vf4 v8, v4", quarter_sources), 0);
  EXPECT_EQ(behind(5, "vzext.vf2 v8, v4", quarter_sources), waits);
  EXPECT_EQ(behind(6, "vzext.vf2 v8, v4", quarter_sources), 0);
  EXPECT_EQ(behind(0, "vcompress.vm v8, v4, v0", quarter_sources), waits);
  EXPECT_EQ(behind(1, "vcompress.vm v8, v4, v0", quarter_sources), 0) << "a mask is one register";
  EXPECT_EQ(behind(7, "vcompress.vm v8, v4, v0", quarter_sources), waits);
  EXPECT_EQ(behind(4, "vrgatherei16.vv v8, v16, v4", bytes), waits);
  EXPECT_EQ(behind(5, "vrgatherei16.vv v8, v16, v4", bytes), waits)
      << "64 indices of 16 bits are two registers";
  EXPECT_EQ(behind(6, "vrgatherei16.vv v8, v16, v4", bytes), 0);
  EXPECT_EQ(behind(5, "vrgatherei16.vv v8, v16, v4", quarter_sources), waits);
  EXPECT_EQ(behind(6, "vrgatherei16.vv v8, v16, v4", quarter_sources), 0) << "64 indices again";
  constexpr std::string_view narrow_cfloat = ".word 0x0305642b\n",  // dj.vfncvt.cf.f v8, v16, a0
      widen_cfloat = ".word 0x0685682b\n";                          // dj.vfwcvt.f.cf v16, v8, a0
  EXPECT_EQ(behind(19, narrow_cfloat, bytes), waits) << "64 singles are four registers";
  EXPECT_EQ(behind(20, narrow_cfloat, bytes), 0);
  EXPECT_EQ(behind(9, widen_cfloat, bytes), 0);
}

// A result of one register more than was thought could be read too early.
TEST(Gates, AResultIsReadWhenItsOwnRegisterIsThere) {
  constexpr std::string_view widen_cfloat = ".word 0x0685682b\n";  // dj.vfwcvt.f.cf v16, v8, a0
  EXPECT_EQ(distance(std::string(widen_cfloat) + "vadd.vv v8, v19, v19", Vector{64, 8, 0}),
            3 + cycles(d1().simd_cycles))
      << "four registers of singles from one of bytes take four cycles";
  EXPECT_EQ(distance("viota.m v8, v0\n vmv1r.v v16, v15", Vector{128, 32, 3}), 7 + cycles(d1().simd_cycles))
      << "as many elements as any other instruction makes";
}

TEST(Gates, ReductionsTakeTurnsOrTrees) {
  EXPECT_EQ(distance("vredsum.vs v1, v2, v3\n vadd.vv v4, v1, v1"), cycles(d1().simd_cycles) * 5)
      << "log2(16) steps and one";
  EXPECT_EQ(distance("vfredosum.vs v1, v2, v3\n vadd.vv v4, v1, v1"),
            16 * cycles(d1().simd_cycles) - 1 + cycles(d1().simd_cycles));
}

TEST(Gates, AScalarWaitsForAVectorResult) {
  const auto times = times_of("vadd.vv v1, v2, v3\n vmv.x.s a0, v1\n add a1, a0, a0");
  EXPECT_EQ(times[2].passed, times[1].issued + cycles(d1().simd_cycles));
}

TEST(Gates, PortsBoundVectorAccesses) {
  const auto last = [&](std::string_view op, int times, const Config& config) {
    return distance(repeated(op, times), config);
  };
  EXPECT_EQ(last("vle32.v v8, (a0)\n", 9, Vector{}), 4) << "two load ports";
  EXPECT_EQ(last("vse32.v v8, (a0)\n", 9, Vector{}), 8) << "one store port";
  EXPECT_EQ(last("vle32.v v8, (a0)\n", 9, Vector{128, 32, 3}), 32) << "8 port cycles each";
  EXPECT_EQ(last("vlse32.v v8, (a0), a1\n", 9, Vector{}), 64) << "an element per port cycle";
  EXPECT_EQ(last("vlse64.v v8, (a0), a1\n", 9, Vector{8, 64, 0}), 32) << "8 B are one grain";
  EXPECT_EQ(last("vluxei32.v v8, (a0), v16\n", 9, Vector{}), 64);
  EXPECT_EQ(last("vl4re32.v v8, (a0)\n", 9, Vector{1, 8, 0}), 16) << "whole registers ignore vl";
  EXPECT_EQ(last("vlm.v v8, (a0)\n", 9, Vector{128, 8, 1}), 4) << "16 B of mask";
}

TEST(Gates, ABlockIsZeroedThroughTheStorePort) {
  const Vector whole{};
  EXPECT_EQ(distance("cbo.zero (a0)\n cbo.zero (a1)"), 1) << "one store port";
  EXPECT_EQ(distance("vse32.v v8, (a0)\n cbo.zero (a1)", whole), 1);
  EXPECT_EQ(distance("cbo.zero (a0)\n vse32.v v8, (a1)", whole), 1);
  EXPECT_EQ(distance("cbo.zero (a0)\n vle32.v v8, (a1)", whole), 0) << "a port of its own";
  machine::Node narrow = d1();
  narrow.port_bytes = 16;
  EXPECT_EQ(distance("cbo.zero (a0)\n cbo.zero (a1)", whole, narrow), 4);
  const Bench bench("cbo.zero (a0)");
  const Cost cost = cost_of(isa::build_block(bench.hart.memory, Bench::base).code[0], whole, d1());
  EXPECT_EQ(cost.write_bytes, 64u);
}

TEST(Gates, OtherWorkOnCacheBlocksIsAFenceOrNothing) {
  for (const std::string text : {"cbo.clean (a2)", "cbo.flush (a2)", "cbo.inval (a2)", "wrs.nto", "wrs.sto"})
    EXPECT_EQ(distance("ld a0, 0(a1)\n" + text), distance("ld a0, 0(a1)\n fence")) << text;
  EXPECT_EQ(distance("ld a0, 0(a1)\n prefetch.r 0(a0)"), cycles(d1().sram_load_cycles));
  EXPECT_EQ(distance("ld a0, 0(a1)\n prefetch.r 0(a2)"), 0);
}

// V3: 2 x 64 B + 8 B loaded per cycle, which with the mesh stop's 64 B are 400 GB/s; 64 B + 8 B stored, with
// 64 B 272 GB/s. That the mesh stop's traffic takes nothing from them: system/bandwidth_test.cpp.
TEST(Gates, SramStreamsAtThePublishedRateInEveryCycle) {
  const int rounds = 400;
  std::string loading, storing;
  for (int i = 0; i < rounds; ++i) {
    const std::string vector = std::to_string(8 + 2 * (i % 8)), next = std::to_string(9 + 2 * (i % 8));
    loading += "vle64.v v" + vector + ", (a0)\n vle64.v v" + next + ", (a1)\n fld f" + std::to_string(i % 8) +
               ", 0(a3)\n";
    storing += "vse64.v v8, (a0)\n sd a2, 0(a3)\n";
  }
  const auto loads = times_of(loading, Vector{8, 64, 0}), stores = times_of(storing, Vector{8, 64, 0});
  for (std::size_t i = 0; i < rounds; ++i) {
    const Cycle cycle = static_cast<Cycle>(i) + 1;  // behind the cycle that passes the first one on
    ASSERT_EQ(loads[3 * i].issued, cycle) << i;
    ASSERT_EQ(loads[3 * i + 1].issued, cycle) << i;
    ASSERT_LE(loads[3 * i + 2].passed, cycle) << i;
    ASSERT_EQ(stores[2 * i].issued, cycle) << i;
    ASSERT_LE(stores[2 * i + 1].passed, cycle) << i;
  }
  EXPECT_EQ(loads.back().passed - loads[2].passed, rounds - 1) << "one 64-bit load a cycle, no more";
  EXPECT_EQ(stores.back().passed - stores[1].passed, rounds - 1);
}

const Vector bf16_step{16, 16, 0, 2, 16, 2}, fp32_step{16, 32, 0, 1, 16, 1};

TEST(Gates, MatrixStepsTakeTheirMultiplyAdds) {
  const auto steps = [&](const Vector& config) {
    return distance("sf.mm.f.f mt0, v8, v16\n sf.mm.f.f mt4, v8, v16", config);
  };
  EXPECT_EQ(steps(bf16_step), 2) << "16 x 16 x 2 at 256 per cycle";
  EXPECT_EQ(steps(fp32_step), 16) << "256 at a sixteenth of the rate";
  EXPECT_EQ(steps({16, 16, 0, 2, 8, 2}), 1);
  EXPECT_EQ(steps({16, 16, 0, 2, 9, 2}), 2) << "blocks of eight";
  EXPECT_EQ(steps({1, 16, 0, 2, 1, 1}), 1);
  EXPECT_EQ(
      distance("sf.mm.e4m3.e4m3 mt0, v8, v16\n sf.mm.e4m3.e4m3 mt4, v8, v16", Vector{16, 8, 0, 4, 16, 4}), 4)
      << "8-bit operands run at the 16-bit rate";
  EXPECT_EQ(distance("sf.mm.f.f mt0, v8, v16\n vfadd.vv v1, v2, v3", fp32_step), 16)
      << "FP32 steps take the SIMD pipe";
  EXPECT_EQ(distance("sf.mm.f.f mt0, v8, v16\n vfadd.vv v1, v2, v3", bf16_step), 0) << "others do not";
}

TEST(Gates, StepsOnOneTileFollowBackToBackAndMovesWaitForTheResult) {
  EXPECT_EQ(distance("sf.mm.f.f mt0, v8, v16\n sf.mm.f.f mt0, v8, v16", bf16_step), 2);
  EXPECT_EQ(distance("sf.mm.f.f mt0, v8, v16\n sf.vtmv.v.t v1, a0", bf16_step),
            1 + cycles(d1().matrix_cycles));
  EXPECT_EQ(distance("sf.vtzero.t mt0\n sf.mm.f.f mt0, v8, v16", bf16_step), cycles(d1().tile_move_cycles));
  EXPECT_EQ(distance("sf.vtzero.t mt4\n sf.mm.f.f mt0, v8, v16", bf16_step), 1) << "another tile";
  EXPECT_EQ(distance("sf.vlte32 a1, (a0)\n sf.mm.f.f mt0, v8, v16", bf16_step),
            cycles(d1().sram_load_cycles));
  EXPECT_EQ(distance("vle16.v v20, (a0)\n sf.mm.f.f mt0, v8, v16", bf16_step), cycles(d1().sram_load_cycles))
      << "row 1 of an operand lies four registers up";
  EXPECT_EQ(distance("vle16.v v18, (a0)\n sf.mm.f.f mt0, v8, v16", bf16_step), 0);
}

// V4: loads of 64 B per port and cycle keep the matrix pipe busy in every cycle.
TEST(Gates, UnitStrideLoadsFeedTheMatrixPipeAtFullRate) {
  const auto loads = [](int set) {
    std::string text;
    for (const int r : {set, set + 4, set + 8, set + 12})
      text += "vle16.v v" + std::to_string(r) + ", (a0)\n";
    return text;
  };
  const auto step = [](int set) {
    return "sf.mm.f.f mt0, v" + std::to_string(set) + ", v" + std::to_string(set + 8) + "\n";
  };
  std::string text = loads(0) + loads(1) + loads(2);
  const std::size_t steps = 400;
  for (std::size_t i = 0; i < steps; ++i)
    text += loads(static_cast<int>((i + 3) % 4)) + step(static_cast<int>(i % 4));
  const auto times = times_of(text, bf16_step);
  for (std::size_t i = 0; i < steps; ++i)
    ASSERT_EQ(times[16 + 5 * i].issued - times[16].issued, static_cast<Cycle>(2 * i))
        << "a 16 x 16 x 2 step every two cycles";
  machine::Node one_port = d1();
  one_port.sram_load_ports = 1;
  const auto starved = times_of(text, bf16_step, one_port);
  EXPECT_GE(starved.back().issued - starved[16].issued, static_cast<Cycle>(4 * (steps - 4)))
      << "half the ports, half the rate";
}

TEST(Gates, OperandBytesBeyondTheLoadsCanBeCharged) {
  machine::Node charged = d1();
  charged.matrix_operand_bytes = 64;
  EXPECT_EQ(distance("sf.mm.f.f mt0, v8, v16\n vle16.v v1, (a0)\n vle16.v v2, (a0)", bf16_step, charged), 1);
  EXPECT_EQ(distance("sf.mm.f.f mt0, v8, v16\n vle16.v v1, (a0)\n vle16.v v2, (a0)", bf16_step), 0);
}

TEST(Gates, ADrainWaitsForEverything) {
  EXPECT_EQ(distance("vle32.v v8, (a0)\n fence", Vector{}), cycles(d1().sram_load_cycles));
  EXPECT_EQ(distance("div a0, a1, a2\n csrr a3, vlenb"), cycles(d1().divide_cycles));
}

}  // namespace
}  // namespace dojo::node
