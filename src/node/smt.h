// Several threads of one node in simulated time, sharing its slots, pipes and ports (simultaneous
// multithreading).
//
// Whoever owns the clock starts a thread, feeds it the code that it runs whenever the timer wants more, and
// advances to the cycle of the timer's next event, or to an earlier one at which it starts another thread.
// What the pipeline (smt_pipeline.h) did from a state is remembered, so that a state that comes again costs a
// look; where states do not come again, the pipeline runs without being looked at.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "isa/block.h"
#include "machine/machine.h"
#include "node/block_timing.h"
#include "node/counts.h"
#include "node/smt_pipeline.h"

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
class SmtTiming {
public:
  enum class CountBy : std::uint8_t { op, address };  // what cycles are counted under

  // Remembers about `most_states` states, then begins anew.
  SmtTiming(const machine::Node& node, unsigned threads, CountBy count_by = CountBy::op,
            std::size_t most_states = std::size_t{1} << 17);
  SmtTiming(const SmtTiming&) = delete;
  SmtTiming& operator=(const SmtTiming&) = delete;

  // The number under which a block that ran is fed to a timer: one of shared text, which must stay where it
  // is, or one of a thread's own, which is known by its instructions.
  std::uint32_t code_run(const Transition& ran, std::uint32_t op) {
    return knows(ran, op) ? seen_[ran.number].run : new_code_run(ran, op);
  }
  bool knows(const Transition& ran, std::uint32_t op) const {
    if (ran.number >= seen_.size()) return false;
    const Seen& seen = seen_[ran.number];
    return seen.run != no_input && (seen.op == op || count_by_ == CountBy::address);
  }
  std::uint32_t code_run(const RecordedBlock& ran, bool is_own, std::uint32_t op);

  // Cycles by cause, and by op or address of the instruction, of all threads so far.
  std::map<std::uint64_t, std::array<std::uint64_t, causes>> spent() const;
  // Instructions by address; with CountBy::address.
  std::map<std::uint64_t, std::uint64_t> instructions() const;
  // What is remembered at present.
  std::size_t states() const { return store_.size(); }

private:
  friend class SmtTimer;
  friend class SmtTraces;
  // What is done to a state: a code run is fed, a thread starts or finishes, or nothing and time passes.
  static constexpr std::uint32_t start_input = 0xffffffff, finish_input = 0xfffffffe, no_input = 0xfffffffd;
  struct Input {
    std::uint32_t thread = 0, what = no_input;
    bool operator==(const Input&) const = default;
  };
  struct State;
  // What comes of an input: if nobody is hungry behind it, the cycles until somebody is or has stopped.
  struct Edge {
    Input input;
    std::uint32_t stopped = 0;  // bit by thread
    Cycle cycles = 0;
    State* to = nullptr;
    std::uint64_t times = 0;
    std::vector<SmtSpent> spent;
    Edge* next = nullptr;  // from the same state
  };
  struct State {
    std::size_t first_word = 0;
    std::uint32_t words = 0, running = 0, hungry = 0;
    std::uint64_t hash = 0;
    Edge* edges = nullptr;
    // Of SmtTraces: which trace (from 1 on) is to be run from which of its turns on, and how often to come by
    // before it is asked.
    std::uint32_t trace = 0, turn = 0;
    std::int32_t countdown = 0;
  };
  struct CodeRun {
    std::uint32_t first = 0, count = 0;  // instructions
    std::uint64_t times = 0;             // fed
    std::vector<std::uint64_t> addresses;
  };
  struct Key {
    std::vector<std::uint64_t> words;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  struct Seen {  // a transition's code run, under an op
    std::uint32_t op = 0, run = no_input;
  };

  std::uint32_t new_code_run(const Transition& ran, std::uint32_t op);
  std::uint32_t bucket(std::uint64_t of);
  std::span<const std::uint32_t> words(const State& state) const {
    return std::span(words_).subspan(state.first_word, state.words);
  }
  State* know(SmtPipeline& pipeline);
  State*& slot(std::span<const std::uint32_t> words, std::uint64_t hash);
  void apply(SmtPipeline& pipeline, const Input& input) const;
  static Edge* find(const State& from, const Input& input) {
    Edge* edge = from.edges;
    while (edge != nullptr && edge->input != input) edge = edge->next;
    return edge;
  }
  Edge* make(State& from, const Input& input, SmtPipeline& pipeline);
  void add(std::span<const SmtSpent> spent, std::uint64_t times);
  void renew();

