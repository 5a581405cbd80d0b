// Gives every transfer of a launch its cycle: goes through all threads' traces in simulated time.
//
// Outline: a thread works until its next record, then hands the transfer to the network; deliveries add to
// semaphores; a wait that finds too little blocks until a delivery brings enough. A thread that is its node's
// only one works for its record's cycles; threads that share a node work in its SmtTimer. Where a trace
// ends the source is asked for more, so that who reads the clock can be told it. Only times are computed
// here, one event after another, ties by thread (node, then number), so the result is the same whatever
// executed the program. docs/notes/006.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <unordered_map>
#include <vector>

#include "fabric/event_queue.h"
#include "fabric/network.h"
#include "fabric/topology.h"
#include "machine/machine.h"
#include "node/smt.h"
#include "system/trace.h"

namespace dojo::system {

// Cycles of a plan op, summed over threads, in which a thread did not work: by cause, none of the pipelines'.
using Waiting = machine::CyclesByCause;

struct Replayed {
  std::uint64_t cycles = 0;               // until the last thread ended
  std::vector<std::uint64_t> thread_end;  // a thread that blocks for ever ends where it blocks
  std::map<std::uint32_t, Waiting> waiting;
  bool operator==(const Replayed&) const = default;
};

class Replay {
public:
  // All references must outlive it. `smt` is given if a node has several threads.
  Replay(const machine::Machine& machine, const fabric::Topology& topology, TraceSource& source,
         std::size_t threads, unsigned threads_per_node, node::SmtTiming* smt);

  // As far as the traces reach. False: the source holds a thread back; run again when it does not.
  bool run();
  Replayed result();

private:
  using Cycle = fabric::Cycle;

  struct Semaphore {
    std::uint64_t count = 0;
    std::uint32_t waiter = 0xffffffff;
  };
  struct Thread {
    std::size_t next = 0, numbered = 0;  // records
    TraceRecord present;                 // the one being performed
    Cycle blocked_since = 0;
    Cycle acknowledged = 0;  // when the last delivery so far is known here
    Cycle end = 0;
    std::uint32_t in_flight = 0;  // puts and gets not delivered
    bool in_quiet = false, ended = false;
    bool recorded = false;  // the stop that it works towards left a record
  };
  // A message under way.
  struct Flight {
    std::uint64_t amount = 0;  // to add to the semaphore; of a get's request: bytes to send back
    Cycle issued = 0;
    std::uint32_t thread = 0, semaphore = no_semaphore;
    std::uint32_t acknowledge = 0;  // cycles until the issuer knows
    std::uint32_t peer = 0;
    Request kind{};
    bool is_request = false;
  };
  struct Node {
    explicit Node(node::SmtTiming& timing) : timer(timing) {}
    node::SmtTimer timer;
    Cycle due = 0;  // of its next event
  };
  struct Held {
    std::uint32_t thread = 0;
    Cycle since = 0;
  };

  void begin();
  void handle(const fabric::Event& event, Cycle now);
  bool release_held();
  void number(std::uint32_t index);
  std::uint32_t op_number(std::uint32_t op);
  std::uint32_t semaphore_number(std::uint32_t node, std::uint32_t offset);

  void proceed(std::uint32_t index, Cycle now);
  bool next_record(std::uint32_t index, Cycle now);
  bool perform(std::uint32_t index, Cycle now);
  void end(std::uint32_t index, Cycle at);

  // Of nodes with several threads.
  bool catch_up(std::uint32_t node, Cycle now);
  void begin_work(std::uint32_t index, Cycle now);
  bool feed(std::uint32_t node, unsigned thread, Cycle now);
  bool prepare(std::uint32_t node, Cycle now);
  void drive(std::uint32_t node, Cycle now);
  void schedule(std::uint32_t node, Cycle due);
  void go_through(std::uint32_t node, Cycle now);

  void launch_flight(std::uint32_t index, const TraceRecord& record, Cycle now);
  bool wait(std::uint32_t index, const TraceRecord& record, Cycle now);
  bool quiet(std::uint32_t index, const TraceRecord& record, Cycle now);
  bool sleep(std::uint32_t index, const TraceRecord& record, Cycle now, Cycle until);
  void deliver(std::uint32_t token, Cycle now);
  void add(const Flight& flight, Cycle now);
  void resume(std::uint32_t index, Cycle now, Cycle at);

  const machine::Machine& machine_;
  const fabric::Topology& topology_;
  TraceSource& source_;
  const unsigned threads_per_node_;
  node::SmtTiming* const smt_;
  fabric::EventQueue queue_;
  fabric::Network network_;
  bool begun_ = false;
  bool is_last_ = false;  // the event being handled: the next comes with another cycle
  std::vector<Thread> threads_;
  std::deque<Node> nodes_;  // if there is a SmtTiming
  std::vector<Held> held_;
  std::vector<Semaphore> semaphores_;
  std::unordered_map<std::uint64_t, std::uint32_t> known_semaphores_;
  std::unordered_map<std::uint32_t, std::uint32_t> known_ops_;
  std::vector<std::uint32_t> ops_;  // ids by dense number
  std::vector<Waiting> waiting_;    // by dense number
  std::vector<Flight> flights_;
  std::vector<std::uint32_t> free_flights_;
};

}  // namespace dojo::system
