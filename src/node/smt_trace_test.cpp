// Do threads that share a node run in traces as they do without, to the bit, and in the cycles of the
// definition?
#include "node/smt_trace.h"
#include "node/d1_for_tests.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <map>
#include <optional>

#include "isa/vector_config.h"
#include "node/pipeline.h"
#include "node/random_programs_for_tests.h"

namespace dojo::node {
namespace {

using namespace random_programs;
using translate::HostVectors;

using Spending = std::map<std::uint64_t, std::array<std::uint64_t, causes>>;  // by bucket

struct Thread {
  World world;
  isa::Stop stop = isa::Stop::none;
  Cycle end = 0;
  std::map<std::uint32_t, Counts> counts;
};

struct Outcome {
  std::vector<Thread> threads;
  Spending spent;
  std::map<std::uint64_t, std::uint64_t> instructions;  // by address
  std::uint64_t traced = 0;                             // blocks
};

// The threads of one node and who runs them, one block after the other as their timer wants them.
class Node {
public:
  struct Options {
    std::uint32_t translate_after = never_translate;
    HostVectors vectors = HostVectors::none;
    SmtTiming::CountBy count_by = SmtTiming::CountBy::address;
    std::size_t most_states = 1u << 17;
    std::uint64_t text = text_end;  // what lies behind it is code that may change
  };

  Node(const std::vector<World>& starts, const Options& options)
      : image_(base, options.text, isa::max_block, options.translate_after, options.vectors),
        blocks_(d1()),
        timing_(d1(), static_cast<unsigned>(starts.size()), options.count_by, options.most_states),
        traces_(image_, timing_, static_cast<std::int32_t>(std::min(options.translate_after, 3u))),
        pipeline_(d1(), static_cast<unsigned>(starts.size()), Keep::buckets) {
    for (const World& start : starts) {
      Member& member = members_.emplace_back(image_, blocks_);
      member.thread.world = start;
      member.thread.world.attach();
      member.core.record_unshared(&member.unshared);
      const auto number = static_cast<std::uint32_t>(members_.size() - 1);
      threads_[number] = {&member.core, &member.thread.world.hart};
      member.thread.world.hart.thread = number;
    }
    timer_.emplace(timing_);
  }

  // In traces where there are any; no thread to `most_instructions` in one.
  Outcome run(std::uint64_t most_instructions = ~std::uint64_t{0}) {
    for (unsigned t = 0; t < members_.size(); ++t) timer_->start(t);
    for (;;) {
      while (timer_->hungry() != 0) {
        if (SmtTraces::asks(*timer_)) run_trace(most_instructions);
        if (timer_->hungry() != 0) run_block(static_cast<unsigned>(std::countr_zero(timer_->hungry())));
      }
      floats_.end();
      if (!timer_->prepare()) break;
      const unsigned stopped = timer_->advance(timer_->due());
      for (unsigned t = 0; t < members_.size(); ++t)
        if ((stopped >> t & 1) != 0) members_[t].thread.end = timer_->now();
    }
    Outcome outcome{.threads = {}, .spent = timing_.spent(), .instructions = timing_.instructions()};
    for (Member& member : members_) {
      member.thread.counts = member.core.counts();
      outcome.threads.push_back(std::move(member.thread));
    }
    outcome.traced = traces_.blocks();
    return outcome;
  }

  // What has run, by the definition: the cycle in which each thread ended, and all cycles.
  std::pair<std::vector<Cycle>, Spending> by_definition() {
    std::vector<Cycle> ends(members_.size());
    for (std::size_t running = members_.size(); running != 0;) {
      pipeline_.tick();
      for (unsigned t = 0; t < members_.size(); ++t) {
        if (ends[t] != 0 || (!pipeline_.stopped(t) && !pipeline_.finished(t))) continue;
        pipeline_.acknowledge(t);
        ends[t] = pipeline_.now();
        --running;
      }
    }
    Spending spent;
    for (const Spent& one : pipeline_.take_spent()) spent[one.bucket] = one.cycles;
    return {ends, spent};
  }

private:
  struct Member {
    Member(CodeImage& image, BlockTiming& timing) : core(image, timing, false) {}
    Core core;
    Thread thread;
    Recording unshared;
    bool over = false;
  };

  void run_trace(std::uint64_t most_instructions) {
    unsigned able = 0;
    for (unsigned t = 0; t < members_.size(); ++t) able |= std::uint32_t{!members_[t].over} << t;
    Slice slice;
    const auto ran = traces_.next(*timer_, threads_, able, floats_, Cycle{1} << 60, most_instructions, slice);
    if (ran.left < 0) return;
    const auto t = static_cast<unsigned>(ran.left);
    ran.transition == members_[t].core.idle() ? note_slice(t, slice) : feed_transition(t, *ran.transition);
  }

