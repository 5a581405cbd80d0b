// Outline of a cycle, as in the definition: issue_vectors (per thread in rotating order, in order within a
// thread), pass_instructions (at most decode_threads threads, in order within a thread), account (one cause
// per thread; if nobody did anything, for all cycles until something changes).
#include "node/smt_pipeline.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/bits.h"
#include "base/error.h"

namespace dojo::node {

namespace {

// What a route takes of a cycle's slots.
struct Takes {
  bool scalar, alu, address_unit, load_path, store_path;
};
constexpr Takes takes[] = {
    // clang-format off
    // scalar  alu    address load   store
    {  false,  false, false,  false, false },  // free
    {  false,  false, false,  false, false },  // branch
    {  true,   true,  false,  false, false },  // alu
    {  true,   true,  false,  false, false },  // divide
    {  true,   false, true,   true,  false },  // load
    {  true,   false, true,   false, true  },  // store
    {  true,   false, true,   true,  true  },  // atomic
    {  true,   true,  false,  false, false },  // drain
    {  false,  false, false,  false, false },  // vector
    // clang-format on
};
static_assert(std::size(takes) == static_cast<std::size_t>(Route::vector) + 1);

constexpr std::uint32_t registers_of(const Group& group) {
  return static_cast<std::uint32_t>(((std::uint64_t{1} << group.count) - 1) << group.first);
}

bool is_arithmetic(const Cost& cost) { return (cost.pipes & (simd_pipe | matrix_pipe)) != 0; }

}  // namespace

SmtPipeline::SmtPipeline(const machine::Node& node, unsigned threads,
                         const std::vector<TimedInstruction>& instructions)
    : node_(&node),
      instructions_(&instructions),
      count_(threads),
      queue_capacity_(std::bit_ceil(static_cast<std::uint32_t>(node.vector_queue))),
      piece_capacity_(std::bit_ceil(static_cast<std::uint32_t>(node.decode_width) + 2)),
      queues_(std::size_t{threads} * queue_capacity_),
      pieces_(std::size_t{threads} * piece_capacity_) {
  DOJO_ENSURE(threads >= 1 && threads <= threads_.size());
}

// --- What threads run -----------------------------------------------------------------------------------

void SmtPipeline::start(unsigned thread) {
  DOJO_ENSURE((running_ >> thread & 1) == 0);
  running_ |= 1u << thread;
  hungry_ |= 1u << thread;
}

void SmtPipeline::feed(unsigned thread, std::uint32_t first, std::uint32_t count) {
  DOJO_ENSURE((hungry_ >> thread & 1) != 0);
  if (count == 0) return;
  Thread& t = threads_[thread];
  if (t.waiting == 0) t.front_from = 0;
  piece(t, t.pieces++) = {first, count};
  t.waiting += count;
  t.stop_fed = (*instructions_)[first + count - 1].exit == Exit::stopped;
  if (t.stop_fed || t.waiting > node_->decode_width) hungry_ &= ~(1u << thread);
}

void SmtPipeline::finish(unsigned thread) {
  DOJO_ENSURE((hungry_ >> thread & 1) != 0);
  hungry_ &= ~(1u << thread);
  finishing_ |= 1u << thread;
  threads_[thread].finishing = true;
}

void SmtPipeline::pass_to(Cycle now) {
  DOJO_ENSURE(running_ == 0 && now >= now_);
  now_ = now;
}

// --- Cycles ---------------------------------------------------------------------------------------------

unsigned SmtPipeline::run(Cycle most) {
  DOJO_ENSURE(running_ != 0 && hungry_ == 0 && most > 0);
  const Cycle end = now_ + most;
  stopped_ = 0;
  do {
    const auto first = static_cast<unsigned>(now_ % count_);
    acted_ = 0;
    issue_vectors(first);
    pass_instructions(first);
    const Cycle cycles = acted_ != 0 ? 1 : std::min(next_change(), end) - now_;
    account(cycles);
    now_ += cycles;
    for_each_bit(finishing_, [&](unsigned t) {
      if (idle(threads_[t], now_)) stopped_ |= 1u << t;
    });
  } while ((hungry_ | stopped_) == 0 && now_ != end);
  for_each_bit(stopped_, [&](unsigned t) {
    Thread& thread = threads_[t];
    DOJO_ENSURE(idle(thread, now_));
    thread.finishing = thread.stop_fed = false;
  });
  finishing_ &= ~stopped_;
  running_ &= ~stopped_;
  return stopped_;
}

bool SmtPipeline::idle(const Thread& thread, Cycle at) const {
  return thread.waiting == 0 && thread.queued == 0 && thread.done <= at && thread.front_ready <= at;
}

// The next cycle in which anything may be otherwise than in this one, in which nobody did anything.
Cycle SmtPipeline::next_change() const {
  Cycle next = never;
  const auto may_change = [&](Cycle at) {
    if (at > now_) next = std::min(next, at);
  };
  for (const Cycle at : {simd_, matrix_, divider_}) may_change(at);
  for (const Cycle at : loads_) may_change(at);
  for (const Cycle at : stores_) may_change(at);
  for_each_bit(running_, [&](unsigned t) {
    const Thread& thread = threads_[t];
    if (thread.queued != 0) may_change(thread.head_from);
    if (thread.waiting != 0) may_change(thread.front_from);
    if (thread.stopping) may_change(std::max(now_ + 1, thread.front_ready));
    if (thread.finishing) may_change(std::max({now_ + 1, thread.front_ready, thread.done}));
  });
  return next;
}

// --- Vector engine --------------------------------------------------------------------------------------

// The cycle from which an instruction, its thread's oldest, has its vector and tile operands.
Cycle SmtPipeline::sources_from(const Thread& thread, const Cost& cost) const {
  Cycle from = 0;
  const Cycle occupied_behind = static_cast<Cycle>(cost.occupancy) - 1;
  for (const Group& group : cost.v_reads)
    for_each_bit(registers_of(group) & thread.v_ahead, [&](unsigned r) {
      const Cycle behind = group.at_once ? 0 : occupied_behind;
      from = std::max({from, thread.v[r].first, thread.v[r].last - behind});
    });
  for_each_bit(cost.t_reads, [&](unsigned i) {
    from = std::max(from, cost.accumulates ? thread.tile[i].forward : thread.tile[i].ready);
  });
  return from;
}

inline bool SmtPipeline::pipes_free(const Cost& cost) const {
  return !((cost.pipes & simd_pipe) && simd_ > now_) && !((cost.pipes & matrix_pipe) && matrix_ > now_);
}

inline bool SmtPipeline::ports_free(const Cost& cost) const {
  const auto free = [&](const std::array<Cycle, most_ports>& ports, std::uint64_t there) {
    unsigned count = 0;
    for (std::uint64_t i = 0; i < there; ++i) count += ports[i] <= now_;
    return count;
  };
  if ((cost.pipes & load_port) && free(loads_, node_->sram_load_ports) < cost.ports) return false;
  return !((cost.pipes & store_port) && free(stores_, node_->sram_store_ports) == 0);
}

inline void SmtPipeline::issue_vectors(unsigned first) {
  auto slots = static_cast<std::uint32_t>(node_->vector_issue);
  for (unsigned i = 0; i < count_; ++i) {
    const unsigned number = first + i < count_ ? first + i : first + i - count_;
    Thread& thread = threads_[number];
    while (thread.queued != 0 && thread.head_from <= now_) {
      const Cost& cost = head(thread).cost;
      const bool arithmetic = is_arithmetic(cost);
      if ((arithmetic && slots == 0) || !pipes_free(cost) || !ports_free(cost)) break;
      begin(thread, cost);
      slots -= arithmetic;
      acted_ |= 1u << number;
    }
  }
}

void SmtPipeline::begin(Thread& thread, const Cost& cost) {
  const Cycle free_again = now_ + cost.occupancy;
  const Cycle last = free_again - 1 + cost.latency;
  const Cycle first = cost.streams ? now_ + cost.latency : last;
  if (cost.pipes & simd_pipe) simd_ = free_again;
  if (cost.pipes & matrix_pipe) matrix_ = free_again;
  const auto take = [&](std::array<Cycle, most_ports>& ports, unsigned count) {
    for (Cycle& busy : ports) {
      if (count == 0 || busy > now_) continue;
      busy = free_again;
      --count;
    }
  };
  if (cost.pipes & load_port) take(loads_, cost.ports);
  if (cost.pipes & store_port) take(stores_, 1);

  for_each_bit(registers_of(cost.v_write), [&](unsigned r) {
    thread.v[r].first = std::max(thread.v[r].first, first);
    thread.v[r].last = std::max(thread.v[r].last, last);
  });
  thread.v_ahead |= registers_of(cost.v_write);
  for_each_bit(cost.t_writes, [&](unsigned i) {
    Tile& tile = thread.tile[i];
    tile.forward = std::max(tile.forward, cost.accumulates ? free_again : last);
    tile.ready = std::max(tile.ready, last);
  });
  thread.x_pending &= ~cost.x_writes;
  thread.f_pending &= ~cost.f_writes;
  if (cost.writes_config) thread.config_pending = false;
  set_results(thread, cost, last);
  thread.front_from = 0;
  ++thread.first_queued;
  --thread.queued;
  if (thread.queued != 0) thread.head_from = sources_from(thread, head(thread).cost);
}

// --- Front end ------------------------------------------------------------------------------------------

inline void SmtPipeline::set_results(Thread& thread, const Cost& cost, Cycle ready) {
  for_each_bit(cost.x_writes, [&](unsigned r) { thread.x[r] = ready; });
  for_each_bit(cost.f_writes, [&](unsigned r) { thread.f[r] = ready; });
  thread.x_ahead |= cost.x_writes;
  thread.f_ahead |= cost.f_writes;
  if (cost.writes_config) thread.config = ready;
  thread.done = std::max(thread.done, ready);
}

// The cycle from which an instruction, its thread's next, may pass as far as its operands go; `never`: not
// before the thread's queue goes on.
inline Cycle SmtPipeline::operands_from(const Thread& thread, const Cost& cost) const {
  const std::uint32_t x = cost.x_reads | cost.x_writes, f = cost.f_reads | cost.f_writes;
  const bool config = cost.reads_config || cost.writes_config;
  const bool drains = cost.route == Route::drain;
  if ((x & thread.x_pending) != 0 || (f & thread.f_pending) != 0 || (config && thread.config_pending) ||
      (drains && thread.queued != 0))
    return never;
  Cycle from = thread.front_ready;
  for_each_bit(x & thread.x_ahead, [&](unsigned r) { from = std::max(from, thread.x[r]); });
  for_each_bit(f & thread.f_ahead, [&](unsigned r) { from = std::max(from, thread.f[r]); });
  if (config) from = std::max(from, thread.config);
  if (drains) from = std::max(from, thread.done);
  return from;
}

inline bool SmtPipeline::take_slots(const TimedInstruction& instruction, Slots& slots) const {
  const Takes& t = takes[static_cast<std::size_t>(instruction.cost.route)];
  if (slots.decode == 0 || (t.scalar && slots.scalar == 0) || (t.alu && slots.alus == 0) ||
      (t.address_unit && slots.address_units == 0) || (t.load_path && !slots.load_path) ||
      (t.store_path && !slots.store_path))
    return false;
  slots.decode -= 1;
  slots.scalar -= t.scalar;
  slots.alus -= t.alu;
  slots.address_units -= t.address_unit;
  slots.load_path &= !t.load_path;
  slots.store_path &= !t.store_path;
  return true;
}

inline void SmtPipeline::pass_instructions(unsigned first) {
  Slots slots{static_cast<std::uint32_t>(node_->decode_width),
              static_cast<std::uint32_t>(node_->scalar_issue), static_cast<std::uint32_t>(node_->alus),
              static_cast<std::uint32_t>(node_->address_units)};
  unsigned decoded_threads = 0;
  for (unsigned i = 0; i < count_; ++i) {
    const unsigned number = first + i < count_ ? first + i : first + i - count_;
    Thread& thread = threads_[number];
    if (thread.waiting != 0 && thread.front_from <= now_) pass_some(thread, number, slots, decoded_threads);
  }
}

inline void SmtPipeline::pass_some(Thread& thread, unsigned number, Slots& slots, unsigned& decoded_threads) {
  std::uint32_t bytes = 0;
  while (thread.waiting != 0) {
    const std::uint32_t at = piece(thread, 0).first;
    const TimedInstruction& instruction = (*instructions_)[at];
    const Cost& cost = instruction.cost;
    thread.front_from = operands_from(thread, cost);
    if (thread.front_from > now_) {
      thread.front_reason = Cause::dependency;
      break;
    }
    const Takes& t = takes[static_cast<std::size_t>(cost.route)];
    thread.front_reason = t.load_path || t.store_path ? Cause::sram : Cause::unit;
    if (decoded_threads == node_->decode_threads || bytes + cost.bytes > node_->fetch_bytes) break;
    if (cost.route == Route::divide && divider_ > now_) break;
    if (cost.route == Route::vector && thread.queued == node_->vector_queue) break;
    if (!take_slots(instruction, slots)) break;
    bytes += cost.bytes;
    pass(thread, number, at);
  }
  decoded_threads += bytes != 0;
}

void SmtPipeline::enqueue(Thread& thread, std::uint32_t number) {
  const Cost& cost = (*instructions_)[number].cost;
  queued(thread, thread.queued++) = number;
  thread.x_pending |= cost.x_writes;
  thread.f_pending |= cost.f_writes;
  thread.config_pending |= cost.writes_config;
  if (thread.queued == 1) thread.head_from = sources_from(thread, cost);
}

inline void SmtPipeline::pass(Thread& thread, unsigned number, std::uint32_t at) {
  const TimedInstruction& instruction = (*instructions_)[at];
  const Cost& cost = instruction.cost;
  acted_ |= 1u << number;
  Piece& next = piece(thread, 0);
  ++next.first;
  if (--next.count == 0) ++thread.first_piece, --thread.pieces;
  if (--thread.waiting <= node_->decode_width && !thread.stop_fed && !thread.finishing)
    hungry_ |= 1u << number;
  thread.passed_bucket = static_cast<std::uint32_t>(instruction.bucket);
  if (cost.route == Route::vector) {
    enqueue(thread, at);
  } else {
    set_results(thread, cost, now_ + cost.latency);
    if (cost.route == Route::divide) {
      divider_ = now_ + cost.occupancy;
      thread.done = std::max(thread.done, divider_);
    }
  }
  if (cost.route == Route::drain) thread.front_ready = now_ + cost.occupancy;
  if (instruction.exit == Exit::taken)
    thread.front_ready = now_ + 1 + static_cast<Cycle>(node_->branch_taken_cycles);
  thread.stopping = instruction.exit == Exit::stopped;
}

// --- Causes ---------------------------------------------------------------------------------------------

// Of a cycle in which the thread did nothing.
inline Cause SmtPipeline::cause_of(const Thread& thread) const {
  if (thread.stopping) return Cause::unit;  // the network interface takes the transfer
  if (thread.queued != 0) {
    if (thread.head_from > now_) return Cause::dependency;
    const Cost& oldest = head(thread).cost;
    return pipes_free(oldest) && !ports_free(oldest) ? Cause::sram : Cause::unit;
  }
  return thread.waiting == 0 ? Cause::dependency : thread.front_reason;
}

// Of this cycle and those behind it that are like it.
inline void SmtPipeline::account(Cycle cycles) {
  for_each_bit(running_, [&](unsigned number) {
    Thread& thread = threads_[number];
    const bool acted = (acted_ >> number & 1) != 0;
    const bool ends = thread.stopping || (thread.finishing && !idle(thread, now_));
    if (thread.waiting == 0 && !acted && !ends) return;
    spend(thread, acted ? Cause::issue : cause_of(thread), cycles);
    if (thread.stopping && thread.front_ready <= now_ + cycles) {
      thread.stopping = false;
      stopped_ |= 1u << number;
    }
  });
}

inline void SmtPipeline::spend(Thread& thread, Cause cause, Cycle cycles) {
  const std::uint32_t bucket =
      thread.waiting == 0 ? thread.passed_bucket : static_cast<std::uint32_t>(front(thread).bucket);
  if (thread.spent_bucket != bucket || thread.spent_cause != cause) {
    if (thread.spent_cycles != 0)
      spent_.push_back({thread.spent_bucket, thread.spent_cause, thread.spent_cycles});
    thread.spent_bucket = bucket;
    thread.spent_cause = cause;
    thread.spent_cycles = 0;
  }
  thread.spent_cycles += static_cast<std::uint32_t>(cycles);
}

void SmtPipeline::take_spent(std::vector<SmtSpent>& spent) {
  for (Thread& thread : threads_)
    if (const std::uint32_t cycles = std::exchange(thread.spent_cycles, 0); cycles != 0)
      spent_.push_back({thread.spent_bucket, thread.spent_cause, cycles});
  spent.clear();
  std::swap(spent, spent_);
}

}  // namespace dojo::node
