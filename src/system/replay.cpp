#include "system/replay.h"

#include <algorithm>
#include <bit>

#include "base/error.h"

namespace dojo::system {

namespace {

using fabric::Network;
using machine::Cause;

// A thread's next record is due; a thread goes on after a quiet; something happens on a node of several
// threads.
constexpr std::uint32_t record_event = 0, resume_event = 1, node_event = 2;
constexpr std::uint32_t nobody = 0xffffffff;

}  // namespace

Replay::Replay(const machine::Machine& machine, const fabric::Topology& topology, TraceSource& source,
               std::size_t threads, unsigned threads_per_node, node::SmtTiming* smt)
    : machine_(machine),
      topology_(topology),
      source_(source),
      threads_per_node_(threads_per_node),
      smt_(smt),
      network_(machine, topology, queue_),
      threads_(threads) {
  for (std::size_t node = 0; smt_ != nullptr && node < threads / threads_per_node; ++node)
    nodes_.emplace_back(*smt_);
}

// --- Events ---------------------------------------------------------------------------------------------

bool Replay::run() {
  if (!begun_) begin();
  Cycle now = 0;
  while (release_held()) {
    const auto batch = queue_.take(now);
    if (batch.empty()) return true;
    for (const fabric::Event& event : batch) {
      is_last_ = &event == &batch.back();
      handle(event, now);
    }
  }
  return false;
}

void Replay::begin() {
  begun_ = true;
  for (std::uint32_t index = 0; index < threads_.size(); ++index)
    smt_ != nullptr ? begin_work(index, 0) : proceed(index, 0);
  for (std::uint32_t node = 0; node < nodes_.size(); ++node) drive(node, 0);
}

void Replay::handle(const fabric::Event& event, Cycle now) {
  switch (event.kind) {
    case Network::packet_event:
      return network_.handle(now, event);
    case Network::delivery_event:
      return deliver(event.item, now);
    case node_event:
      if (nodes_[event.item].due != now) return;  // a thread began before
      return go_through(event.item, now);
    case record_event:
      if (!perform(event.item, now)) return;
      [[fallthrough]];
    default:
      return proceed(event.item, now);
  }
}

// Whoever is held acts in a later cycle than the one it is held in, so that nothing of this one is missed.
bool Replay::release_held() {
  for (const Held& held : std::exchange(held_, {})) {
    if (smt_ == nullptr) {
      proceed(held.thread, held.since);
      continue;
    }
    const std::uint32_t node = held.thread / threads_per_node_;
    if (!nodes_[node].timer.running(held.thread % threads_per_node_)) begin_work(held.thread, held.since);
    drive(node, held.since);
  }
  return held_.empty();
}

// --- Threads --------------------------------------------------------------------------------------------

// The thread is free at `now`: performs records until one lies in the future or blocks.
void Replay::proceed(std::uint32_t index, Cycle now) {
  if (smt_ != nullptr) {
    const std::uint32_t node = index / threads_per_node_;
    catch_up(node, now);
    begin_work(index, now);
    return drive(node, now);
  }
  while (next_record(index, now)) {
    const TraceRecord& record = source_.trace(index).records[threads_[index].next];
    if (record.cycles > 0) return queue_.schedule(now + record.cycles, {index, record_event, index});
    if (!perform(index, now)) return;
  }
}

// False if there is none, for good or for now.
bool Replay::next_record(std::uint32_t index, Cycle now) {
  Thread& thread = threads_[index];
  ThreadTrace& trace = source_.trace(index);
  if (thread.next < trace.records.size()) return true;
  trace.records.clear();
  thread.next = thread.numbered = 0;
  switch (source_.more(index)) {
    case More::ended:
      end(index, now + trace.last_cycles);
      return false;
    case More::held:
      held_.push_back({index, now});
      return false;
    case More::found:
      break;
  }
  return true;
}

void Replay::end(std::uint32_t index, Cycle at) {
  threads_[index].ended = true;
  threads_[index].end = at;
}

// Writes dense numbers over the records' op ids and semaphore offsets, so that what follows only indexes.
void Replay::number(std::uint32_t index) {
  Thread& thread = threads_[index];
  ThreadTrace& trace = source_.trace(index);
  for (; thread.numbered < trace.records.size(); ++thread.numbered) {
    TraceRecord& record = trace.records[thread.numbered];
    record.op = op_number(record.op);
    if (record.semaphore == no_semaphore) continue;
    const bool remote = record.kind == Request::put || record.kind == Request::signal;
    record.semaphore = semaphore_number(remote ? record.peer : trace.node, record.semaphore);
  }
}

std::uint32_t Replay::op_number(std::uint32_t op) {
  const auto [entry, is_new] = known_ops_.try_emplace(op, static_cast<std::uint32_t>(ops_.size()));
  if (is_new) {
    ops_.push_back(op);
    waiting_.emplace_back();
  }
  return entry->second;
}

std::uint32_t Replay::semaphore_number(std::uint32_t node, std::uint32_t offset) {
  const auto [entry, is_new] = known_semaphores_.try_emplace(std::uint64_t{node} << 32 | offset,
                                                             static_cast<std::uint32_t>(semaphores_.size()));
  if (is_new) semaphores_.push_back({source_.first_value(node, offset), nobody});
  return entry->second;
}

// The next record. False if the thread blocks: whoever ends the blocking calls proceed.
bool Replay::perform(std::uint32_t index, Cycle now) {
  number(index);
  Thread& thread = threads_[index];
  const std::vector<TraceRecord>& records = source_.trace(index).records;
  const TraceRecord record = thread.present = records[thread.next++];
  // Until the thread's next one the records of all others come, and push it out of the host's caches.
  constexpr std::size_t ahead = 3;
  if (thread.next + ahead < records.size()) __builtin_prefetch(&records[thread.next + ahead]);
  switch (record.kind) {
    case Request::wait:
      return wait(index, record, now);
    case Request::quiet:
      return quiet(index, record, now);
    case Request::clock:
      source_.answer(index, now);
      return true;
    case Request::sleep:
      return sleep(index, record, now, now + record.amount);
    case Request::sleep_until:
      return sleep(index, record, now, record.amount);
    default:
      launch_flight(index, record, now);
      return true;
  }
}

// --- Nodes of several threads ---------------------------------------------------------------------------

// To `now`, with what the threads that stop there have stopped for. True if any did.
bool Replay::catch_up(std::uint32_t node, Cycle now) {
  const unsigned stopped = nodes_[node].timer.advance(static_cast<node::Cycle>(now));
  for (unsigned t = 0; stopped >> t != 0; ++t) {
    if ((stopped >> t & 1) == 0) continue;
    const std::uint32_t index = node * threads_per_node_ + t;
    if (threads_[index].ended)
      threads_[index].end = now;
    else if (!threads_[index].recorded || perform(index, now))
      begin_work(index, now);
  }
  return stopped != 0;
}

// The thread is free at `now`, which its node has reached.
void Replay::begin_work(std::uint32_t index, Cycle now) {
  ThreadTrace& trace = source_.trace(index);
  if (threads_[index].next == trace.records.size()) {
    trace.records.clear();
    threads_[index].next = threads_[index].numbered = 0;
  }
  const More more = trace.ran.empty() ? source_.more(index) : More::found;
  if (more == More::ended) return end(index, now);
  if (more == More::held) return held_.push_back({index, now});
  nodes_[index / threads_per_node_].timer.start(index % threads_per_node_);
}

// False if the thread is held.
bool Replay::feed(std::uint32_t node, unsigned number, Cycle now) {
  node::SmtTimer& timer = nodes_[node].timer;
  const std::uint32_t index = node * threads_per_node_ + number;
  std::deque<CodeRun>& ran = source_.trace(index).ran;
  const More more = ran.empty() ? source_.more(index) : More::found;
  if (more == More::ended) {
    end(index, now);
    timer.finish(number);
    return true;
  }
  if (more == More::held) {
    held_.push_back({index, now});
    return false;
  }
  threads_[index].recorded = ran.front().recorded;
  timer.feed(number, ran.front().code_run);
  ran.pop_front();
  return true;
}

// Gives the node's threads what they want to run. False if one of them is held, or none runs: nothing happens
// next.
bool Replay::prepare(std::uint32_t node, Cycle now) {
  node::SmtTimer& timer = nodes_[node].timer;
  while (timer.hungry() != 0) {
    const auto wants = static_cast<unsigned>(std::countr_zero(timer.hungry()));
    if (!feed(node, wants, now)) return false;
  }
  return timer.prepare();
}

void Replay::drive(std::uint32_t node, Cycle now) {
  if (prepare(node, now)) schedule(node, static_cast<Cycle>(nodes_[node].timer.due()));
}

void Replay::schedule(std::uint32_t node, Cycle due) {
  nodes_[node].due = due;
  queue_.schedule(due, {threads_.size() + node, node_event, node});
}

// The node's event at `now`, and those behind it before which nothing else happens.
void Replay::go_through(std::uint32_t node, Cycle now) {
  node::SmtTimer& timer = nodes_[node].timer;
  const auto others = [&] { return is_last_ ? queue_.next().value_or(~Cycle{0}) : 0; };
  Cycle next_of_others = others();
  for (;;) {
    if (catch_up(node, now)) next_of_others = others();
    if (held_.empty() && now < next_of_others) source_.go_on(node, timer, next_of_others);
    now = static_cast<Cycle>(timer.now());
    if (!prepare(node, now)) return;
    const auto due = static_cast<Cycle>(timer.due());
    if (due >= next_of_others || !held_.empty()) return schedule(node, due);
    now = due;
  }
}

// --- Transfers ------------------------------------------------------------------------------------------

void Replay::launch_flight(std::uint32_t index, const TraceRecord& record, Cycle now) {
  std::uint32_t token = static_cast<std::uint32_t>(flights_.size());
  if (free_flights_.empty()) {
    flights_.emplace_back();
  } else {
    token = free_flights_.back();
    free_flights_.pop_back();
  }
  const std::uint32_t node = source_.trace(index).node;
  const std::uint64_t hops = topology_.hops(node, record.peer);
  Flight& flight = flights_[token];
  flight = {record.amount, now, index, record.semaphore, 0, record.peer, record.kind, false};
  switch (record.kind) {
    case Request::get:
      flight.is_request = true;
      ++threads_[index].in_flight;
      return network_.send_request(now, node, record.peer, token);
    case Request::put:
      flight.amount = 1;
      flight.acknowledge = static_cast<std::uint32_t>(hops * machine_.mesh.hop_cycles);
      if (machine::is_interface(record.peer))
        flight.acknowledge +=
            static_cast<std::uint32_t>(machine_.interface.link_latency_ns * machine_.node.clock_ghz);
      ++threads_[index].in_flight;
      return network_.send(now, node, record.peer, record.amount, token);
    default:
      return network_.send(now, node, record.peer, fabric::control_bytes, token);
  }
}

bool Replay::wait(std::uint32_t index, const TraceRecord& record, Cycle now) {
  Semaphore& semaphore = semaphores_[record.semaphore];
  if (semaphore.count >= record.amount) {
    semaphore.count -= record.amount;
    return true;
  }
  DOJO_ENSURE(semaphore.waiter == nobody);  // who waits second traps
  threads_[index].blocked_since = now;
  semaphore.waiter = index;
  return false;
}

bool Replay::quiet(std::uint32_t index, const TraceRecord& record, Cycle now) {
  Thread& thread = threads_[index];
  if (thread.in_flight == 0 && thread.acknowledged <= now) return true;
  thread.blocked_since = now;
  if (thread.in_flight > 0) {
    thread.in_quiet = true;
    return false;
  }
  // Everything has arrived, but the last acknowledgement is still under way.
  waiting_[record.op].of(Cause::network) += thread.acknowledged - now;
  resume(index, now, thread.acknowledged);
  return false;
}

bool Replay::sleep(std::uint32_t index, const TraceRecord& record, Cycle now, Cycle until) {
  const Cycle awake = std::min(until, last_cycle);
  if (awake <= now) return true;
  waiting_[record.op].of(Cause::idle) += awake - now;
  resume(index, now, awake);
  return false;
}

void Replay::resume(std::uint32_t index, Cycle now, Cycle at) {
  if (at > now) return queue_.schedule(at, {index, resume_event, index});
  proceed(index, now);
}

void Replay::deliver(std::uint32_t token, Cycle now) {
  const Flight flight = flights_[token];
  if (flight.is_request) {
    flights_[token].is_request = false;
    flights_[token].amount = 1;
    return network_.send(now, flight.peer, source_.trace(flight.thread).node, flight.amount, token);
  }
  free_flights_.push_back(token);
  if (flight.semaphore != no_semaphore) add(flight, now);
  if (flight.kind == Request::signal) return;
  Thread& thread = threads_[flight.thread];
  thread.acknowledged = std::max(thread.acknowledged, now + flight.acknowledge);
  if (--thread.in_flight > 0 || !thread.in_quiet) return;
  thread.in_quiet = false;
  waiting_[thread.present.op].of(Cause::network) += thread.acknowledged - thread.blocked_since;
  resume(flight.thread, now, thread.acknowledged);
}

void Replay::add(const Flight& flight, Cycle now) {
  Semaphore& semaphore = semaphores_[flight.semaphore];
  semaphore.count += flight.amount;
  if (semaphore.waiter == nobody) return;
  const Thread& thread = threads_[semaphore.waiter];
  if (semaphore.count < thread.present.amount) return;
  semaphore.count -= thread.present.amount;
  const Cycle sent = std::max(thread.blocked_since, flight.issued);
  Waiting& waiting = waiting_[thread.present.op];
  waiting.of(Cause::synchronisation) += sent - thread.blocked_since;
  waiting.of(Cause::network) += now - sent;
  proceed(std::exchange(semaphore.waiter, nobody), now);
}

// --- The outcome ----------------------------------------------------------------------------------------

Replayed Replay::result() {
  Replayed result;
  for (const Thread& thread : threads_) {
    result.thread_end.push_back(thread.ended ? thread.end : thread.blocked_since);
    result.cycles = std::max(result.cycles, result.thread_end.back());
  }
  for (std::uint32_t index = 0; index < threads_.size(); ++index) {
    const std::uint32_t op =
        threads_[index].ended ? op_number(source_.trace(index).last_op) : threads_[index].present.op;
    if (op < waiting_.size()) waiting_[op].of(Cause::idle) += result.cycles - result.thread_end[index];
  }
  for (std::size_t i = 0; i < ops_.size(); ++i) result.waiting[ops_[i]] = waiting_[i];
  return result;
}

}  // namespace dojo::system
