#include "system/replay.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "fabric/network.h"

namespace dojo::system {

namespace {

using fabric::Cycle;
using fabric::Network;
using isa::TransferKind;

// A thread's next record is due; a thread goes on after a quiet.
constexpr std::uint32_t record_event = 0, resume_event = 1;
constexpr std::uint32_t nobody = 0xffffffff;

struct ReplaySemaphore {
  std::uint64_t count = 0;
  std::uint32_t first_waiter = nobody;
};

struct ReplayThread {
  std::size_t next = 0;  // record
  Cycle blocked_since = 0;
  Cycle acknowledged = 0;  // when the last delivery so far is known here
  Cycle end = 0;
  std::uint32_t in_flight = 0;  // puts and gets not delivered
  std::uint32_t next_waiter = nobody;
  bool in_quiet = false, ended = false;
};

// A message under way.
struct Flight {
  std::uint64_t amount = 0;  // to add to the semaphore; of a get's request: bytes to send back
  Cycle issued = 0;
  std::uint32_t thread = 0, semaphore = no_semaphore;
  std::uint32_t acknowledge = 0;  // cycles until the issuer knows
  std::uint32_t peer = 0;
  TransferKind kind{};
  bool is_request = false;
};

class Replayer {
public:
  Replayer(const machine::Machine& machine, const fabric::Topology& topology, std::vector<ThreadTrace> traces)
      : machine_(machine),
        topology_(topology),
        network_(machine, topology, queue_),
        traces_(std::move(traces)),
        threads_(traces_.size()) {}

  void number_ops_and_semaphores(
      const std::function<std::uint64_t(std::uint32_t, std::uint32_t)>& final_value);
  Replay run();

private:
  void proceed(std::uint32_t index, Cycle now);
  bool perform(std::uint32_t index, const TraceRecord& record, Cycle now);
  void launch_flight(std::uint32_t index, const TraceRecord& record, Cycle now);
  bool wait(std::uint32_t index, const TraceRecord& record, Cycle now);
  bool quiet(std::uint32_t index, const TraceRecord& record, Cycle now);
  void deliver(std::uint32_t token, Cycle now);
  void add(const Flight& flight, Cycle now);
  void resume(std::uint32_t index, Cycle now, Cycle at);

