// Executes a launch: gives every thread its values, in whatever order is convenient, and writes down what it
// asked of the fabric.
//
// Host threads take nodes that can go on from one queue. A node's threads run until each has ended, waits
// for a semaphore that holds too little, or asks for a clock that only the replay knows; whoever adds to that
// semaphore wakes it. Transfers take effect at once (docs/notes/002 says why their values do not depend on
// when). A semaphore is changed under its node's lock, which is also what orders a put's bytes before their
// use. Where several threads share a node and cycles are counted, the replay calls for one block after the
// other instead, so that they see each other's stores in simulated time (docs/notes/006).
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "fabric/topology.h"
#include "node/core.h"
#include "node/profiler.h"
#include "node/smt_trace.h"
#include "system/computer.h"
#include "system/layout.h"
#include "system/memory.h"
#include "system/program.h"
#include "system/semaphore_table.h"
#include "system/trace.h"

namespace dojo::system {

enum class ThreadState : std::uint8_t { runnable, waiting, ended, trapped, too_long };

// One started thread of a node. One host thread at a time works on it; while it waits, what it waits for and
// its trace belong to the node's lock.
struct Thread {
  Thread(node::CodeImage& image, node::BlockTiming& timing, bool with_timing)
      : core(image, timing, with_timing) {}

  isa::Hart hart;
  node::Core core;
  node::Recording recording;  // of the present slice: for a profile, or what has no Slice::transition
  std::atomic<ThreadState> state = ThreadState::runnable;
  std::uint64_t semaphore = 0, amount = 0;  // waited for
  bool asks = false;                        // waits for the clock instead
  std::uint64_t turn_end = 0;    // instructions, from where on somebody looks how it does; 0: no turn begun
  std::uint32_t block_left = 0;  // instructions, if it is stepped, of the block that it would run otherwise
  int clock_register = -1;       // to which its last slice read the clock, or -1
  bool clock_known = false;      // hart.cycle is the clock
  std::uint64_t slept = 0;       // cycles, of a launch without timing
  // Who waits for the semaphore of a dj.wait that trapped because somebody does already.
  struct Rival {
    unsigned thread = 0;
    std::uint64_t pc = 0;
  };
  std::optional<Rival> rival;
  std::uint64_t refused_by_host = 0;  // what was in tohost
  std::uint64_t handler_entered_at =
      ~std::uint64_t{0};  // by the hart's instructions: the program's own handler
  int exit_code = 0;
  std::string text, error_text;
  std::uint64_t cycles = 0;  // since the last record
  ThreadTrace trace;
  std::map<std::uint32_t, machine::Counters> moved;  // by op: of puts and gets
  machine::Counters* moved_last = nullptr;           // of moved_op, the last one counted
  std::uint32_t moved_op = 0;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::pair<std::uint64_t, std::uint64_t>>
      hbm;  // (interface, op) -> bytes read, written
};

class Execution : public TraceSource {
public:
  // All references must outlive it; `sram` holds the loaded nodes one behind the other.
  Execution(const machine::Machine& machine, const fabric::Topology& topology, const Layout& layout,
            const HostMemory& sram, const std::deque<HostMemory>& hbm, unsigned nodes,
            const LaunchOptions& options);

  // Makes the threads of every node, at the program's entry.
  void start(const Program& program, node::CodeImage& image, node::BlockTiming& timing);
  // Runs all threads from where they stand until none can go on. Not with a smt(): the replay does.
  void run();
  // Until released, more() runs nothing: somebody else steps the threads.
  void hold() { held_ = true; }
  // Steps on to the ends of the blocks in which threads stand: those behind them are whole then.
  void release();
  // One instruction of a thread that can go on, with all that follows from it, by the calling host thread
  // alone; its core uses an image of single instructions. Never between the beginning and the end of run().
  ThreadState step(std::size_t thread);
  void interrupt() { interrupted_ = true; }

  bool interrupted() const { return interrupted_; }
  // By node, then thread.
  std::span<const std::unique_ptr<Thread>> threads() const { return threads_; }
  // Some thread asks for the clock and none can go on.
  bool only_asks() const;
  // The timing of nodes of several threads; nullptr if there are none, or no cycles.
  node::SmtTiming* smt() { return smt_ ? &*smt_ : nullptr; }
  const node::SmtTiming* smt() const { return smt_ ? &*smt_ : nullptr; }

  ThreadTrace& trace(std::size_t thread) override { return threads_[thread]->trace; }
  More more(std::size_t thread) override;
  void go_on(std::uint32_t node, node::SmtTimer& timer, std::uint64_t end) override;
  void answer(std::size_t thread, std::uint64_t cycle) override;
  std::uint64_t first_value(std::uint32_t node, std::uint32_t offset) override;

  std::uint64_t semaphore(std::uint32_t node, std::uint64_t offset) const;
  // Why the transfer that a thread trapped at cannot be done: a clause.
  std::string objection(const Thread& thread) const;
  // The addresses [first, second) that a thread was given for its stack.
  std::pair<std::uint64_t, std::uint64_t> stack(unsigned thread) const {
    return {layout_.stack_end(thread) - layout_.stack_bytes, layout_.stack_end(thread)};
  }
  // Bytes of a node's memory that its program used (LaunchResult::memory_used).
  std::uint64_t memory_used(std::uint32_t node) const;
  // What the threads' own cycles were spent on, by address; of launches with LaunchOptions::profile.
  std::map<std::uint64_t, node::AddressCounts> counts_by_address() const;
  // The numbers of system calls that were asked for and do not exist.
  const std::set<std::uint64_t>& unknown_calls() const { return unknown_calls_; }

private:
  struct Node {
    std::mutex lock;
    SemaphoreTable semaphores;
    unsigned waiting = 0;  // threads, for semaphores
    enum { asleep, queued, running } state = queued;
    // Of the system calls; whoever runs the node owns them.
    std::uint64_t heap_end = 0, heap_limit = 0;      // brk, and where mmap's ranges begin
    std::uint64_t input_read = 0, random_drawn = 0;  // bytes
  };

