#include "system/execution.h"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "isa/csr.h"
#include "isa/machine_mode.h"
#include "system/initial_stack.h"
#include "system/system_calls.h"

namespace dojo::system {

namespace {

// Instructions after which a thread lets its siblings run: they may be what it spins for.
constexpr std::uint64_t turn_instructions = 200'000;
// A program that ends by a store to tohost spins afterwards; this is how long at most.
constexpr std::uint64_t tohost_instructions = 1024;

constexpr unsigned sp = 2;

}  // namespace

Execution::Execution(const machine::Machine& machine, const fabric::Topology& topology, const Layout& layout,
                     const HostMemory& sram, const std::deque<HostMemory>& hbm, unsigned nodes,
                     const LaunchOptions& options)
    : machine_(machine),
      topology_(topology),
      layout_(layout),
      sram_(sram),
      hbm_(hbm),
      options_(options),
      nodes_(nodes),
      node_states_(nodes) {
  if (options.host.timing && layout.threads > 1)
    smt_.emplace(
        machine.node, layout.threads,
        options.profile != nullptr ? node::SmtTiming::CountBy::address : node::SmtTiming::CountBy::op);
  else if (options.profile != nullptr)
    profiler_.emplace(machine.node, nodes * layout.threads);
}

void Execution::run() {
  for (unsigned node = 0; node < nodes_; ++node) {
    const auto begin = threads_.begin() + node * layout_.threads;
    const bool goes_on = std::any_of(begin, begin + layout_.threads, [](const auto& thread) {
      return thread->state == ThreadState::runnable;
    });
    node_states_[node].state = goes_on ? Node::queued : Node::asleep;
    if (goes_on) queue_.push_back(node);
  }
  const unsigned wanted = options_.host.threads == 0 ? host_cores() : options_.host.threads;
  const unsigned workers =  // the profiler is one for all
      profiler_ ? 1 : std::min(wanted, static_cast<unsigned>(queue_.size()));
  parallel_for(workers, workers, [this](std::size_t) { work(); });
}

void Execution::start(const Program& program, node::CodeImage& image, node::BlockTiming& timing) {
  image_ = &image;
  for (unsigned node = 0; node < nodes_; ++node) {
    std::tie(node_states_[node].heap_end, node_states_[node].heap_limit) = layout_.heap();
    for (unsigned number = 0; number < layout_.threads; ++number) {
      Thread& thread =
          *threads_.emplace_back(std::make_unique<Thread>(image, timing, options_.host.timing && !smt_));
      isa::Hart& hart = thread.hart;
      hart.vlen_bits = static_cast<unsigned>(machine_.node.vlen_bits);
      hart.memory = layout_.window;
      hart.memory.bytes = sram_.data() + node * layout_.window.size;
      hart.node = node;
      hart.nodes = nodes_;
      hart.row = topology_.position(node) / topology_.columns();
      hart.column = topology_.position(node) % topology_.columns();
      hart.thread = number;
      hart.pc = program.entry();
      hart.set_x(sp, number == 0 && !options_.arguments.empty()
                         ? write_initial_stack(hart.memory, layout_.stack_end(0), layout_.stack_bytes,
                                               program, options_.arguments)
                         : layout_.stack_end(number));
      hart.set_x(a0, number);
      thread.trace.node = node;
      thread.clock_known = !smt_;
      if (profiler_) thread.core.record(&thread.recording);
      if (smt_) thread.core.record_unshared(&thread.recording);
    }
  }
  if (!smt_ || layout_.tohost != 0) return;
  constexpr std::uint32_t most = node::SmtTraces::after_default;
  smt_traces_.emplace(image, *smt_, static_cast<std::int32_t>(std::min(options_.translate_after, most)));
  smt_threads_.resize(nodes_);
  for (const auto& thread : threads_)
    smt_threads_[thread->hart.node][thread->hart.thread] = {&thread->core, &thread->hart};
}

// One host thread's life: takes nodes from the queue until no node is queued and none is being run, for then
// nobody can wake one. If the host runs out of something, the others stop, too.
void Execution::work() {
  std::unique_lock lock(queue_lock_);
  for (;;) {
    queue_changed_.wait(lock, [this] { return !queue_.empty() || working_ == 0; });
    if (queue_.empty() || interrupted_) break;
    const unsigned node = queue_.front();
    queue_.pop_front();
    ++working_;
    lock.unlock();
    try {
      run_node(node);
    } catch (...) {
      lock.lock();
      --working_;
      interrupted_ = true;
      queue_changed_.notify_all();
      throw;
    }
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
    if (options_.host.interrupted()) interrupted_ = true;
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
  const isa::Hart& hart = thread.hart;
  if (thread.turn_end == 0) begin_turn(thread);
  while (thread.state == ThreadState::runnable && hart.instructions < thread.turn_end) {
    run_slice(thread, thread.turn_end - hart.instructions);
    if (interrupted_) return;
  }
  end_turn(thread);
}

void Execution::begin_turn(Thread& thread) {
  const std::uint64_t turn = layout_.tohost != 0 ? tohost_instructions : turn_instructions;
  thread.turn_end = std::min(limit(), thread.hart.instructions + turn);
}

ThreadState Execution::step(std::size_t number) {
  Thread& thread = *threads_[number];
  if (thread.state != ThreadState::runnable) return thread.state;
  const isa::Hart& hart = thread.hart;
  // A turn ends with the block in which it would end without steps.
  if (thread.turn_end == 0) begin_turn(thread);
  if (thread.block_left == 0) thread.block_left = node::block_length(hart, *image_);
  const std::uint64_t before = hart.instructions;
  run_slice(thread, 1);
  thread.block_left -= hart.instructions != before ? 1 : thread.block_left;
  const bool stands = thread.state != ThreadState::runnable;
  const bool over = smt_ || hart.instructions >= thread.turn_end;
  if (stands || (over && thread.block_left == 0)) end_turn(thread);
  return thread.state;
}

void Execution::release() {
  for (std::size_t number = 0; number < threads_.size(); ++number)
    while (threads_[number]->block_left != 0 && threads_[number]->state == ThreadState::runnable &&
           !interrupted_)
      step(number);
  held_ = false;
}

// Until the core stops, and what it stopped for.
void Execution::run_slice(Thread& thread, std::uint64_t most_instructions) {
  const std::uint32_t op = thread.hart.op;
  after_slice(thread, thread.core.run(thread.hart, most_instructions), op);
}

// Under `op` it began.
void Execution::after_slice(Thread& thread, const node::Slice& slice, std::uint32_t op) {
  const std::size_t records = thread.trace.records.size();
  if (smt_) thread.clock_known = false;
  thread.cycles += slice.cycles;
  if (profiler_) profiler_->add(thread.hart.node * layout_.threads + thread.hart.thread, thread.recording);
  if (smt_) note_down(thread, slice, op);
  if (!thread.recording.blocks.empty()) {
    thread.recording.blocks.clear();
    thread.recording.own.clear();
  }
  thread.clock_register = slice.clock_register;
  act_on(thread, slice.stop);
  if (thread.trace.records.size() > records && smt_) thread.trace.ran.back().recorded = true;
}

// What a thread of a node of several threads ran: one block, for its core was asked for one instruction.
void Execution::note_down(Thread& thread, const node::Slice& slice, std::uint32_t op) {
  const auto& unshared = thread.recording.blocks;
  DOJO_ENSURE(unshared.size() <= 1 && (unshared.empty() || slice.transition == nullptr));
  if (slice.transition != nullptr)
    thread.trace.ran.push_back({smt_->code_run(*slice.transition, op), false});
  else if (!unshared.empty())
    thread.trace.ran.push_back({smt_->code_run(unshared.front(), true, op), false});
}

void Execution::act_on(Thread& thread, isa::Stop stop) {
  switch (stop) {
    case isa::Stop::none:
      if (thread.clock_register < 0) break;
      thread.clock_known || !options_.host.timing ? read_clock(thread) : ask(thread);
      break;
    case isa::Stop::trap:
      if (!enter_trap_handler(thread)) end(thread, ThreadState::trapped);
      break;
    case isa::Stop::system_call:
      if (enter_trap_handler(thread)) break;
      system_call(thread);
      break;
    case isa::Stop::transfer:
      transfer(thread);
      break;
  }
}

// The program's own, if it has one. Whose first instruction traps would trap there for ever, and no limit of
// instructions would end it: none is executed.
bool Execution::enter_trap_handler(Thread& thread) {
  isa::Hart& hart = thread.hart;
  const bool again = hart.pc == hart.machine.mtvec && hart.instructions == thread.handler_entered_at;
  if (again || !isa::enter_trap_handler(hart)) return false;
  thread.handler_entered_at = hart.instructions;
  return true;
}

// --- The clock ------------------------------------------------------------------------------------------
//
// A thread that has its node for itself knows the clock until it waits for the network: then, and where
// threads share a node, only the replay does.

void Execution::ask(Thread& thread) {
  record(thread, Request::clock, thread.hart.node, 0, no_semaphore);
  const std::lock_guard lock(node_states_[thread.hart.node].lock);
  if (thread.state != ThreadState::runnable) return;
  thread.asks = true;
  thread.state = ThreadState::waiting;
  ++asking_;
}

void Execution::answer(std::size_t number, std::uint64_t cycle) {
  Thread& thread = *threads_[number];
  if (!thread.asks) return;  // a sibling has ended it
  --asking_;
  thread.asks = false;
  thread.hart.cycle = cycle;
  thread.clock_known = true;
  thread.state = ThreadState::runnable;
  thread.clock_register >= 0 ? read_clock(thread) : system_call(thread);
}

void Execution::read_clock(Thread& thread) { isa::settle_clock(thread.hart); }

bool Execution::only_asks() const {
  return asking_ != 0 && std::ranges::none_of(threads_, [](const auto& thread) {
           return thread->state == ThreadState::runnable;
         });
}

More Execution::more(std::size_t number) {
  Thread& thread = *threads_[number];
  if (thread.state == ThreadState::runnable && !held_ && !interrupted_) smt_ ? pull(thread) : run();
  if (smt_ ? !thread.trace.ran.empty() : !thread.trace.records.empty()) return More::found;
  if (thread.state == ThreadState::runnable) return More::held;
  thread.trace.last_cycles = thread.cycles;
  return More::ended;
}

std::map<std::uint64_t, node::AddressCounts> Execution::counts_by_address() const {
  if (!smt_) return profiler_->counts_by_address();
  std::map<std::uint64_t, node::AddressCounts> counts;
  for (const auto& [pc, count] : smt_->instructions()) counts[pc].instructions = count;
  for (const auto& [pc, cycles] : smt_->spent()) counts[pc].cycles = cycles;
  return counts;
}

// --- Turns ----------------------------------------------------------------------------------------------

void Execution::end_turn(Thread& thread) {
  thread.turn_end = 0;
  if (layout_.tohost != 0 && check_tohost(thread)) return;
  if (thread.hart.instructions < limit()) return;
  const std::lock_guard lock(node_states_[thread.hart.node].lock);
  if (thread.state == ThreadState::runnable) thread.state = ThreadState::too_long;
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
  if (options_.profile == nullptr) return thread.hart.op;
  constexpr std::uint64_t instruction_bytes = 4;  // a transfer's and an ecall's, which pc is behind
  return static_cast<std::uint32_t>(thread.hart.pc - instruction_bytes - layout_.window.base);
}

// What the program has written to tohost, as the host-target interface of the public test programs has it:
// bits 63:56 a device, 55:48 its command, the rest what it is about. Device 0 has one command: an odd number
// is the result, times two; an even one the address of a system call's number and arguments, of which the
// first word becomes the answer. Device 1 is the terminal; its command 1 writes a character. True if the node
// has ended.
bool Execution::check_tohost(Thread& thread) {
  const std::uint64_t value = semaphore(thread.hart.node, layout_.tohost);
  if (value == 0) return false;
  constexpr std::uint64_t exit_call = 93, write_call = 64, terminal_write = 0x0101;
  const std::uint64_t device_and_command = value >> 48, about = value << 16 >> 16;
  if (device_and_command == 0 && (value & 1) != 0) return end_by_host(thread, value >> 1 & 0x7fffffff);
  isa::Memory& memory = thread.hart.memory;
  std::uint64_t call[4] = {};
  std::byte* buffer = memory.writable(about, sizeof call);
  std::int64_t answer = -38;  // ENOSYS
  if (device_and_command == terminal_write) {
    std::memcpy(memory.bytes + (layout_.tohost - memory.base), &about, sizeof about);
    write_text(thread, 1, layout_.tohost, 1);
  } else if (device_and_command != 0 || buffer == nullptr) {
    thread.hart.stop = isa::Stop::trap;
    thread.hart.trap = isa::TrapCause::bad_transfer;
    thread.hart.trap_value = value;
    thread.refused_by_host = value;
    end(thread, ThreadState::trapped);
    return true;
  } else {
    std::memcpy(call, buffer, sizeof call);
    if (call[0] == exit_call) return end_by_host(thread, call[1] & 0xff);
    if (call[0] == write_call) {
      answer = write_text(thread, call[1], call[2], call[3]);
    } else {
      const std::lock_guard lock(calls_lock_);
      unknown_calls_.insert(call[0]);
    }
    std::memcpy(buffer, &answer, sizeof answer);
  }
  const std::uint64_t nothing = 0, acknowledged = device_and_command << 48 | 1;
  std::memcpy(memory.bytes + (layout_.tohost - memory.base), &nothing, sizeof nothing);
  if (layout_.fromhost != 0 && device_and_command == 0)
    std::memcpy(memory.bytes + (layout_.fromhost - memory.base), &acknowledged, sizeof acknowledged);
  return false;
}

bool Execution::end_by_host(Thread& thread, std::uint64_t code) {
  end_node(thread.hart.node);
  thread.exit_code = static_cast<int>(code);
  return true;
}

// Ends every thread of a node that has not ended otherwise.
void Execution::end_node(std::uint32_t node) {
  const std::lock_guard lock(node_states_[node].lock);
  node_states_[node].waiting = 0;
  for (unsigned number = 0; number < layout_.threads; ++number) {
    Thread& thread = *threads_[node * layout_.threads + number];
    if (thread.state != ThreadState::runnable && thread.state != ThreadState::waiting) continue;
    if (std::exchange(thread.asks, false)) --asking_;
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

}  // namespace dojo::system
