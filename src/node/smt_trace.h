// Traces of a node's threads together: the blocks that they ran by turns, from a state of their pipeline on,
// remembered in that order and run again as one.
//
// Where threads are in loops the state of their pipeline comes again, and with it the order in which they
// want their next blocks. A trace runs these one behind the other by translated code (translate/turns.h),
// which asks only whether each was left as it was once; cycles and counts were worked out when it was noted.
// They are the blocks that would run without traces, in the same order, so that threads see each other's
// stores as they would. The first turn that goes another way ends the run, and the timer stands where it
// stood before that turn.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "isa/float_host.h"
#include "node/core.h"
#include "node/smt.h"
#include "translate/turns.h"

namespace dojo::node {

// The threads of a node, by number. Without a core: there is none of this number.
struct SmtThread {
  Core* core = nullptr;
  isa::Hart* hart = nullptr;
};
using SmtThreads = std::array<SmtThread, 4>;

// Of all nodes of a launch. One host thread uses it.
class SmtTraces {
public:
  // Both must outlive it, and have been made for it alone but for what the image holds. A trace is noted
  // where a state has come `after` times.
  static constexpr std::int32_t after_default = 500;
  SmtTraces(CodeImage& image, SmtTiming& timing, std::int32_t after = after_default);
  SmtTraces(const SmtTraces&) = delete;
  SmtTraces& operator=(const SmtTraces&) = delete;

  // Some thread is hungry: shall the next() be asked for?
  static bool asks(const SmtTimer& timer) {
    return timer.state_ != nullptr && --timer.state_->countdown <= 0;
  }

  struct Ran {
    std::uint64_t blocks = 0;  // that the timer has been taken past
    unsigned threads = 0;      // bit by thread: whose
    // This thread has run one more, which its timer has not been fed: a transition of its core, see
    // Core::run_translated. -1: none has.
    int left = -1;
    const Transition* transition = nullptr;
    bool any() const { return blocks != 0 || left >= 0; }
  };
  // Runs the trace that begins here, if there is one, it ends before cycle `end`, and no thread comes to
  // `most_instructions` in it; or begins to note one. `able`: bit by thread, whether it may run. `slice` is
  // for Ran::left.
  Ran next(SmtTimer& timer, const SmtThreads& threads, unsigned able, isa::FloatTurns& floats, Cycle end,
           std::uint64_t most_instructions, Slice& slice);

  // A trace of this timer is being noted: note() is to be called for all that it is fed.
  bool notes(const SmtTimer& timer) const { return noting_.timer == &timer; }
  // The timer stood in `before` and has been fed `code_run`, which the hart has just run as `transition`.
  void note(const SmtTimer& timer, const SmtTiming::State* before, const isa::Hart& hart,
            const Transition& transition, std::uint32_t code_run);

  std::size_t traces() const { return traces_.size(); }
  std::uint64_t blocks() const { return blocks_; }  // run in traces so far

private:
  using State = SmtTiming::State;
  friend class SmtTiming;

  struct Turn {
    State* from = nullptr;
    SmtTiming::Edge* edge = nullptr;
    const Transition* transition = nullptr;
    const Translation* translation = nullptr;
    const void* code = nullptr;
    std::uint32_t code_run = 0, op = 0;
    unsigned thread = 0;
    std::uint64_t target = 0;

    const CodeBlock& block() const { return *translation->block; }
  };
  // Before a turn, or behind the last.
  struct Boundary {
    Cycle cycles = 0;                   // from the trace's beginning
    std::array<std::uint64_t, 4> pc{};  // of the threads that take part
    int floats = -1;                    // the thread whose turn was the last with floats
  };
  struct SmtTrace {
    std::vector<Turn> turns;
    std::vector<translate::Turn> code;  // and what is behind the last
    std::vector<Boundary> boundaries;   // the same
    bool loops = false;
    unsigned threads = 0, floats = 0;  // bit by thread: take part, may compute with floats
    std::array<std::uint32_t, 4> op{};
    std::array<std::uint64_t, 4> instructions{};
    std::uint64_t runs = 0, blocks = 0;  // of late: whether it is worth while
  };
  struct Noting {
    const SmtTimer* timer = nullptr;
    State *head = nullptr, *at = nullptr;
    std::vector<Turn> turns;
    std::vector<std::size_t> same;  // by turn: how many up to there are the first ones over again
    std::size_t returned = 0;       // turns until it was back at its head
  };

  void renew();
  bool add_turn(const State* before, const isa::Hart& hart, const Transition& transition,
                std::uint32_t code_run);
  std::size_t note_period();
  void end_note();
  void keep(std::vector<Turn> turns, bool loops);
  SmtTrace plan(std::vector<Turn> turns, bool loops) const;
  void retire(const SmtTrace& trace);
  bool may_begin(const SmtTrace& trace, const Boundary& boundary, const SmtThreads& threads,
                 unsigned able) const;
  static std::int64_t passes(const SmtTrace& trace, const Boundary& boundary, const SmtThreads& threads,
                             Cycle left, std::uint64_t most_instructions);
  Ran account(SmtTrace& trace, std::size_t from, std::size_t to, std::uint64_t ends, bool left,
              SmtTimer& timer, const SmtThreads& threads);

  CodeImage& image_;
  SmtTiming& timing_;
  std::int32_t next_attempt_;
  std::uint64_t renewals_ = 0;
  std::deque<SmtTrace> traces_;
  std::size_t turns_ = 0;  // of all traces
  Noting noting_;
  std::uint64_t blocks_ = 0;
};

}  // namespace dojo::node