  void work();
  void run_node(unsigned node);
  Thread* next_runnable(unsigned node, unsigned& turn);
  void run_thread(Thread& thread);
  void begin_turn(Thread& thread);
  void run_slice(Thread& thread, std::uint64_t most_instructions);
  void after_slice(Thread& thread, const node::Slice& slice, std::uint32_t op);
  void act_on(Thread& thread, isa::Stop stop);
  bool enter_trap_handler(Thread& thread);
  void note_down(Thread& thread, const node::Slice& slice, std::uint32_t op);
  void pull(Thread& thread);
  bool must_look_up(const Thread& thread);
  void look_up(Thread& thread);
  bool run_ordinary(Thread& thread, isa::FloatTurns& floats, node::SmtTimer& timer);
  bool feed(Thread& thread, const node::Transition& transition, const node::Slice& slice, std::uint32_t op,
            isa::FloatTurns& floats, node::SmtTimer& timer);
  bool run_trace(std::uint32_t node, isa::FloatTurns& floats, node::SmtTimer& timer, std::uint64_t end);
  bool ask_host();
  void ask(Thread& thread);
  void read_clock(Thread& thread);
  void end_turn(Thread& thread);
  std::uint64_t limit() const;
  std::uint32_t tag(const Thread& thread) const;
  bool check_tohost(Thread& thread);
  bool end_by_host(Thread& thread, std::uint64_t code);
  void end_node(std::uint32_t node);
  void end(Thread& thread, ThreadState state);

  // System calls (system_calls.cpp, file_calls.cpp, clock_calls.cpp). Each returns what a0 becomes.
  friend struct SystemCallTable;
  void system_call(Thread& thread);
  std::int64_t call_exit(Thread& thread);
  std::int64_t call_exit_group(Thread& thread);
  std::int64_t call_kill(Thread& thread);
  std::int64_t call_write(Thread& thread);
  std::int64_t call_writev(Thread& thread);
  std::int64_t call_read(Thread& thread);
  std::int64_t call_lseek(Thread& thread);
  std::int64_t call_close(Thread& thread);
  std::int64_t call_fstat(Thread& thread);
  std::int64_t call_fstatat(Thread& thread);
  std::int64_t call_brk(Thread& thread);
  std::int64_t call_mmap(Thread& thread);
  std::int64_t call_ftruncate(Thread& thread);
  std::int64_t call_fsync(Thread& thread);
  std::int64_t call_utimensat(Thread& thread);
  std::int64_t call_nanosleep(Thread& thread);
  std::int64_t call_clock_gettime(Thread& thread);
  std::int64_t call_clock_getres(Thread& thread);
  std::int64_t call_clock_nanosleep(Thread& thread);
  std::int64_t call_gettimeofday(Thread& thread);
  std::int64_t call_times(Thread& thread);
  std::int64_t call_getrandom(Thread& thread);
  std::int64_t write_text(Thread& thread, std::uint64_t file, std::uint64_t address, std::uint64_t count);
  std::uint64_t nanoseconds(const Thread& thread) const;
  std::int64_t sleep(Thread& thread, std::uint64_t address, bool until);

  void transfer(Thread& thread);
  bool put(Thread& thread, const isa::Transfer& transfer);
  bool get(Thread& thread, const isa::Transfer& transfer);
  bool signal(Thread& thread, const isa::Transfer& transfer);
  bool wait(Thread& thread, const isa::Transfer& transfer);
  Semaphore& touch(std::uint32_t node, std::uint64_t semaphore, std::uint64_t held);
  void record(Thread& thread, Request kind, std::uint32_t peer, std::uint64_t amount,
              std::uint64_t semaphore);
  void count(Thread& thread, std::uint32_t peer, std::uint64_t bytes, bool outwards);
  std::byte* bytes_at(std::uint32_t endpoint, std::uint64_t offset, std::uint64_t bytes, bool to_write) const;
  bool is_semaphore(std::uint32_t endpoint, std::uint64_t offset) const;
  std::string objection_to_semaphore(std::uint32_t endpoint, std::uint64_t offset) const;
  void add(std::uint32_t node, std::uint64_t semaphore, std::uint64_t amount);

  const machine::Machine& machine_;
  const fabric::Topology& topology_;
  const Layout& layout_;
  const HostMemory& sram_;
  const std::deque<HostMemory>& hbm_;
  const LaunchOptions& options_;
  unsigned nodes_;
  node::CodeImage* image_ = nullptr;  // of whole blocks
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<Node> node_states_;

  std::optional<node::Profiler> profiler_;
  std::optional<node::SmtTiming> smt_;
  std::optional<node::SmtTraces> smt_traces_;  // if there is a smt_ and somebody may run translated
  std::vector<node::SmtThreads> smt_threads_;  // by node
  bool held_ = false;
  unsigned pulled_ = 0;               // since the host was last asked whether to go on
  std::atomic<unsigned> asking_ = 0;  // threads

  std::mutex queue_lock_;
  std::condition_variable queue_changed_;
  std::deque<unsigned> queue_;
  unsigned working_ = 0;
  std::atomic<bool> interrupted_ = false;

  std::mutex calls_lock_;  // of what system calls of all nodes share
  std::set<std::uint64_t> unknown_calls_;
  std::vector<std::byte> input_;  // read so far
  bool input_ended_ = false;
};

}  // namespace dojo::system