  machine::Node node_;
  unsigned threads_;
  CountBy count_by_;
  std::size_t most_states_;
  std::vector<TimedInstruction> instructions_;  // of all code runs
  std::vector<CodeRun> code_runs_;
  std::unordered_map<Key, std::uint32_t, KeyHash> known_code_runs_;
  std::vector<Seen> seen_;  // by Transition::number
  std::vector<std::uint64_t> buckets_;
  std::unordered_map<std::uint64_t, std::uint32_t> bucket_numbers_;
  std::vector<std::array<std::uint64_t, causes>> spent_;  // by bucket number, without what edges hold
  std::deque<State> store_;
  std::deque<Edge> edges_;
  std::vector<std::uint32_t> words_, new_words_;
  std::vector<State*> table_;  // by hash, open addressing, at most half full
  std::vector<class SmtTimer*> timers_;
  std::uint64_t renewals_ = 0;  // of all states
  std::int32_t countdown_ = 0;  // of a state that comes for the first time
};

// One node. It must not outlive its SmtTiming.
class SmtTimer {
public:
  explicit SmtTimer(SmtTiming& timing);
  SmtTimer(const SmtTimer&) = delete;
  SmtTimer& operator=(const SmtTimer&) = delete;
  ~SmtTimer();

  Cycle now() const { return now_; }
  bool running(unsigned thread) const { return (running_ >> thread & 1) != 0; }

  // The thread, which was not running, is from now() on.
  void start(unsigned thread);
  // Bit by thread: the running ones that must be fed, the first first, before time can go on.
  unsigned hungry() const { return hungry_; }
  // What it runs next; behind a run that stops, nothing until it has stopped.
  void feed(unsigned thread, std::uint32_t code_run) {
    if (feed_known(thread, code_run)) return;
    ++timing_.code_runs_[code_run].times;
    input({thread, code_run});
  }
  // The same if what comes of it is remembered; false if not: then nothing has happened.
  bool feed_known(unsigned thread, std::uint32_t code_run) {
    if (!follow({thread, code_run})) return false;
    ++timing_.code_runs_[code_run].times;
    return true;
  }
  // It runs nothing more: it stops when all of it has finished.
  void finish(unsigned thread);

  // Nobody is hungry: works out due(), when something happens if no thread starts before. False if none runs.
  bool prepare() {
    if (!under_way_ && running_ != 0) input({});
    return running_ != 0;
  }
  Cycle due() const { return due_; }
  bool knows() const { return under_way_; }        // due()
  unsigned stopping() const { return stopping_; }  // there, bit by thread
  // To a cycle no later than due(). Bit by thread: those that have stopped there, and are not running now.
  unsigned advance(Cycle to) {
    if (!under_way_ || to != due_ || state_ == nullptr || to == now_) return advance_otherwise(to);
    now_ = to;
    under_way_ = false;
    ++edge_->times;
    adopt(std::exchange(edge_, nullptr)->to);
    return stopping_;
  }

  // Where it stands among what is remembered; nullptr: nowhere.
  const SmtTiming::State* state() const { return state_; }

private:
  friend class SmtTiming;
  friend class SmtTraces;

  static constexpr std::int64_t most_credit = 3000, first_backoff = 4096;

  // Goes along the state's edge for the input, if there is one.
  bool follow(const SmtTiming::Input& input) {
    if (state_ == nullptr) return false;
    SmtTiming::Edge* edge = SmtTiming::find(*state_, input);
    if (edge == nullptr) return false;
    credit_ += credit_ < most_credit;
    if (credit_ == most_credit) backoff_ = first_backoff;
    if (edge->cycles == 0) {
      adopt(edge->to);
      return true;
    }
    edge_ = edge;
    under_way_ = true;
    hungry_ = 0;
    due_ = now_ + edge->cycles;
    stopping_ = edge->stopped;
    return true;
  }
  void adopt(SmtTiming::State* state) {
    state_ = state;
    running_ = state->running;
    hungry_ = state->hungry;
  }
  void input(const SmtTiming::Input& input);
  bool remember(const SmtTiming::Input& input);
  void run_unremembered(const SmtTiming::Input& input);
  void load_pipeline();
  unsigned advance_otherwise(Cycle to);
  void count_spent();
  void cut(Cycle to);

  SmtTiming& timing_;
  Cycle now_ = 0;
  unsigned running_ = 0, hungry_ = 0;  // bit by thread
  // Worked out in advance: the time from now_ to due_, where `stopping_` stop.
  bool under_way_ = false;
  Cycle due_ = 0;
  unsigned stopping_ = 0;

  SmtTiming::State* state_ = nullptr;  // at now_; nullptr: the pipeline alone knows
  SmtTiming::Edge* edge_ = nullptr;    // from state_, under way
  SmtPipeline pipeline_;
  const SmtTiming::State* pipeline_state_ = nullptr;  // the one that the pipeline is in, if known
  SmtPipeline begun_;  // without a state: the pipeline at now_, if time is under way and a thread could start
  std::vector<SmtSpent> spent_;

  std::int64_t credit_;        // for what is remembered in vain
  std::int64_t unremembered_;  // inputs until states are looked for again
  std::int64_t backoff_;       // ... and until that the next time
};

}  // namespace dojo::node