  void run_block(unsigned t) {
    Member& member = members_[t];
    isa::Hart& hart = member.thread.world.hart;
    if (member.over) {
      pipeline_.finish(t);
      return timer_->finish(t);
    }
    Slice slice;
    const Transition* transition = member.core.run_translated(hart, floats_, slice);
    if (transition == nullptr) {
      floats_.end();
      slice = member.core.run(hart, 1);
    } else if (transition != member.core.idle()) {
      return feed_transition(t, *transition);
    }
    note_slice(t, slice);
  }

  void note_slice(unsigned t, const Slice& slice) {
    Member& member = members_[t];
    member.thread.stop = slice.stop;
    member.over = slice.stop != isa::Stop::none;
    if (slice.transition != nullptr) return feed_transition(t, *slice.transition);
    if (member.unshared.blocks.empty()) return;
    const RecordedBlock& ran = member.unshared.blocks.front();
    define(t, ran);
    timer_->feed(t, timing_.code_run(ran, true, 0));
    member.unshared.blocks.clear();
    member.unshared.own.clear();
  }

  void feed_transition(unsigned t, const Transition& transition) {
    floats_.end();
    const isa::Block& block = static_cast<const CodeBlock*>(transition.block)->block;
    define(t, {&block, block.count, ConfigWord{transition.config}.decode(), transition.exit});
    const std::uint32_t run = timing_.code_run(transition, 0);
    const auto before = timer_->state();
    timer_->feed(t, run);
    if (traces_.notes(*timer_)) traces_.note(*timer_, before, members_[t].thread.world.hart, transition, run);
  }

  void define(unsigned t, const RecordedBlock& ran) {
    std::vector<TimedInstruction> instructions =
        timed_instructions(*ran.block, ran.count, ran.config, ran.exit, d1());
    std::uint64_t pc = ran.block->pc;
    for (std::size_t i = 0; i < instructions.size(); ++i) {
      instructions[i].bucket = pc;
      pc += ran.block->code[i].length;
    }
    for (const TimedInstruction& instruction : instructions)
      pipeline_.feed(t, instructions_.emplace_back(instruction));
  }

