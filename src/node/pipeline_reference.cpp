// Outline of a cycle: issue_vectors (per thread in rotating order, in order within a thread),
// pass_instructions (at most two threads, in order within a thread), account (one cause per thread).
#include "node/pipeline_reference.h"

#include <algorithm>

#include "base/bits.h"
#include "base/error.h"

namespace dojo::node {

namespace {

// The cycle from which `cost` may read `group` whose registers follow one another through its pipe.
template <typename Ready>
Cycle readable_from(const Cost& cost, const Group& group, const std::array<Ready, 32>& v) {
  Cycle from = 0;
  for (unsigned r = group.first; r < group.first + group.count; ++r) {
    const Cycle behind = group.at_once ? 0 : static_cast<Cycle>(cost.occupancy) - 1;
    from = std::max({from, v[r].first, v[r].last - behind});
  }
  return from;
}

}  // namespace

ReferencePipeline::ReferencePipeline(const machine::Node& node, unsigned threads, Keep keep)
    : node_(node),
      keep_(keep),
      threads_(threads),
      load_busy_(node.sram_load_ports),
      store_busy_(node.sram_store_ports) {}

bool ReferencePipeline::idle(const Thread& thread) const {
  return thread.trace.empty() && thread.queue.empty() && thread.done <= now_ && thread.front_ready <= now_;
}

bool ReferencePipeline::empty(unsigned thread) const { return idle(threads_[thread]); }

// One more than a thread can pass on in a cycle, so that what passes next is always known.
bool ReferencePipeline::hungry(unsigned thread) const {
  const Thread& t = threads_[thread];
  if (t.finishing || t.stopping || t.stop_paid) return false;
  return t.trace.size() <= node_.decode_width && (t.trace.empty() || t.trace.back()->exit != Exit::stopped);
}

void ReferencePipeline::acknowledge(unsigned thread) {
  Thread& t = threads_[thread];
  DOJO_ENSURE(idle(t));
  t.stop_paid = t.finishing = false;
}

void ReferencePipeline::tick() {
  for (Thread& thread : threads_) thread.acted = false;
  issue_vectors();
  pass_instructions();
  for (Thread& thread : threads_) account(thread);
  ++now_;
}

// --- Vector engine
// ----------------------------------------------------------------------------------------------

bool ReferencePipeline::sources_ready(const Thread& thread, const Cost& cost) const {
  for (const Group& group : cost.v_reads)
    if (readable_from(cost, group, thread.v) > now_) return false;
  for (unsigned i = 0; i < 4; ++i) {
    if (!(cost.t_reads >> i & 1)) continue;
    if ((cost.accumulates ? thread.tile[i].forward : thread.tile[i].ready) > now_) return false;
  }
  return true;
}

bool ReferencePipeline::pipes_free(const Cost& cost) const {
  if ((cost.pipes & simd_pipe) && simd_busy_ > now_) return false;
  return !((cost.pipes & matrix_pipe) && matrix_busy_ > now_);
}

bool ReferencePipeline::ports_free(const Cost& cost) const {
  const auto free = [&](Cycle busy) { return busy <= now_; };
  if ((cost.pipes & load_port) && std::count_if(load_busy_.begin(), load_busy_.end(), free) < cost.ports)
    return false;
  return !((cost.pipes & store_port) && std::none_of(store_busy_.begin(), store_busy_.end(), free));
}

void ReferencePipeline::issue_vectors() {
  unsigned slots = static_cast<unsigned>(
      node_.vector_issue);  // of the arithmetic pipes; accesses are bound by their ports
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    Thread& thread = threads_[(static_cast<std::size_t>(now_) + i) % threads_.size()];
    while (!thread.queue.empty()) {
      const Queued head = thread.queue.front();
      const Cost& cost = head.instruction->cost;
      const bool arithmetic = (cost.pipes & (simd_pipe | matrix_pipe)) != 0;
      if (arithmetic && slots == 0) break;
      if (!sources_ready(thread, cost) || !pipes_free(cost) || !ports_free(cost)) break;
      thread.queue.pop_front();
      begin(thread, head);
      slots -= arithmetic;
    }
  }
}

