// Threads that share a node, while cycles are counted: one block after the other, as the replay's timer wants
// them, or many in a row where they run as they ran before (node/smt_trace.h).
#include <algorithm>
#include <bit>
#include <memory>

#include "system/execution.h"

namespace dojo::system {

namespace {

// Blocks of threads that share nodes between two questions to the host whether to go on.
constexpr unsigned between_questions = 4096;

}  // namespace

// Behind a block: whether there is more to think of than the next one.
inline bool Execution::must_look_up(const Thread& thread) {
  return ++pulled_ % between_questions == 0 || layout_.tohost != 0 || thread.hart.instructions >= limit();
}

void Execution::look_up(Thread& thread) {
  end_turn(thread);
  if (pulled_ % between_questions == 0) ask_host();
}

// Whether to go on.
bool Execution::ask_host() {
  if (options_.host.interrupted()) interrupted_ = true;
  return !interrupted_;
}

// The same blocks as pull() calls for, of threads that do nothing but run: no more is asked than what they
// need.
void Execution::go_on(std::uint32_t number, node::SmtTimer& timer, std::uint64_t end) {
  if (held_ || interrupted_) return;
  const std::unique_ptr<Thread>* const threads = &threads_[number * layout_.threads];
  isa::FloatTurns floats;
  for (;;) {
    while (timer.hungry() != 0) {
      if (smt_traces_ && node::SmtTraces::asks(timer) && !run_trace(number, floats, timer, end))
        return floats.end();
      if (timer.hungry() == 0) break;
      Thread& thread = *threads[std::countr_zero(timer.hungry())];
      if (run_ordinary(thread, floats, timer)) continue;
      return floats.end();
    }
    if (!timer.knows()) {
      floats.end();
      if (!timer.prepare()) return;
    }
    if (timer.stopping() != 0 || static_cast<std::uint64_t>(timer.due()) >= end) return floats.end();
    timer.advance(timer.due());
  }
}

// What threads have run together before, if they do so again. False if that was not all.
bool Execution::run_trace(std::uint32_t number, isa::FloatTurns& floats, node::SmtTimer& timer,
                          std::uint64_t end) {
  const std::unique_ptr<Thread>* const threads = &threads_[number * layout_.threads];
  unsigned able = 0;
  for (unsigned t = 0; t < layout_.threads; ++t)
    able |= std::uint32_t{threads[t]->state == ThreadState::runnable && threads[t]->trace.ran.empty()} << t;
  node::Slice slice;
  const auto last = static_cast<node::Cycle>(std::min<std::uint64_t>(end, last_cycle));
  const auto ran = smt_traces_->next(timer, smt_threads_[number], able, floats, last, limit(), slice);
  for (unsigned t = 0; t < layout_.threads; ++t)
    if ((ran.threads >> t & 1) != 0) threads[t]->clock_known = false;
  const auto blocks = static_cast<unsigned>(ran.blocks);
  const bool asks = pulled_ / between_questions != (pulled_ + blocks) / between_questions;
  pulled_ += blocks;
  if (ran.left >= 0 &&
      !feed(*threads[ran.left], *ran.transition, slice, threads[ran.left]->hart.op, floats, timer))
    return false;
  if (!asks) return true;
  floats.end();
  return ask_host();
}

// False if it has run no block, or that was not all.
inline bool Execution::run_ordinary(Thread& thread, isa::FloatTurns& floats, node::SmtTimer& timer) {
  if (thread.state != ThreadState::runnable || !thread.trace.ran.empty()) return false;
  const std::uint32_t op = thread.hart.op;
  node::Slice slice;
  const node::Transition* transition = thread.core.run_translated(thread.hart, floats, slice);
  return transition != nullptr && feed(thread, *transition, slice, op, floats, timer);
}

// A block has been run under `op`. False if that was not all.
inline bool Execution::feed(Thread& thread, const node::Transition& transition, const node::Slice& slice,
                            std::uint32_t op, isa::FloatTurns& floats, node::SmtTimer& timer) {
  if (&transition == thread.core.idle()) [[unlikely]] {
    after_slice(thread, slice, op);
    if (must_look_up(thread)) look_up(thread);
    return false;
  }
  thread.clock_known = false;
  if (!smt_->knows(transition, op)) floats.end();
  const std::uint32_t run = smt_->code_run(transition, op);
  const auto before = timer.state();
  if (!timer.feed_known(thread.hart.thread, run)) {
    floats.end();
    timer.feed(thread.hart.thread, run);
  }
  if (smt_traces_ && smt_traces_->notes(timer)) [[unlikely]] {
    floats.end();
    smt_traces_->note(timer, before, thread.hart, transition, run);
  }
  if (!must_look_up(thread)) return true;
  floats.end();
  look_up(thread);
  return false;
}

// The next block of a thread that shares its node.
void Execution::pull(Thread& thread) {
  while (thread.trace.ran.empty() && thread.state == ThreadState::runnable && !interrupted_) {
    run_slice(thread, 1);
    if (must_look_up(thread)) look_up(thread);
  }
}

}  // namespace dojo::system
