// The fast pipeline of threads that share a node: one to four, the same cycles and causes as the definition.
//
// It goes from cycle to cycle as pipeline_reference.h does, but asks only what may have changed: when a
// thread's next instruction and its oldest queued vector instruction have their operands is worked out once,
// and cycles in which nothing can happen are passed at once. Its state relative to the present cycle can be
// taken out as words, without what has become irrelevant, so that equal states are equal words. The tests
// compare it with the definition.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "machine/machine.h"
#include "node/pipeline_reference.h"

namespace dojo::node {

// Cycles of one thread in a row that count alike.
struct SmtSpent {
  std::uint32_t bucket = 0;  // TimedInstruction::bucket, below 2^30
  Cause cause = Cause::issue;
  std::uint32_t cycles = 0;
};

class SmtPipeline {
public:
  // Instructions are called by their index in `instructions`, which may grow; neither reference may go away.
  // None is Route::free.
  SmtPipeline(const machine::Node& node, unsigned threads, const std::vector<TimedInstruction>& instructions);

  Cycle now() const { return now_; }
  // Bit by thread.
  unsigned running() const { return running_; }
  // Running threads whose front end could run out of instructions within a cycle, with no stop among them.
  unsigned hungry() const { return hungry_; }

  // The thread, which was not running, is from now on.
  void start(unsigned thread);
  // To a hungry thread: what it runs next, instructions [first, first + count).
  void feed(unsigned thread, std::uint32_t first, std::uint32_t count);
  // A hungry thread runs nothing more: its cycles count until all has finished, then it stops.
  void finish(unsigned thread);

  // While threads run and none is hungry: until one is, or one or more have stopped, which run no more; or
  // for `most` cycles. Bit by thread: who has stopped.
  unsigned run(Cycle most);
  // Nobody runs: time passes.
  void pass_to(Cycle now);

  // Cycles counted since they were last taken.
  void take_spent(std::vector<SmtSpent>& spent);

  // Everything that the future can depend on.
  void state(std::vector<std::uint32_t>& words);
  void resume(std::span<const std::uint32_t> words);

private:
  struct Ready {
    Cycle first = 0, last = 0;
  };
  struct Tile {
    Cycle forward = 0, ready = 0;
  };
  struct Piece {  // of what a thread has still to pass on: instructions in a row
    std::uint32_t first = 0, count = 0;
  };
  struct Thread {
    std::array<Cycle, 32> x{}, f{};
    std::array<Ready, 32> v{};
    std::array<Tile, 4> tile{};
    std::uint32_t x_ahead = 0, f_ahead = 0, v_ahead = 0;  // times that may lie ahead
    std::uint32_t x_pending = 0, f_pending = 0;           // written by queued vector instructions
    bool config_pending = false;
    bool stopping = false, stop_fed = false, finishing = false;
    Cycle config = 0, done = 0, front_ready = 0;
    Cycle front_from =
        0;  // the next instruction has its operands at this cycle, as far as is known; or `never`
    Cycle head_from = 0;  // the same of the queue's oldest
    Cause front_reason = Cause::dependency;
    std::uint32_t passed_bucket = 0;  // of the instruction passed last
    std::uint32_t waiting = 0;        // instructions in pieces
    std::uint32_t first_piece = 0, pieces = 0, first_queued = 0, queued = 0;  // within rings
    std::uint32_t spent_bucket = 0, spent_cycles = 0;
    Cause spent_cause = Cause::issue;
  };
  struct Slots {  // what is left of one cycle
    std::uint32_t decode, scalar, alus, address_units;
    bool load_path = true, store_path = true;
  };
  static constexpr Cycle never = Cycle{1} << 62;
  static constexpr std::size_t most_ports = 4;

  void tick();
  void issue_vectors(unsigned first);
  void pass_instructions(unsigned first);
  void pass_some(Thread& thread, unsigned bit, Slots& slots, unsigned& decoded_threads);
  bool take_slots(const TimedInstruction& instruction, Slots& slots) const;
  Cycle operands_from(const Thread& thread, const Cost& cost) const;
  Cycle sources_from(const Thread& thread, const Cost& cost) const;
  bool pipes_free(const Cost& cost) const;
  bool ports_free(const Cost& cost) const;
  void begin(Thread& thread, const Cost& cost);
  void pass(Thread& thread, unsigned bit, std::uint32_t number);
  void enqueue(Thread& thread, std::uint32_t number);
  void set_results(Thread& thread, const Cost& cost, Cycle ready);
  void account(Cycle cycles);
  Cause cause_of(const Thread& thread) const;
  void spend(Thread& thread, Cause cause, Cycle cycles);
  Cycle next_change() const;
  bool idle(const Thread& thread, Cycle at) const;
  template <typename Visit>
  void each_shared_time(Visit visit);

  std::size_t number(const Thread& thread) const {
    return static_cast<std::size_t>(&thread - threads_.data());
  }
  std::uint32_t& queued(const Thread& thread, std::uint32_t i) {
    return queues_[number(thread) * queue_capacity_ + ((thread.first_queued + i) & (queue_capacity_ - 1))];
  }
  Piece& piece(const Thread& thread, std::uint32_t i) {
    return pieces_[number(thread) * piece_capacity_ + ((thread.first_piece + i) & (piece_capacity_ - 1))];
  }
  // The oldest queued instruction, and the next to pass on.
  const TimedInstruction& head(const Thread& thread) const {
    return (*instructions_)[const_cast<SmtPipeline*>(this)->queued(thread, 0)];
  }
  const TimedInstruction& front(const Thread& thread) const {
    return (*instructions_)[const_cast<SmtPipeline*>(this)->piece(thread, 0).first];
  }

  const machine::Node* node_;
  const std::vector<TimedInstruction>* instructions_;
  unsigned count_;
  Cycle now_ = 0;
  unsigned running_ = 0, hungry_ = 0, acted_ = 0, stopped_ = 0, finishing_ = 0;  // bit by thread
  std::array<Thread, 4> threads_;
  std::uint32_t queue_capacity_, piece_capacity_;  // of a thread; powers of two
  std::vector<std::uint32_t> queues_;              // rings, thread by thread
  std::vector<Piece> pieces_;
  Cycle simd_ = 0, matrix_ = 0, divider_ = 0;  // busy until
  std::array<Cycle, most_ports> loads_{}, stores_{};
  std::vector<SmtSpent> spent_;
};

}  // namespace dojo::node