void ReferencePipeline::begin(Thread& thread, const Queued& queued) {
  const Cost& cost = queued.instruction->cost;
  const Cycle free_again = now_ + cost.occupancy;
  const Cycle last = free_again - 1 + cost.latency;
  const Cycle first = cost.streams ? now_ + cost.latency : last;
  if (cost.pipes & simd_pipe) simd_busy_ = free_again;
  if (cost.pipes & matrix_pipe) matrix_busy_ = free_again;
  const auto take = [&](std::vector<Cycle>& ports, unsigned count) {
    for (Cycle& busy : ports) {
      if (count == 0 || busy > now_) continue;
      busy = free_again;
      --count;
    }
  };
  if (cost.pipes & load_port) take(load_busy_, cost.ports);
  if (cost.pipes & store_port) take(store_busy_, 1);

  for (unsigned r = cost.v_write.first; r < unsigned{cost.v_write.first} + cost.v_write.count; ++r) {
    thread.v[r].first = std::max(thread.v[r].first, first);
    thread.v[r].last = std::max(thread.v[r].last, last);
  }
  for (unsigned i = 0; i < 4; ++i) {
    if (!(cost.t_writes >> i & 1)) continue;
    Tile& tile = thread.tile[i];
    tile.forward = std::max(tile.forward, cost.accumulates ? free_again : last);
    tile.ready = std::max(tile.ready, last);
  }
  for_each_bit(cost.x_writes, [&](unsigned r) { thread.x[r] = last, --thread.x_pending[r]; });
  for_each_bit(cost.f_writes, [&](unsigned r) { thread.f[r] = last, --thread.f_pending[r]; });
  if (cost.writes_config) thread.config = last, --thread.config_pending;
  thread.done = std::max(thread.done, last);
  if (keep_ == Keep::times) thread.times[queued.index].issued = now_;
  thread.acted = true;
}

// --- Front end
// --------------------------------------------------------------------------------------------------

// Scalar operands, the results' registers among them: a register is not written again before its last write
// has arrived.
bool ReferencePipeline::operands_ready(const Thread& thread, const Cost& cost) const {
  bool ready = true;
  for_each_bit(cost.x_reads | cost.x_writes,
               [&](unsigned r) { ready &= thread.x[r] <= now_ && thread.x_pending[r] == 0; });
  for_each_bit(cost.f_reads | cost.f_writes,
               [&](unsigned r) { ready &= thread.f[r] <= now_ && thread.f_pending[r] == 0; });
  if (cost.reads_config || cost.writes_config) ready &= thread.config <= now_ && thread.config_pending == 0;
  if (cost.route == Route::drain) ready &= thread.queue.empty() && thread.done <= now_;
  return ready;
}

bool ReferencePipeline::take_slots(const Cost& cost, Slots& slots) {
  const bool scalar = cost.route != Route::branch && cost.route != Route::vector;
  const bool alu = cost.route == Route::alu || cost.route == Route::divide || cost.route == Route::drain;
  const bool loads = cost.route == Route::load || cost.route == Route::atomic;
  const bool stores = cost.route == Route::store || cost.route == Route::atomic;
  const bool free = slots.decode != 0 && (!scalar || slots.scalar != 0) && (!alu || slots.alus != 0) &&
                    (!(loads || stores) || slots.address_units != 0) && (!loads || slots.load_path) &&
                    (!stores || slots.store_path);
  if (!free) return false;
  slots.decode -= 1;
  slots.scalar -= scalar;
  slots.alus -= alu;
  slots.address_units -= loads || stores;
  slots.load_path &= !loads;
  slots.store_path &= !stores;
  return true;
}

