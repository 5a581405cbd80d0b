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

// Any job that describe could make, and more; few registers, so that hazards are frequent.
Step random_step(Random& random, const machine::Node& node) {
  Step step;
  Job& job = step.job;
  const auto small = [&](std::uint64_t most) { return static_cast<std::uint32_t>(1 + random.below(most)); };
  const auto some_bits = [&] { return static_cast<std::uint32_t>(random.below(4) == 0 ? 1 << small(3) : 0); };
  job.bytes = random.below(2) ? 2 : 4;
  job.x_reads = some_bits();
  job.f_reads = some_bits();
  job.x_writes = some_bits();
  job.f_writes = some_bits();
  job.latency = small(6);
  job.occupancy = small(4) == 1 ? small(9) : 1;
  const std::uint64_t kind = random.below(16);
  if (kind >= 7) {
    job.route = Route::vector;
    job.reads_config = true;
    job.writes_config = random.below(16) == 0;
    constexpr std::uint8_t pipes[] = {simd_pipe, matrix_pipe,
                                      load_port, store_port,
                                      simd_pipe, matrix_pipe | load_port,
                                      load_port, simd_pipe | matrix_pipe};
    job.pipes = pipes[random.below(std::size(pipes))];
    job.ports = job.pipes & load_port ? static_cast<std::uint8_t>(small(node.sram_load_ports)) : 0;
    job.streams = random.below(2) != 0;
    for (Group& group : job.v_reads)
      if (random.below(2))
        group = {static_cast<std::uint8_t>(random.below(8)), static_cast<std::uint8_t>(small(4)),
                 random.below(3) == 0};
    job.v_write = {static_cast<std::uint8_t>(random.below(8)), static_cast<std::uint8_t>(random.below(5)),
                   false};
    if (job.pipes & matrix_pipe) {
      job.t_reads = job.t_writes = static_cast<std::uint8_t>(1 << random.below(4));
      job.accumulates = random.below(4) != 0;
    }
    return step;
  }
  constexpr Route routes[] = {Route::free, Route::branch, Route::alu,   Route::divide,
                              Route::load, Route::store,  Route::atomic};
  job.route = routes[kind];
  if (job.route == Route::free) job.x_reads = job.f_reads = job.x_writes = job.f_writes = 0;
  if (job.route == Route::branch && random.below(2)) step.exit = Exit::taken;
  job.writes_config = job.route == Route::alu && random.below(3) == 0;
  if (random.below(40) == 0) job.route = Route::drain;
  if (job.route == Route::drain) job.latency = job.occupancy;
  if (job.route == Route::drain && random.below(2)) step.exit = Exit::stopped;
  return step;
}

// Runs `steps` on both models and compares every time and every cause.
void expect_equal(const machine::Node& node, const std::vector<Step>& steps) {
  ReferencePipeline slow(node, 1);
  for (const Step& step : steps) slow.feed(0, step);
  for (int guard = 0; !slow.empty(0); ++guard) {
    ASSERT_LT(guard, 1'000'000) << "the reference does not end";
    slow.tick();
  }
  Pipeline fast(node);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    fast.add(steps[i]);
    if (steps[i].job.route == Route::free) continue;
    const Cycle passed = slow.times(0)[i].passed;
    ASSERT_EQ(fast.last().passed, passed) << "step " << i;
    if (steps[i].job.route == Route::vector) {
      ASSERT_EQ(fast.last().issued, slow.times(0)[i].issued) << "step " << i;
    }
    const Cycle accounted = steps[i].exit == Exit::stopped ? passed + steps[i].job.occupancy : passed;
    ASSERT_EQ(fast.now(), accounted);
    Counts expected;
    for (Cycle c = 0; c < accounted; ++c) expected.of(slow.history(0)[static_cast<std::size_t>(c)]) += 1;
    ASSERT_EQ(fast.counts(), expected) << "causes after step " << i;
  }
}

TEST(Pipeline, EqualsTheReferenceOnRandomTraces) {
  for (std::uint64_t trace = 0; trace < 3000; ++trace) {
    Random random(1, trace);
    const machine::Node node = random_node(random);
    std::vector<Step> steps(10 + random.below(60));
    for (Step& step : steps) step = random_step(random, node);
    expect_equal(node, steps);
    ASSERT_FALSE(HasFatalFailure()) << "trace " << trace;
  }
}

// Every row of the instruction set with random operands under random configurations: a sound job, and the
// same time in both.
TEST(Pipeline, EqualsTheReferenceOnEveryInstruction) {
  const machine::Node node = machine::read_machine("d1").node;
  Random random(5);
  std::vector<const isa::Row*> rows;
  for (const auto table : {isa::scalar_rows(), isa::vector_rows(), isa::matrix_rows(), isa::dojo_rows()})
    for (const isa::Row& row : table) rows.push_back(&row);
  ASSERT_GT(rows.size(), 500u);
  std::vector<Step> steps;
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
      const Job job = describe(decoded, config, node);
      const auto name = decoded.row->mnemonic;
      ASSERT_GE(job.occupancy, 1u) << name;
      ASSERT_GE(job.latency, 1u) << name;
      ASSERT_EQ((job.x_reads | job.x_writes) & 1, 0u) << name;
      ASSERT_EQ(job.route == Route::vector, job.pipes != 0) << name;
      const bool block = (decoded.row->properties & isa::cache_block) != 0;  // of a fixed width
      ASSERT_EQ(job.route == Route::vector, depends_on_config(decoded) || block) << name;
      ASSERT_EQ((job.pipes & load_port) != 0 && job.ports == 0, false) << name;
      for (const Group& group : job.v_reads) ASSERT_LE(group.first + group.count, 32) << name;
      ASSERT_LE(job.v_write.first + job.v_write.count, 32) << name;
      steps.push_back({job, Exit::onward});
      if (steps.size() < 60) continue;
      expect_equal(node, steps);
      ASSERT_FALSE(HasFatalFailure());
      steps.clear();
    }
  }
}

// Taking the state out after any step and going on from it changes nothing, and forgetting changes no future.
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
        const Step step = random_step(random, node);
        whole.add(step);
        resumed.add(step);
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
  Step step;
  step.job.route = Route::drain;
  step.job.x_writes = 2;
  step.exit = Exit::stopped;
  stopped.add(step);
  EXPECT_TRUE(stopped.state().words.empty());
}

// A loop must settle, or every iteration would be timed anew.
TEST(Pipeline, RepeatingABlockReachesARepeatingState) {
  for (std::uint64_t trace = 0; trace < 200; ++trace) {
    Random random(3, trace);
    const machine::Node node = machine::read_machine("d1").node;
    std::vector<Step> block(8 + random.below(24));
    for (Step& step : block) do
        step = random_step(random, node);
      while (step.exit == Exit::stopped);
    std::vector<PipelineState> seen;
    PipelineState state;
    while (std::find(seen.begin(), seen.end(), state) == seen.end()) {
      seen.push_back(state);
      ASSERT_LT(seen.size(), 200u) << "trace " << trace;
      Pipeline pipeline(node, state);
      for (const Step& step : block) pipeline.add(step);
      state = pipeline.state();
    }
  }
}

}  // namespace
}  // namespace dojo::node
