#include "system/execution.h"

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "base/parallel.h"
#include "isa/machine_mode.h"
#include "system/initial_stack.h"

namespace dojo::system {

namespace {

// Instructions after which a thread lets its siblings run: they may be what it spins for.
constexpr std::uint64_t turn_instructions = 200'000;
// A program that ends by a store to tohost spins afterwards; this is how long at most.
constexpr std::uint64_t tohost_instructions = 1024;

constexpr unsigned a0 = 10, sp = 2;

}  // namespace

Execution::Execution(const machine::Machine& machine, const fabric::Topology& topology, const Layout& layout,
                     const HostMemory& sram, std::span<HostMemory> hbm, unsigned nodes,
                     const LaunchOptions& options)
    : machine_(machine),
      topology_(topology),
      layout_(layout),
      sram_(sram),
      hbm_(hbm),
      options_(options),
      nodes_(nodes),
      node_states_(nodes) {
  if (options.profile != nullptr) profiler_.emplace(machine.node, nodes * layout.threads);
}

void Execution::run() {
  for (unsigned node = 0; node < nodes_; ++node) queue_.push_back(node);
  const unsigned wanted = options_.host_threads == 0 ? host_cores() : options_.host_threads;
  const unsigned workers = profiler_ ? 1 : std::min(wanted, nodes_);  // the profiler is one for all
  parallel_for(workers, workers, [this](std::size_t) { work(); });
}

void Execution::start(const Program& program, node::CodeImage& image, node::BlockTiming& timing) {
  for (unsigned node = 0; node < nodes_; ++node) {
    std::tie(node_states_[node].heap_end, node_states_[node].heap_limit) = layout_.heap();
    for (unsigned number = 0; number < layout_.threads; ++number) {
      Thread& thread = *threads_.emplace_back(std::make_unique<Thread>(image, timing, options_.timing));
      isa::Hart& hart = thread.hart;
      const auto [row, column] = machine_.place(node);
      hart.vlen_bits = static_cast<unsigned>(machine_.node.vlen_bits);
      hart.memory = layout_.window;
      hart.memory.bytes = sram_.data() + node * layout_.window.size;
      hart.node = node;
      hart.nodes = nodes_;
      hart.row = row;
      hart.column = column;
      hart.thread = number;
      hart.pc = program.entry();
      hart.set_x(sp, number == 0 && !options_.arguments.empty()
                         ? write_initial_stack(hart.memory, layout_.stack_end(0), layout_.stack_bytes,
                                               program, options_.arguments)
                         : layout_.stack_end(number));
      hart.set_x(a0, number);
      thread.trace.node = node;
      if (profiler_) thread.core.record(&thread.recording);
    }
  }
}

// One host thread's life: takes nodes from the queue until no node is queued and none is being run, for then
// nobody can wake one.
void Execution::work() {
  std::unique_lock lock(queue_lock_);
  for (;;) {
    queue_changed_.wait(lock, [this] { return !queue_.empty() || working_ == 0; });
    if (queue_.empty() || interrupted_) break;
    const unsigned node = queue_.front();
    queue_.pop_front();
    ++working_;
    lock.unlock();
    run_node(node);
    lock.lock();
    --working_;
    if (working_ == 0 && queue_.empty()) break;
  }
  queue_changed_.notify_all();
}

void Execution::run_node(unsigned node) {
  unsigned turn = 0;
  while (Thread* thread = next_runnable(node, turn)) {
    run_thread(*thread);
    if (options_.interrupted && options_.interrupted()) interrupted_ = true;
    if (interrupted_) return;
  }
}

// The node's next thread in turn that can go on; without one the node falls asleep.
Thread* Execution::next_runnable(unsigned node, unsigned& turn) {
  Node& state = node_states_[node];
  const std::lock_guard lock(state.lock);
  for (unsigned i = 0; i < layout_.threads; ++i) {
    Thread& thread = *threads_[node * layout_.threads + (turn + i) % layout_.threads];
    if (thread.state != ThreadState::runnable) continue;
    turn = (turn + i + 1) % layout_.threads;
    state.state = Node::running;
    return &thread;
  }
  state.state = Node::asleep;
  return nullptr;
}

// Until it blocks or ends, or its turn is over.
void Execution::run_thread(Thread& thread) {
  isa::Hart& hart = thread.hart;
  const std::uint64_t turn = layout_.tohost != 0 ? tohost_instructions : turn_instructions;
  const std::uint64_t turn_end = std::min(limit(), hart.instructions + turn);
  while (thread.state == ThreadState::runnable && hart.instructions < turn_end) {
    run_slice(thread, turn_end - hart.instructions);
    if (interrupted_) return;
  }
  end_turn(thread);
}

ThreadState Execution::step(std::size_t number) {
  Thread& thread = *threads_[number];
  if (thread.state != ThreadState::runnable) return thread.state;
  run_slice(thread, 1);
  end_turn(thread);
  return thread.state;
}

// Until the core stops, and what it stopped for.
void Execution::run_slice(Thread& thread, std::uint64_t most_instructions) {
  const node::Slice slice = thread.core.run(thread.hart, most_instructions);
  thread.cycles += slice.cycles;
  if (profiler_) {
    profiler_->add(thread.hart.node * layout_.threads + thread.hart.thread, thread.recording);
    thread.recording.blocks.clear();
    thread.recording.own.clear();
  }
  switch (slice.stop) {
    case isa::Stop::none:
      break;
    case isa::Stop::trap:
      if (isa::enter_trap_handler(thread.hart)) break;
      end(thread, ThreadState::trapped);
      break;
    case isa::Stop::system_call:
      if (isa::enter_trap_handler(thread.hart)) break;
      system_call(thread);
      break;
    case isa::Stop::transfer:
      transfer(thread);
      break;
  }
}

void Execution::end_turn(Thread& thread) {
  if (layout_.tohost != 0 && check_tohost(thread)) return;
  const std::lock_guard lock(node_states_[thread.hart.node].lock);
  if (thread.state == ThreadState::runnable && thread.hart.instructions >= limit())
    thread.state = ThreadState::too_long;
}

std::uint64_t Execution::limit() const {
  return options_.max_instructions == 0 ? ~std::uint64_t{0} : options_.max_instructions;
}

void Execution::end(Thread& thread, ThreadState state) {
  thread.trace.last_op = tag(thread);
  const std::lock_guard lock(node_states_[thread.hart.node].lock);
  thread.state = state;
}

// Under what the replay adds up a thread's waiting: its op or, in a profile, where the instruction lies.
std::uint32_t Execution::tag(const Thread& thread) const {
  if (!profiler_) return thread.hart.op;
  constexpr std::uint64_t instruction_bytes = 4;  // a transfer's and an ecall's, which pc is behind
  return static_cast<std::uint32_t>(thread.hart.pc - instruction_bytes - layout_.window.base);
}

// True if the program has written its result to tohost: then all threads of the node have ended.
bool Execution::check_tohost(Thread& thread) {
  const std::uint64_t value = semaphore(thread.hart.node, layout_.tohost);
  if (value == 0) return false;
  end_node(thread.hart.node);
  thread.exit_code = static_cast<int>((value >> 1) & 0x7fffffff);
  return true;
}

// Ends every thread of a node that has not ended otherwise.
void Execution::end_node(std::uint32_t node) {
  const std::lock_guard lock(node_states_[node].lock);
  for (unsigned number = 0; number < layout_.threads; ++number) {
    Thread& thread = *threads_[node * layout_.threads + number];
    if (thread.state == ThreadState::runnable || thread.state == ThreadState::waiting)
      thread.state = ThreadState::ended;
  }
}

std::uint64_t Execution::memory_used(std::uint32_t node) const {
  const isa::Memory& window = layout_.window;
  const std::span<std::byte> memory = sram_.range(node * window.size, window.size);
  const std::uint64_t heap = node_states_[node].heap_end - window.base;
  const auto stack =
      std::ranges::find_if(memory.subspan(heap), [](std::byte b) { return b != std::byte{0}; });
  return heap + static_cast<std::uint64_t>(memory.subspan(heap).end() - stack);
}

std::vector<ThreadTrace> Execution::take_traces() {
  std::vector<ThreadTrace> traces;
  for (const auto& thread : threads_) {
    thread->trace.last_cycles = thread->cycles;
    thread->trace.last_op = tag(*thread);
    traces.push_back(std::move(thread->trace));
  }
  return traces;
}

}  // namespace dojo::system