void ReferencePipeline::pass_instructions() {
  Slots slots{static_cast<unsigned>(node_.decode_width), static_cast<unsigned>(node_.scalar_issue),
              static_cast<unsigned>(node_.alus), static_cast<unsigned>(node_.address_units)};
  unsigned decoded_threads = 0;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    Thread& thread = threads_[(static_cast<std::size_t>(now_) + i) % threads_.size()];
    unsigned bytes = 0;
    while (!thread.trace.empty()) {
      const TimedInstruction& instruction = *thread.trace.front();
      const Cost& cost = instruction.cost;
      if (thread.front_ready > now_ || !operands_ready(thread, cost)) {
        thread.front_reason = Cause::dependency;
        break;
      }
      if (cost.route != Route::free) {
        const bool path =
            cost.route == Route::load || cost.route == Route::store || cost.route == Route::atomic;
        thread.front_reason = path ? Cause::sram : Cause::unit;
        if (decoded_threads == node_.decode_threads || bytes + cost.bytes > node_.fetch_bytes) break;
        if (cost.route == Route::divide && divider_busy_ > now_) break;
        if (cost.route == Route::vector && thread.queue.size() == node_.vector_queue) break;
        if (!take_slots(cost, slots)) break;
        bytes += cost.bytes;
        thread.acted = true;
      }
      thread.trace.pop_front();
      pass(thread, instruction);
    }
    decoded_threads += bytes != 0;
  }
}

void ReferencePipeline::enqueue(Thread& thread, const TimedInstruction& instruction) {
  for_each_bit(instruction.cost.x_writes, [&](unsigned r) { ++thread.x_pending[r]; });
  for_each_bit(instruction.cost.f_writes, [&](unsigned r) { ++thread.f_pending[r]; });
  if (instruction.cost.writes_config) ++thread.config_pending;
  thread.queue.push_back({&instruction, thread.times.size() - (keep_ == Keep::times)});
}

void ReferencePipeline::pass(Thread& thread, const TimedInstruction& instruction) {
  const Cost& cost = instruction.cost;
  thread.stop_paid = false;
  thread.passed = &instruction;
  if (keep_ == Keep::times) thread.times.push_back({now_, now_});
  if (cost.route == Route::vector) {
    enqueue(thread, instruction);
  } else if (cost.route != Route::free) {
    const Cycle ready = now_ + cost.latency;
    for_each_bit(cost.x_writes, [&](unsigned r) { thread.x[r] = ready; });
    for_each_bit(cost.f_writes, [&](unsigned r) { thread.f[r] = ready; });
    if (cost.writes_config) thread.config = ready;
    thread.done = std::max(thread.done, ready);
    if (cost.route == Route::divide) {
      divider_busy_ = now_ + cost.occupancy;
      thread.done = std::max(thread.done, divider_busy_);
    }
  }
  if (cost.route == Route::drain) thread.front_ready = now_ + cost.occupancy;
  if (instruction.exit == Exit::taken)
    thread.front_ready = now_ + 1 + static_cast<Cycle>(node_.branch_taken_cycles);
  thread.stopping = instruction.exit == Exit::stopped;
}

// --- Causes
// -----------------------------------------------------------------------------------------------------

void ReferencePipeline::account(Thread& thread) {
  const bool ends = thread.stopping || (thread.finishing && !idle(thread));
  if (thread.trace.empty() && !thread.acted && !ends) return;
  Cause cause = Cause::issue;
  if (thread.acted) {
    cause = Cause::issue;
  } else if (thread.stopping) {
    cause = Cause::unit;  // the network interface takes the transfer
  } else if (!thread.queue.empty()) {
    const Cost& oldest = thread.queue.front().instruction->cost;
    cause = !sources_ready(thread, oldest) ? Cause::dependency
            : !pipes_free(oldest)          ? Cause::unit
            : !ports_free(oldest)          ? Cause::sram
                                           : Cause::unit;
  } else {
    cause = thread.trace.empty() ? Cause::dependency : thread.front_reason;
  }
  thread.counts.of(cause) += 1;
  if (keep_ == Keep::times)
    thread.history.push_back(cause);
  else
    spend(thread, cause);
  if (thread.stopping && thread.front_ready <= now_ + 1) thread.stopping = false, thread.stop_paid = true;
}

void ReferencePipeline::spend(const Thread& thread, Cause cause) {
  const std::uint64_t bucket = (thread.trace.empty() ? thread.passed : thread.trace.front())->bucket;
  auto found = std::find_if(spent_.begin(), spent_.end(), [&](const Spent& s) { return s.bucket == bucket; });
  if (found == spent_.end()) found = spent_.insert(found, {bucket, {}});
  found->cycles[static_cast<std::size_t>(cause)] += 1;
}

}  // namespace dojo::node
