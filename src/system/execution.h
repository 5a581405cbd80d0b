// Executes a launch: gives every thread its values, in whatever order is convenient, and writes down what it
// asked of the fabric.
//
// Host threads take nodes that can go on from one queue. A node's threads run until each has ended or waits
// for a semaphore that holds too little; whoever adds to that semaphore wakes it. Transfers take effect at
// once (docs/notes/002 says why their values do not depend on when). A semaphore is changed under its node's
// lock, which is also what orders a put's bytes before their use.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "fabric/topology.h"
#include "node/core.h"
#include "system/computer.h"
#include "system/layout.h"
#include "system/memory.h"
#include "system/trace.h"

namespace dojo::system {

// Bytes that an op moved, by where they went.
struct Moved {
  std::uint64_t put = 0, get = 0, packet_hops = 0, byte_hops = 0;
};
using MovedByOp = std::map<std::uint32_t, Moved>;

enum class ThreadState : std::uint8_t { runnable, waiting, ended, trapped, too_long };

// One started thread of a node. One host thread at a time works on it; while it waits, what it waits for and
// its trace belong to the node's lock.
struct Thread {
  Thread(node::CodeImage& image, node::BlockTiming& timing, bool with_timing)
      : core(image, timing, with_timing) {}

  isa::Hart hart;
  node::Core core;
  std::atomic<ThreadState> state = ThreadState::runnable;
  std::uint64_t semaphore = 0, amount = 0;  // waited for
  int exit_code = 0;
  std::string text;
  std::uint64_t cycles = 0;  // since the last record
  ThreadTrace trace;
  MovedByOp moved;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::pair<std::uint64_t, std::uint64_t>>
      hbm;  // (interface, op) -> bytes read, written
};

class Execution {
public:
  // All references must outlive it; `sram` holds the loaded nodes one behind the other.
  Execution(const machine::Machine& machine, const fabric::Topology& topology, const Layout& layout,
            const HostMemory& sram, std::span<HostMemory> hbm, unsigned nodes, const LaunchOptions& options);

  // Makes the threads of every node, at `entry`.
  void start(std::uint64_t entry, node::CodeImage& image, node::BlockTiming& timing);
  // Runs all threads from where they stand until none can go on.
  void run();
  // One block of a thread that can go on, with all that follows from it, by the calling host thread alone:
  // one instruction if its core uses an image of single instructions. Never between the beginning and the end
  // of run().
  ThreadState step(std::size_t thread);
  void interrupt() { interrupted_ = true; }

  bool interrupted() const { return interrupted_; }
  // By node, then thread.
  std::span<const std::unique_ptr<Thread>> threads() const { return threads_; }
  std::vector<ThreadTrace> take_traces();
  std::uint64_t semaphore(std::uint32_t node, std::uint64_t offset) const;

private:
  struct Node {
    std::mutex lock;
    enum { asleep, queued, running } state = queued;
  };

  void work();
  void run_node(unsigned node);
  Thread* next_runnable(unsigned node, unsigned& turn);
  void run_thread(Thread& thread);
  void run_slice(Thread& thread, std::uint64_t most_instructions);
  void end_turn(Thread& thread);
  std::uint64_t limit() const;
  void system_call(Thread& thread);
  void write_text(Thread& thread);
  bool check_tohost(Thread& thread);
  void end(Thread& thread, ThreadState state);

  void transfer(Thread& thread);
  bool put(Thread& thread, const isa::Transfer& transfer);
  bool get(Thread& thread, const isa::Transfer& transfer);
  bool signal(Thread& thread, const isa::Transfer& transfer);
  bool wait(Thread& thread, const isa::Transfer& transfer);
  void record(Thread& thread, isa::TransferKind kind, std::uint32_t peer, std::uint64_t amount,
              std::uint64_t semaphore);
  void count(Thread& thread, std::uint32_t peer, std::uint64_t bytes, bool outwards);
  std::byte* bytes_at(std::uint32_t endpoint, std::uint64_t offset, std::uint64_t bytes, bool to_write) const;
  bool is_semaphore(std::uint32_t endpoint, std::uint64_t offset) const;
  void add(std::uint32_t node, std::uint64_t semaphore, std::uint64_t amount);

  const machine::Machine& machine_;
  const fabric::Topology& topology_;
  const Layout& layout_;
  const HostMemory& sram_;
  std::span<HostMemory> hbm_;
  const LaunchOptions& options_;
  unsigned nodes_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<Node> node_states_;

  std::mutex queue_lock_;
  std::condition_variable queue_changed_;
  std::deque<unsigned> queue_;
  unsigned working_ = 0;
  std::atomic<bool> interrupted_ = false;
};

}  // namespace dojo::system