  const machine::Machine& machine_;
  const fabric::Topology& topology_;
  fabric::EventQueue queue_;
  Network network_;
  std::vector<ThreadTrace> traces_;
  std::vector<ReplayThread> threads_;
  std::vector<ReplaySemaphore> semaphores_;
  std::vector<std::uint32_t> ops_;  // ids by dense number
  std::vector<Waiting> waiting_;    // by dense number
  std::vector<Flight> flights_;
  std::vector<std::uint32_t> free_flights_;
};

// Writes dense numbers over the records' op ids and semaphore offsets, so that the loop only indexes. A
// semaphore's count at the start is what it holds at the end less all that was added, plus all that was
// taken.
void Replayer::number_ops_and_semaphores(
    const std::function<std::uint64_t(std::uint32_t, std::uint32_t)>& final_value) {
  std::unordered_map<std::uint64_t, std::uint32_t> known_semaphores;
  std::unordered_map<std::uint32_t, std::uint32_t> known_ops;
  const auto op_number = [&](std::uint32_t op) {
    const auto [entry, is_new] = known_ops.try_emplace(op, static_cast<std::uint32_t>(ops_.size()));
    if (is_new) ops_.push_back(op);
    return entry->second;
  };
  for (ThreadTrace& trace : traces_) {
    for (TraceRecord& record : trace.records) {
      record.op = op_number(record.op);
      if (record.semaphore == no_semaphore) continue;
      const bool remote = record.kind == TransferKind::put || record.kind == TransferKind::signal;
      const std::uint32_t node = remote ? record.peer : trace.node;
      const std::uint64_t key = std::uint64_t{node} << 32 | record.semaphore;
      const auto [entry, is_new] =
          known_semaphores.try_emplace(key, static_cast<std::uint32_t>(semaphores_.size()));
      if (is_new) semaphores_.push_back({final_value(node, record.semaphore), nobody});
      record.semaphore = entry->second;
      std::uint64_t& count = semaphores_[entry->second].count;
      if (record.kind == TransferKind::wait)
        count += record.amount;
      else
        count -= record.kind == TransferKind::signal ? record.amount : 1;
    }
    trace.last_op = op_number(trace.last_op);
  }
  waiting_.resize(ops_.size());
}

Replay Replayer::run() {
  for (std::uint32_t index = 0; index < threads_.size(); ++index) proceed(index, 0);
  Cycle now = 0;
  for (auto batch = queue_.take(now); !batch.empty(); batch = queue_.take(now)) {
    for (const fabric::Event& event : batch) {
      if (event.kind == Network::packet_event) {
        network_.handle(now, event);
      } else if (event.kind == Network::delivery_event) {
        deliver(event.item, now);
      } else {
        const bool due = event.kind == record_event;
        if (!due || perform(event.item, traces_[event.item].records[threads_[event.item].next], now))
          proceed(event.item, now);
      }
    }
  }
  Replay result;
  for (const ReplayThread& thread : threads_) {
    result.thread_end.push_back(thread.ended ? thread.end : thread.blocked_since);
    result.cycles = std::max(result.cycles, result.thread_end.back());
  }
  for (std::size_t i = 0; i < threads_.size(); ++i)
    waiting_[traces_[i].last_op].idle += result.cycles - result.thread_end[i];
  for (std::size_t i = 0; i < ops_.size(); ++i) result.waiting[ops_[i]] = waiting_[i];
  return result;
}

// The thread is free at `now`: performs records until one lies in the future or blocks.
void Replayer::proceed(std::uint32_t index, Cycle now) {
  ReplayThread& thread = threads_[index];
  const ThreadTrace& trace = traces_[index];
  for (; thread.next < trace.records.size();) {
    const TraceRecord& record = trace.records[thread.next];
    if (record.cycles > 0) return queue_.schedule(now + record.cycles, {index, record_event, index});
    if (!perform(index, record, now)) return;
  }
  thread.ended = true;
  thread.end = now + trace.last_cycles;
}

// False if the thread blocks: whoever ends the blocking calls proceed.
bool Replayer::perform(std::uint32_t index, const TraceRecord& record, Cycle now) {
  ++threads_[index].next;
  switch (record.kind) {
    case TransferKind::wait:
      return wait(index, record, now);
    case TransferKind::quiet:
      return quiet(index, record, now);
    default:
      launch_flight(index, record, now);
      return true;
  }
}

void Replayer::launch_flight(std::uint32_t index, const TraceRecord& record, Cycle now) {
  std::uint32_t token = static_cast<std::uint32_t>(flights_.size());
  if (free_flights_.empty()) {
    flights_.emplace_back();
  } else {
    token = free_flights_.back();
    free_flights_.pop_back();
  }
  const std::uint32_t node = traces_[index].node;
  const std::uint64_t hops = topology_.hops(node, record.peer);
  Flight& flight = flights_[token];
  flight = {record.amount, now, index, record.semaphore, 0, record.peer, record.kind, false};
  switch (record.kind) {
    case TransferKind::get:
      flight.is_request = true;
      ++threads_[index].in_flight;
      return network_.send_request(now, node, record.peer, token);
    case TransferKind::put:
      flight.amount = 1;
      flight.acknowledge = static_cast<std::uint32_t>(hops * machine_.mesh.hop_cycles);
      if (fabric::is_interface(record.peer))
        flight.acknowledge +=
            static_cast<std::uint32_t>(machine_.interface.link_latency_ns * machine_.node.clock_ghz);
      ++threads_[index].in_flight;
      return network_.send(now, node, record.peer, record.amount, token);
    default:
      return network_.send(now, node, record.peer, fabric::control_bytes, token);
  }
}

bool Replayer::wait(std::uint32_t index, const TraceRecord& record, Cycle now) {
  ReplaySemaphore& semaphore = semaphores_[record.semaphore];
  if (semaphore.first_waiter == nobody && semaphore.count >= record.amount) {
    semaphore.count -= record.amount;
    return true;
  }
  threads_[index].blocked_since = now;
  threads_[index].next_waiter = nobody;
  std::uint32_t* place = &semaphore.first_waiter;
  while (*place != nobody) place = &threads_[*place].next_waiter;
  *place = index;
  return false;
}

bool Replayer::quiet(std::uint32_t index, const TraceRecord& record, Cycle now) {
  ReplayThread& thread = threads_[index];
  if (thread.in_flight == 0 && thread.acknowledged <= now) return true;
  thread.blocked_since = now;
  if (thread.in_flight > 0) {
    thread.in_quiet = true;
    return false;
  }
  // Everything has arrived, but the last acknowledgement is still under way.
  waiting_[record.op].network += thread.acknowledged - now;
  resume(index, now, thread.acknowledged);
  return false;
}

void Replayer::resume(std::uint32_t index, Cycle now, Cycle at) {
  if (at > now) return queue_.schedule(at, {index, resume_event, index});
  proceed(index, now);
}

void Replayer::deliver(std::uint32_t token, Cycle now) {
  const Flight flight = flights_[token];
  if (flight.is_request) {
    flights_[token].is_request = false;
    flights_[token].amount = 1;
    return network_.send(now, flight.peer, traces_[flight.thread].node, flight.amount, token);
  }
  free_flights_.push_back(token);
  if (flight.semaphore != no_semaphore) add(flight, now);
  if (flight.kind == TransferKind::signal) return;
  ReplayThread& thread = threads_[flight.thread];
  thread.acknowledged = std::max(thread.acknowledged, now + flight.acknowledge);
  if (--thread.in_flight > 0 || !thread.in_quiet) return;
  thread.in_quiet = false;
  const TraceRecord& record = traces_[flight.thread].records[thread.next - 1];
  waiting_[record.op].network += thread.acknowledged - thread.blocked_since;
  resume(flight.thread, now, thread.acknowledged);
}

void Replayer::add(const Flight& flight, Cycle now) {
  ReplaySemaphore& semaphore = semaphores_[flight.semaphore];
  semaphore.count += flight.amount;
  while (semaphore.first_waiter != nobody) {
    const std::uint32_t waiter = semaphore.first_waiter;
    ReplayThread& thread = threads_[waiter];
    const TraceRecord& record = traces_[waiter].records[thread.next - 1];
    if (semaphore.count < record.amount) return;
    semaphore.count -= record.amount;
    semaphore.first_waiter = thread.next_waiter;
    const Cycle sent = std::max(thread.blocked_since, flight.issued);
    waiting_[record.op].synchronisation += sent - thread.blocked_since;
    waiting_[record.op].network += now - sent;
    proceed(waiter, now);
  }
}

}  // namespace

Replay replay(const machine::Machine& machine, const fabric::Topology& topology,
              std::vector<ThreadTrace> traces,
              const std::function<std::uint64_t(std::uint32_t node, std::uint32_t offset)>& final_value) {
  Replayer replayer(machine, topology, std::move(traces));
  replayer.number_ops_and_semaphores(final_value);
  return replayer.run();
}

}  // namespace dojo::system
