// Gives every transfer of a launch its cycle: goes through all threads' traces in simulated time.
//
// Outline: a thread works for its record's cycles, then hands the transfer to the network; deliveries add to
// semaphores; a wait that finds too little blocks until a delivery brings enough. Values are settled long
// before; only times are computed here, one event after another, ties by thread (node, then number), so the
// result is the same whatever executed the program. docs/notes/006.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "fabric/topology.h"
#include "machine/machine.h"
#include "system/trace.h"

namespace dojo::system {

// Cycles of a plan op, summed over threads, in which a thread did not work.
struct Waiting {
  std::uint64_t network = 0;          // blocked while the message that ends it was on its way, or in quiet
  std::uint64_t synchronisation = 0;  // blocked before that message was sent
  std::uint64_t idle = 0;             // ended before the launch did
  bool operator==(const Waiting&) const = default;
};

struct Replay {
  std::uint64_t cycles = 0;               // until the last thread ended
  std::vector<std::uint64_t> thread_end;  // as the traces
  std::map<std::uint32_t, Waiting> waiting;
  bool operator==(const Replay&) const = default;
};

// `traces`: by node, then thread; consumed. `final_value(node, offset)`: what a semaphore holds after the
// launch. A thread that blocks for ever ends where it blocks.
Replay replay(const machine::Machine& machine, const fabric::Topology& topology,
              std::vector<ThreadTrace> traces,
              const std::function<std::uint64_t(std::uint32_t node, std::uint32_t offset)>& final_value);

}  // namespace dojo::system
