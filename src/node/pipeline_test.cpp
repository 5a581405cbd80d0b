// Is the fast pipeline the same as the slow one, cycle for cycle and cause for cause? And is its state
// canonical?
#include "node/pipeline.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace dojo::node {
namespace {

machine::Node random_node(Random& random) {
  machine::Node node = machine::read_machine("d1").node;
  const auto upto = [&](std::uint64_t most) { return 1 + random.below(most); };
  node.vector_queue = upto(6);
  node.vector_issue = upto(2);
  node.scalar_issue = upto(4);
  node.alus = upto(2);
  node.address_units = upto(2);
  node.fetch_bytes = 8 * upto(4);
  node.decode_width = upto(8);
  node.sram_load_ports = upto(3);
  node.sram_store_ports = upto(2);
  node.branch_taken_cycles = random.below(4);
  return node;
}

// Any cost that cost_of could give, and more; few registers, so that hazards are frequent.
TimedInstruction random_instruction(Random& random, const machine::Node& node) {
  TimedInstruction instruction;
  Cost& cost = instruction.cost;
  const auto small = [&](std::uint64_t most) { return static_cast<std::uint32_t>(1 + random.below(most)); };
  const auto some_bits = [&] { return static_cast<std::uint32_t>(random.below(4) == 0 ? 1 << small(3) : 0); };
  cost.bytes = random.below(2) ? 2 : 4;
  cost.x_reads = some_bits();
  cost.f_reads = some_bits();
  cost.x_writes = some_bits();
  cost.f_writes = some_bits();
  cost.latency = small(6);
  cost.occupancy = small(4) == 1 ? small(9) : 1;
  const std::uint64_t kind = random.below(16);
  if (kind >= 7) {
    cost.route = Route::vector;
    cost.reads_config = true;
    cost.writes_config = random.below(16) == 0;
    constexpr std::uint8_t pipes[] = {simd_pipe, matrix_pipe,
                                      load_port, store_port,
                                      simd_pipe, matrix_pipe | load_port,
                                      load_port, simd_pipe | matrix_pipe};
    cost.pipes = pipes[random.below(std::size(pipes))];
    cost.ports = cost.pipes & load_port ? static_cast<std::uint8_t>(small(node.sram_load_ports)) : 0;
    cost.streams = random.below(2) != 0;
    for (Group& group : cost.v_reads)
      if (random.below(2))
        group = {static_cast<std::uint8_t>(random.below(8)), static_cast<std::uint8_t>(small(4)),
                 random.below(3) == 0};
    cost.v_write = {static_cast<std::uint8_t>(random.below(8)), static_cast<std::uint8_t>(random.below(5)),
                    false};
    if (cost.pipes & matrix_pipe) {
      cost.t_reads = cost.t_writes = static_cast<std::uint8_t>(1 << random.below(4));
      cost.accumulates = random.below(4) != 0;
    }
    return instruction;
  }
  constexpr Route routes[] = {Route::free, Route::branch, Route::alu,   Route::divide,
                              Route::load, Route::store,  Route::atomic};
  cost.route = routes[kind];
  if (cost.route == Route::free) cost.x_reads = cost.f_reads = cost.x_writes = cost.f_writes = 0;
  if (cost.route == Route::branch && random.below(2)) instruction.exit = Exit::taken;
  cost.writes_config = cost.route == Route::alu && random.below(3) == 0;
  if (random.below(40) == 0) cost.route = Route::drain;
  if (cost.route == Route::drain) cost.latency = cost.occupancy;
  if (cost.route == Route::drain && random.below(2)) instruction.exit = Exit::stopped;
  return instruction;
}

// Runs `instructions` on both models and compares every time and every cause.
void expect_equal(const machine::Node& node, const std::vector<TimedInstruction>& instructions) {
  ReferencePipeline slow(node, 1);
  for (const TimedInstruction& instruction : instructions) slow.feed(0, instruction);
  for (int guard = 0; !slow.empty(0); ++guard) {
    ASSERT_LT(guard, 1'000'000) << "the reference does not end";
    slow.tick();
  }
  Pipeline fast(node);
  for (std::size_t i = 0; i < instructions.size(); ++i) {
    fast.add(instructions[i]);
    if (instructions[i].cost.route == Route::free) continue;
    const Cycle passed = slow.times(0)[i].passed;
    ASSERT_EQ(fast.last().passed, passed) << "instruction " << i;
    if (instructions[i].cost.route == Route::vector) {
      ASSERT_EQ(fast.last().issued, slow.times(0)[i].issued) << "instruction " << i;
    }
    const Cycle accounted =
        instructions[i].exit == Exit::stopped ? passed + instructions[i].cost.occupancy : passed;
    ASSERT_EQ(fast.now(), accounted);
    Counts expected;
    for (Cycle c = 0; c < accounted; ++c) expected.of(slow.history(0)[static_cast<std::size_t>(c)]) += 1;
    ASSERT_EQ(fast.counts(), expected) << "causes after instruction " << i;
  }
}

TEST(Pipeline, EqualsTheReferenceOnRandomTraces) {
  for (std::uint64_t trace = 0; trace < 3000; ++trace) {
    Random random(1, trace);
    const machine::Node node = random_node(random);
    std::vector<TimedInstruction> instructions(10 + random.below(60));
    for (TimedInstruction& instruction : instructions) instruction = random_instruction(random, node);
    expect_equal(node, instructions);
    ASSERT_FALSE(HasFatalFailure()) << "trace " << trace;
  }
}

// Every row of the instruction set with random operands under random configurations: a sound cost, and the
// same time in both.
TEST(Pipeline, EqualsTheReferenceOnEveryInstruction) {
  const machine::Node node = machine::read_machine("d1").node;
  Random random(5);
  std::vector<const isa::Row*> rows;
  for (const auto table : {isa::scalar_rows(), isa::vector_rows(), isa::matrix_rows(), isa::dojo_rows()})
    for (const isa::Row& row : table) rows.push_back(&row);
  ASSERT_GT(rows.size(), 500u);
  std::vector<TimedInstruction> instructions;
  for (int round = 0; round < 6; ++round) {
    const std::vector<std::uint32_t> order =
        permutation(static_cast<std::uint32_t>(rows.size()), 6, static_cast<std::uint64_t>(round));
    for (const std::uint32_t i : order) {
      const std::uint32_t word = rows[i]->match | (random.bits() & ~rows[i]->mask);
      const isa::Decoded decoded = isa::decode(word, 0x1000);
      const Config config{static_cast<std::uint16_t>(random.below(257)),
                          static_cast<std::uint8_t>(3 + random.below(4)),
                          static_cast<std::int8_t>(static_cast<int>(random.below(7)) - 3),
                          static_cast<std::uint8_t>(1 << random.below(3)),
                          static_cast<std::uint8_t>(random.below(17)),
                          static_cast<std::uint8_t>(random.below(5))};
      const Cost cost = cost_of(decoded, config, node);
      const auto name = decoded.row->mnemonic;
      ASSERT_GE(cost.occupancy, 1u) << name;
      ASSERT_GE(cost.latency, 1u) << name;
      ASSERT_EQ((cost.x_reads | cost.x_writes) & 1, 0u) << name;
      ASSERT_EQ(cost.route == Route::vector, cost.pipes != 0) << name;
      const bool block = (decoded.row->properties & isa::cache_block) != 0;  // of a fixed width
      ASSERT_EQ(cost.route == Route::vector, depends_on_config(decoded) || block) << name;
      ASSERT_EQ((cost.pipes & load_port) != 0 && cost.ports == 0, false) << name;
      for (const Group& group : cost.v_reads) ASSERT_LE(group.first + group.count, 32) << name;
      ASSERT_LE(cost.v_write.first + cost.v_write.count, 32) << name;
      instructions.push_back({cost, Exit::onward});
      if (instructions.size() < 60) continue;
      expect_equal(node, instructions);
      ASSERT_FALSE(HasFatalFailure());
      instructions.clear();
    }
  }
}

// Taking the state out after any instruction and going on from it changes nothing, and forgetting changes no
// future.
TEST(Pipeline, StateHoldsAllThatTheFutureDependsOn) {
  for (std::uint64_t trace = 0; trace < 2000; ++trace) {
    Random random(2, trace);
    const machine::Node node = random_node(random);
    Pipeline whole(node);
    Counts in_parts;
    Cycle cycles = 0;
    PipelineState state;
    for (int part = 0; part < 12; ++part) {
      Pipeline resumed(node, state);
      for (std::uint64_t i = random.below(6); i != 0; --i) {
        const TimedInstruction instruction = random_instruction(random, node);
        whole.add(instruction);
        resumed.add(instruction);
      }
      in_parts += resumed.counts();
      cycles += resumed.now();
      state = resumed.state();
      ASSERT_EQ(whole.now(), cycles) << "trace " << trace << " part " << part;
      ASSERT_EQ(whole.counts(), in_parts);
      ASSERT_EQ(whole.state(), state);
    }
  }
}

TEST(Pipeline, AnIdlePipelineHasTheEmptyState) {
  const machine::Node node = machine::read_machine("d1").node;
  EXPECT_TRUE(Pipeline(node).state().words.empty());
  Pipeline stopped(node);
  TimedInstruction instruction;
  instruction.cost.route = Route::drain;
  instruction.cost.x_writes = 2;
  instruction.exit = Exit::stopped;
  stopped.add(instruction);
  EXPECT_TRUE(stopped.state().words.empty());
}

// A loop must settle, or every iteration would be timed anew.
TEST(Pipeline, RepeatingABlockReachesARepeatingState) {
  for (std::uint64_t trace = 0; trace < 200; ++trace) {
    Random random(3, trace);
    const machine::Node node = machine::read_machine("d1").node;
    std::vector<TimedInstruction> block(8 + random.below(24));
    for (TimedInstruction& instruction : block) do
        instruction = random_instruction(random, node);
      while (instruction.exit == Exit::stopped);
    std::vector<PipelineState> seen;
    PipelineState state;
    while (std::find(seen.begin(), seen.end(), state) == seen.end()) {
      seen.push_back(state);
      ASSERT_LT(seen.size(), 200u) << "trace " << trace;
      Pipeline pipeline(node, state);
      for (const TimedInstruction& instruction : block) pipeline.add(instruction);
      state = pipeline.state();
    }
  }
}

}  // namespace
}  // namespace dojo::node