  CodeImage image_;
  BlockTiming blocks_;
  SmtTiming timing_;
  SmtTraces traces_;
  std::optional<SmtTimer> timer_;
  isa::FloatTurns floats_;
  std::deque<Member> members_;
  SmtThreads threads_;
  ReferencePipeline pipeline_;
  std::deque<TimedInstruction> instructions_;
};

void expect_same(const Outcome& a, const Outcome& b) {
  EXPECT_EQ(a.spent, b.spent);
  EXPECT_EQ(a.instructions, b.instructions);
  for (std::size_t t = 0; t < a.threads.size(); ++t) {
    const Thread &one = a.threads[t], &other = b.threads[t];
    const Hart &x = one.world.hart, &y = other.world.hart;
    EXPECT_EQ(one.stop, other.stop) << t;
    EXPECT_EQ(one.end, other.end) << t;
    EXPECT_EQ(one.counts, other.counts) << t;
    EXPECT_EQ(x.pc, y.pc) << t;
    EXPECT_EQ(x.instructions, y.instructions) << t;
    EXPECT_EQ(x.x, y.x) << t;
    EXPECT_EQ(x.f, y.f) << t;
    EXPECT_EQ(x.fflags, y.fflags) << t;
    EXPECT_EQ(x.vl, y.vl) << t;
    EXPECT_EQ(x.vtype, y.vtype) << t;
    EXPECT_EQ(x.vill, y.vill) << t;
    EXPECT_EQ(x.sew, y.sew) << t;
    EXPECT_EQ(x.vstart, y.vstart) << t;
    EXPECT_EQ(x.trap_value, y.trap_value) << t;
    EXPECT_TRUE(x.v == y.v) << t;
    EXPECT_TRUE(x.tiles == y.tiles) << t;
    EXPECT_TRUE(one.world.memory == other.world.memory) << t;
  }
}

class SmtTraced : public testing::TestWithParam<HostVectors> {
protected:
  void SetUp() override {
    if (translate::host_vectors() < GetParam()) GTEST_SKIP() << "this host does not have such vectors";
  }
};

INSTANTIATE_TEST_SUITE_P(On, SmtTraced, testing::Values(HostVectors::avx2, HostVectors::avx512),
                         [](const auto& one) { return one.param == HostVectors::avx2 ? "Avx2" : "Avx512"; });

// A hart about to run `words`, with operands at random.
World about_to_run(const std::vector<std::uint32_t>& words, Generator& random, unsigned vlen) {
  World world;
  fill(world, random, true);
  if (random() % 3 != 0)  // no NaN
    for (std::size_t i = 0; i < world.hart.v.size(); i += 4) {
      const std::uint32_t bits = 0x3f800000 ^ static_cast<std::uint32_t>(random() & 0x80ffffff);
      std::memcpy(world.hart.v.data() + i, &bits, 4);
    }
  world.attach();
  std::memcpy(world.memory.data() + 0x10, words.data(), 4 * words.size());
  Hart& hart = world.hart;
  hart.pc = base + 0x10;
  hart.vlen_bits = vlen;
  isa::set_vtype(hart, random() % 4 | 2u << 3);
  hart.vl = random() % 2 == 0 ? isa::vector_length_limit(hart) : 1 + random() % 9;
  if (random() % 3 != 0) hart.frm = 0;
  hart.x[pointer] = base + 4096 + random() % 64 * 8;
  for (unsigned i = 0; i < specifiers; ++i)
    hart.x[first_specifier + i] = random() % 4 << 29 | random() % 16 | (random() % 16 == 0 ? 1u << 24 : 0);
  hart.x[length] = random() % 2 == 0 ? random() % 40 : 1000;
  hart.x[loop_counter] = 60 + random() % 200;
  return world;
}

TEST_P(SmtTraced, RandomProgramsLeaveWhatTheMeaningsLeaveInTheCyclesOfTheDefinition) {
  Generator random(21);
  Program program(random);
  std::size_t traced = 0, ended = 0;
  for (int round = 0; round < 300; ++round) {
    const unsigned vlen = 128u << random() % 4;
    const std::vector<std::uint32_t> words = program.write(vlen);
    ASSERT_LE(4 * words.size(), text_end - base - 0x10);
    const bool alike = random() % 2 == 0;
    std::vector<World> starts = {about_to_run(words, random, vlen)};
    for (auto t = random() % 4; t != 0; --t) {
      starts.push_back(alike ? starts[0] : about_to_run(words, random, vlen));
      if (alike && random() % 2 == 0) starts.back().hart.x[loop_counter] += random() % 3;
    }
    SCOPED_TRACE(fmt::format("round {} threads {} vlen {}", round, starts.size(), vlen));
    Node plain(starts, {});
    const Outcome expected = plain.run();
    ASSERT_EQ(expected.traced, 0u);
    const auto [ends, spent] = plain.by_definition();
    for (std::size_t t = 0; t < starts.size(); ++t) EXPECT_EQ(expected.threads[t].end, ends[t]) << t;
    EXPECT_EQ(expected.spent, spent);
    for (const std::uint64_t most : {~std::uint64_t{0}, random() % 4000}) {
      Node fast(starts, {.translate_after = static_cast<std::uint32_t>(random() % 4),
                         .vectors = GetParam(),
                         .most_states = random() % 4 == 0 ? 60u : 1u << 17});
      const Outcome outcome = fast.run(most);
      expect_same(expected, outcome);
      traced += outcome.traced;
      if (HasFailure()) return;
    }
    for (const Thread& thread : expected.threads) ended += thread.stop == isa::Stop::system_call;
  }
  EXPECT_GT(traced, 20'000u);
  EXPECT_GT(ended, 200u);
}

// The second half of the loop is code that may change, and is decoded anew each time.
TEST_P(SmtTraced, CodeOutsideTheTextIsRunBetweenTraces) {
  Generator random(22);
  Program program(random);
  std::size_t traced = 0;
  for (int round = 0; round < 30; ++round) {
    const std::vector<std::uint32_t> words = program.write(512);
    std::vector<World> starts;
    for (int t = 0; t < 3; ++t) starts.push_back(about_to_run(words, random, 512));
    const std::uint64_t text = base + 0x10 + 4 * (words.size() / 2 + random() % (words.size() / 2));
    SCOPED_TRACE(round);
    Node plain(starts, {.text = text}),
        fast(starts, {.translate_after = 0, .vectors = GetParam(), .text = text});
    const Outcome expected = plain.run(), outcome = fast.run();
    expect_same(expected, outcome);
    EXPECT_EQ(expected.spent, plain.by_definition().second);
    traced += outcome.traced;
    if (HasFailure()) return;
  }
  EXPECT_GT(traced, 500u);
}

}  // namespace
}  // namespace dojo::node
