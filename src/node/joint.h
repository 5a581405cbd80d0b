// Several threads of one node in simulated time, sharing its slots, pipes and ports.
//
// The definition of timing itself (pipeline_reference.h) gives every cycle; what it did from a situation is
// remembered, so that a situation that comes again costs a look. Whoever owns the clock starts a thread,
// feeds it the code that it runs whenever the timer wants more, and advances to the cycle of the timer's next
// event, or to an earlier one at which it starts another thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "isa/block.h"
#include "machine/machine.h"
#include "node/block_timing.h"
#include "node/counts.h"
#include "node/job.h"
#include "node/pipeline_reference.h"

namespace dojo::node {

struct RecordedBlock {
  const isa::Block* block = nullptr;
  std::uint32_t count = 0;  // instructions completed
  Config config;
  Exit exit = Exit::onward;
};

// What a thread ran. Not copyable: its blocks may point into it.
struct Recording {
  Recording() = default;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  std::vector<RecordedBlock> blocks;
  std::deque<isa::Block> own;  // blocks of code that is not shared
};

// What all nodes of a launch share: the code that ran, and what is remembered of it. One host thread uses it.
class JointTiming {
public:
  enum class Places : std::uint8_t { ops, addresses };  // what cycles are counted under

  // Remembers about `most_states` situations, then begins anew.
  JointTiming(const machine::Node& node, unsigned threads, Places places = Places::ops,
              std::size_t most_states = std::size_t{1} << 17);
  JointTiming(const JointTiming&) = delete;
  JointTiming& operator=(const JointTiming&) = delete;

  // The number under which `ran` is fed to a timer. Blocks of shared text are known by their address, which
  // must stay theirs; `is_own` ones by their instructions, and they leave the pipeline empty.
  std::uint32_t stretch(const RecordedBlock& ran, bool is_own, std::uint32_t op);
  // It ends with a stop.
  bool stops(std::uint32_t stretch) const { return stretches_[stretch].stops; }

  // Cycles by cause, and by op or address of the instruction, of all threads so far.
  std::map<std::uint64_t, std::array<std::uint64_t, causes>> spent() const;
  // Instructions by address; with Places::addresses.
  std::map<std::uint64_t, std::uint64_t> instructions() const;
  // What is remembered at present.
  std::size_t situations() const { return states_.size(); }

private:
  friend class JointTimer;
  static constexpr std::uint32_t start_edge = 0xffffffff, finish_edge = 0xfffffffe;

  struct Stretch {
    std::uint32_t first = 0, count = 0;  // steps
    bool stops = false;
    std::uint64_t times = 0;  // fed
    std::vector<std::uint64_t> addresses;
  };
  struct State;
  // What happens from a state until a thread wants more or has stopped.
  struct Run {
    Cycle cycles = 0;
    const State* to = nullptr;
    unsigned stopped = 0;  // bit by thread
    std::vector<Spent> spent;
    mutable std::uint64_t times = 0;
  };
  struct Edge {
    unsigned thread = 0;
    std::uint32_t what = 0;  // a stretch, or start_edge, finish_edge
    const State* to = nullptr;
  };
  struct State {
    Situation words;       // the last is `running`
    unsigned running = 0;  // bit by thread
    int wants = -1;        // the first thread that must be fed before time can go on
    mutable std::optional<Run> run;
    mutable std::vector<Edge> edges;
  };
  struct ByWords {
    std::size_t operator()(const State* state) const;
    bool operator()(const State* a, const State* b) const { return a->words == b->words; }
  };
  struct Key {
    std::vector<std::uint64_t> words;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };

  const State* idle(Cycle now);
  const State* after(const State& from, unsigned thread, std::uint32_t what);
  const Run& run(const State& from);
  // The state after `cycles` of a run that is cut short.
  const State* part(const State& from, Cycle cycles);
  ReferencePipeline& pipeline_at(const State& state);
  const State* know_pipeline(unsigned running);
  const State* know(Situation words, bool pipeline_is_there);
  void renew();
  void add(const std::vector<Spent>& spent, std::uint64_t times);

  machine::Node node_;
  unsigned threads_;
  Places places_;
  std::size_t most_states_;
  std::deque<Step> steps_;
  std::vector<Stretch> stretches_;
  std::unordered_map<Key, std::uint32_t, KeyHash> known_stretches_;
  std::deque<State> store_;
  std::unordered_set<const State*, ByWords, ByWords> states_;
  std::vector<const State*> idle_;  // by cycle within a round of turns
  ReferencePipeline pipeline_;
  const State* pipeline_state_ = nullptr;  // which one pipeline_ is in, if known
  std::unordered_map<std::uint64_t, std::array<std::uint64_t, causes>> spent_;  // of what is forgotten
  std::vector<class JointTimer*> timers_;
};

// One node. It must not outlive its JointTiming.
class JointTimer {
public:
  explicit JointTimer(JointTiming& timing);
  JointTimer(const JointTimer&) = delete;
  JointTimer& operator=(const JointTimer&) = delete;
  ~JointTimer();

  Cycle now() const { return now_; }
  bool running(unsigned thread) const { return (state_->running >> thread & 1) != 0; }

  // The thread, which was not running, is from now() on.
  void start(unsigned thread);
  // The running thread that must be fed before time can go on.
  std::optional<unsigned> wants() const;
  // What it runs next; behind a stretch that stops, nothing until it has stopped.
  void feed(unsigned thread, std::uint32_t stretch);
  // It runs nothing more: it stops when all of it has finished.
  void finish(unsigned thread);

  // When something happens if no thread starts before; nothing if none runs. Nobody wants anything.
  std::optional<Cycle> next();
  // To a cycle no later than next(). Bit by thread: those that have stopped there, and are not running now.
  unsigned advance(Cycle to);

private:
  friend class JointTiming;
  void move(unsigned thread, std::uint32_t what);

  JointTiming& timing_;
  const JointTiming::State* state_;
  Cycle now_ = 0;
};

}  // namespace dojo::node
