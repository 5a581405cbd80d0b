// What the Xdojo transfers do to memory and semaphores (docs/notes/002), as they are executed.
#include <cstring>

#include "base/error.h"
#include "fabric/network.h"
#include "machine/address.h"
#include "system/execution.h"

namespace dojo::system {

namespace {

using machine::Counter;
using machine::GlobalAddress;

constexpr std::uint64_t transfer_instruction_bytes = 4;

std::string name_of_endpoint(std::uint32_t endpoint) {
  return machine::is_interface(endpoint) ? fmt::format("HBM {}", machine::interface_of(endpoint))
                                         : fmt::format("node {}", endpoint);
}

}  // namespace

// Performs what the hart stopped for; what cannot be performed traps at the instruction.
void Execution::transfer(Thread& thread) {
  isa::Hart& hart = thread.hart;
  const isa::Transfer& transfer = hart.transfer;
  bool done = true;
  switch (transfer.kind) {
    case isa::TransferKind::put:
      done = put(thread, transfer);
      break;
    case isa::TransferKind::get:
      done = get(thread, transfer);
      break;
    case isa::TransferKind::signal:
      done = signal(thread, transfer);
      break;
    case isa::TransferKind::wait:
      done = wait(thread, transfer);
      break;
    case isa::TransferKind::quiet:
      record(thread, Request::quiet, hart.node, 0, no_semaphore);
      thread.clock_known = false;
      break;
  }
  if (done) return;
  hart.pc -= transfer_instruction_bytes;
  hart.stop = isa::Stop::trap;
  hart.trap = isa::TrapCause::bad_transfer;
  hart.trap_value = transfer.kind == isa::TransferKind::wait ? transfer.local : transfer.global;
  end(thread, ThreadState::trapped);
}

bool Execution::put(Thread& thread, const isa::Transfer& transfer) {
  const auto [peer, offset] = GlobalAddress::of(transfer.global);
  const std::byte* source = thread.hart.memory.readable(transfer.local, transfer.count);
  std::byte* destination = bytes_at(peer, offset, transfer.count, true);
  if (source == nullptr || destination == nullptr) return false;
  if (transfer.semaphore != 0 && !is_semaphore(peer, transfer.semaphore)) return false;
  std::memmove(destination, source, transfer.count);
  record(thread, Request::put, peer, transfer.count,
         transfer.semaphore == 0 ? no_semaphore : transfer.semaphore);
  count(thread, peer, transfer.count, true);
  if (transfer.semaphore != 0) add(peer, transfer.semaphore, 1);
  return true;
}

bool Execution::get(Thread& thread, const isa::Transfer& transfer) {
  const std::uint32_t node = thread.hart.node;
  const auto [peer, offset] = GlobalAddress::of(transfer.global);
  const std::byte* source = bytes_at(peer, offset, transfer.count, false);
  std::byte* destination = thread.hart.memory.writable(transfer.local, transfer.count);
  if (source == nullptr || destination == nullptr) return false;
  if (transfer.semaphore != 0 && !is_semaphore(node, transfer.semaphore)) return false;
  std::memmove(destination, source, transfer.count);
  record(thread, Request::get, peer, transfer.count,
         transfer.semaphore == 0 ? no_semaphore : transfer.semaphore);
  count(thread, peer, transfer.count, false);
  if (transfer.semaphore != 0) add(node, transfer.semaphore, 1);
  return true;
}

bool Execution::signal(Thread& thread, const isa::Transfer& transfer) {
  const auto [peer, offset] = GlobalAddress::of(transfer.global);
  if (!is_semaphore(peer, offset)) return false;
  record(thread, Request::signal, peer, transfer.count, offset);
  add(peer, offset, transfer.count);
  return true;
}

bool Execution::wait(Thread& thread, const isa::Transfer& transfer) {
  const std::uint32_t node = thread.hart.node;
  if (!is_semaphore(node, transfer.local)) return false;
  const std::lock_guard lock(node_states_[node].lock);
  std::byte* word = bytes_at(node, transfer.local, sizeof(std::uint64_t), true);
  std::uint64_t held;
  std::memcpy(&held, word, sizeof held);
  const std::uint64_t pc = thread.hart.pc - transfer_instruction_bytes;
  Semaphore& semaphore = touch(node, transfer.local, held);
  if (semaphore.waiter < 0) {
    semaphore.waiter = static_cast<int>(thread.hart.thread);
    semaphore.waiter_pc = pc;
  }
  if (semaphore.waiter != static_cast<int>(thread.hart.thread)) {
    thread.rival = {static_cast<unsigned>(semaphore.waiter), semaphore.waiter_pc};
    return false;
  }
  record(thread, Request::wait, node, transfer.count, transfer.local);
  thread.clock_known = false;
  if (held < transfer.count) {
    thread.semaphore = transfer.local;
    thread.amount = transfer.count;
    thread.state = ThreadState::waiting;
    ++node_states_[node].waiting;
    return true;
  }
  held -= transfer.count;
  std::memcpy(word, &held, sizeof held);
  return true;
}

// Adds to a semaphore and wakes the thread whose wait is satisfied by it.
void Execution::add(std::uint32_t node, std::uint64_t semaphore, std::uint64_t amount) {
  Node& state = node_states_[node];
  bool wake = false;
  {
    const std::lock_guard lock(state.lock);
    std::byte* word = bytes_at(node, semaphore, sizeof(std::uint64_t), true);
    std::uint64_t held;
    std::memcpy(&held, word, sizeof held);
    touch(node, semaphore, held);
    held += amount;
    for (unsigned number = 0; state.waiting != 0 && number < layout_.threads; ++number) {
      Thread& waiter = *threads_[node * layout_.threads + number];
      if (waiter.state != ThreadState::waiting || waiter.asks || waiter.semaphore != semaphore ||
          held < waiter.amount)
        continue;
      held -= waiter.amount;
      waiter.state = ThreadState::runnable;
      --state.waiting;
      wake = state.state == Node::asleep;
    }
    std::memcpy(word, &held, sizeof held);
    if (wake) state.state = Node::queued;
  }
  if (!wake) return;
  {
    const std::lock_guard lock(queue_lock_);
    queue_.push_back(node);
  }
  queue_changed_.notify_one();
}

// Under the node's lock: what is known of a semaphore that holds `held`.
Semaphore& Execution::touch(std::uint32_t node, std::uint64_t semaphore, std::uint64_t held) {
  return node_states_[node].semaphores.find_or_add(semaphore, held);
}

std::uint64_t Execution::first_value(std::uint32_t node, std::uint32_t offset) {
  const Semaphore* semaphore = node_states_[node].semaphores.find(layout_.window.base + offset);
  DOJO_ENSURE(semaphore != nullptr);
  return semaphore->first_value;
}

void Execution::record(Thread& thread, Request kind, std::uint32_t peer, std::uint64_t amount,
                       std::uint64_t semaphore) {
  if (!options_.host.timing) return;
  // Offsets are kept in 32 bits, relative to the window: a node's memory is far smaller.
  const std::uint32_t offset =
      semaphore == no_semaphore ? no_semaphore : static_cast<std::uint32_t>(semaphore - layout_.window.base);
  thread.trace.records.push_back({thread.cycles, amount, peer, offset, tag(thread), kind});
  thread.cycles = 0;
}

void Execution::count(Thread& thread, std::uint32_t peer, std::uint64_t bytes, bool outwards) {
  const std::uint64_t hops = topology_.hops(thread.hart.node, peer);
  const std::uint64_t packets =
      std::max<std::uint64_t>(1, (bytes + machine_.mesh.packet_bytes - 1) / machine_.mesh.packet_bytes);
  if (thread.moved_last == nullptr || thread.moved_op != thread.hart.op) {
    thread.moved_op = thread.hart.op;
    thread.moved_last = &thread.moved[thread.moved_op];
  }
  machine::Counters& moved = *thread.moved_last;
  moved.of(outwards ? Counter::put : Counter::got) += bytes;
  moved.of(Counter::packet_hops) += packets * hops;
  moved.of(Counter::byte_hops) += bytes * hops;
  if (!outwards) {  // the request
    moved.of(Counter::packet_hops) += hops;
    moved.of(Counter::byte_hops) += fabric::control_bytes * hops;
  }
  if (!machine::is_interface(peer)) return;
  auto& [read, written] = thread.hbm[{machine::interface_of(peer), thread.hart.op}];
  (outwards ? written : read) += bytes;
}

// Host address of bytes at an endpoint, nullptr if any of them does not exist or may not be written.
std::byte* Execution::bytes_at(std::uint32_t endpoint, std::uint64_t offset, std::uint64_t bytes,
                               bool to_write) const {
  if (machine::is_interface(endpoint)) {
    const std::uint32_t interface = machine::interface_of(endpoint);
    if (interface >= hbm_.size()) return nullptr;
    const HostMemory& memory = hbm_[interface];
    return offset <= memory.size() && bytes <= memory.size() - offset ? memory.data() + offset : nullptr;
  }
  if (endpoint >= nodes_) return nullptr;
  isa::Memory memory = layout_.window;
  memory.bytes = sram_.data() + endpoint * layout_.window.size;
  return to_write ? memory.writable(offset, bytes) : memory.readable(offset, bytes);
}

bool Execution::is_semaphore(std::uint32_t endpoint, std::uint64_t offset) const {
  return offset % sizeof(std::uint64_t) == 0 && !machine::is_interface(endpoint) &&
         bytes_at(endpoint, offset, sizeof(std::uint64_t), true) != nullptr;
}

std::string Execution::objection(const Thread& thread) const {
  const isa::Transfer& transfer = thread.hart.transfer;
  const std::uint32_t node = thread.hart.node;
  const std::uint64_t bytes = transfer.count;
  const auto [peer, offset] = GlobalAddress::of(transfer.global);
  if (transfer.kind == isa::TransferKind::wait) return objection_to_semaphore(node, transfer.local);
  if (machine::is_interface(peer) && machine::interface_of(peer) >= hbm_.size())
    return fmt::format("there is no interface processor {}, but {} of them", machine::interface_of(peer),
                       hbm_.size());
  if (!machine::is_interface(peer) && peer >= nodes_)
    return fmt::format("there is no node {} in this launch of {}", peer, nodes_);
  if (transfer.kind == isa::TransferKind::signal) return objection_to_semaphore(peer, offset);

  const bool puts = transfer.kind == isa::TransferKind::put;
  const isa::Memory& own = thread.hart.memory;
  if (bytes_at(peer, offset, bytes, puts) == nullptr)
    return fmt::format("{} bytes from {:#x} of {} cannot be {}", bytes, offset, name_of_endpoint(peer),
                       puts ? "written" : "read");
  if ((puts ? own.readable(transfer.local, bytes) : own.writable(transfer.local, bytes)) == nullptr)
    return fmt::format("{} bytes from {:#x} of its own node cannot be {}", bytes, transfer.local,
                       puts ? "read" : "written");
  return objection_to_semaphore(puts ? peer : node, transfer.semaphore);
}

std::string Execution::objection_to_semaphore(std::uint32_t endpoint, std::uint64_t offset) const {
  const std::string where = fmt::format("{:#x} of {}", offset, name_of_endpoint(endpoint));
  if (machine::is_interface(endpoint)) return fmt::format("a semaphore at {} cannot be: HBM has none", where);
  if (offset % sizeof(std::uint64_t) != 0) return fmt::format("a semaphore at {} is not aligned", where);
  return fmt::format("a semaphore at {} cannot be written", where);
}

std::uint64_t Execution::semaphore(std::uint32_t node, std::uint64_t offset) const {
  std::uint64_t value = 0;
  const std::byte* word = bytes_at(node, offset, sizeof value, false);
  DOJO_ENSURE(word != nullptr);
  std::memcpy(&value, word, sizeof value);
  return value;
}

}  // namespace dojo::system
