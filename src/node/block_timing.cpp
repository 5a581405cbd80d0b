// A fixed hash table of immutable transitions. Readers take no lock: a bucket is a chain that only grows at
// its head. Writers compute the transition outside the lock and publish it inside; two threads that compute
// the same one get the same one.
#include "node/block_timing.h"

#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "node/pipeline.h"

namespace dojo::node {

namespace {

constexpr std::size_t buckets = std::size_t{1} << 18;

std::size_t hash(const PipelineState* from, const CodeBlock* block, ConfigWord config, Exit exit) {
  std::uint64_t h = reinterpret_cast<std::uintptr_t>(from) * 0x9e3779b97f4a7c15u;
  h = (h ^ reinterpret_cast<std::uintptr_t>(block)) * 0xff51afd7ed558ccdu;
  h = (h ^ config.bits ^ static_cast<std::uint64_t>(exit) << 61) * 0xc4ceb9fe1a85ec53u;
  return (h ^ h >> 29) >> 20 & (buckets - 1);
}

}  // namespace

struct BlockTiming::Store {
  explicit Store(const machine::Node& machine_node) : node(machine_node), heads(buckets) {}

  const machine::Node node;
  std::vector<std::atomic<const Transition*>> heads;
  std::mutex writing;
  std::deque<Transition> transitions;
  std::set<PipelineState> states;  // addresses are stable, equal states are one
  const Transition* idle = nullptr;
  const PipelineState untimed{};
  Transition untimed_start;
  std::map<const PipelineState*, Transition>
      entries;  // transitions of no block: where one goes on by its state

  // Neither before `writing` is held.
  const PipelineState* intern(PipelineState state) { return &*states.insert(std::move(state)).first; }
  const Transition& entry(const PipelineState* state) {
    Transition& transition = entries[state];
    transition.after = state;
    return transition;
  }

  const Transition* look_up(const PipelineState* from, const CodeBlock& block, ConfigWord config, Exit exit,
                            std::size_t bucket) const {
    for (const Transition* t = heads[bucket].load(std::memory_order_acquire); t; t = t->chain)
      if (t->from == from && t->block == &block && t->config == config.bits && t->exit == exit) return t;
    return nullptr;
  }
};

BlockTiming::BlockTiming(const machine::Node& node) : store_(std::make_unique<Store>(node)) {
  store_->idle = &store_->entry(store_->intern({}));
  store_->untimed_start.after = &store_->untimed;
}

BlockTiming::~BlockTiming() = default;

const Transition& BlockTiming::start(bool with_timing) const {
  return with_timing ? *store_->idle : store_->untimed_start;
}

const machine::Node& BlockTiming::node() const { return store_->node; }

std::size_t BlockTiming::transitions() const {
  const std::lock_guard lock(store_->writing);
  return store_->transitions.size();
}

std::size_t BlockTiming::states() const {
  const std::lock_guard lock(store_->writing);
  return store_->states.size();
}

BlockTiming::Once BlockTiming::once(const Transition& last, const isa::Block& block, std::uint32_t count,
                                    const Config& config, Exit exit) {
  const std::vector<TimedInstruction> instructions =
      timed_instructions(block, count, config, exit, store_->node);
  Once ran{.counts = {}, .last = &store_->untimed_start};
  if (last.to() != &store_->untimed) {
    Pipeline pipeline(store_->node, *last.to());
    for (const TimedInstruction& instruction : instructions) pipeline.add(instruction);
    ran.counts = pipeline.counts();
    const std::lock_guard lock(store_->writing);
    ran.last = &store_->entry(store_->intern(pipeline.state()));
  }
  for (std::uint32_t i = 0; i < count; ++i) node::count(instructions[i].cost, ran.counts);
  return ran;
}

const Transition& BlockTiming::find(const Transition& last, const CodeBlock& block, ConfigWord config,
                                    Exit exit) {
  Store& store = *store_;
  const std::size_t bucket = hash(last.to(), &block, config, exit);
  const Transition* found = store.look_up(last.to(), block, config, exit, bucket);
  if (!found) {
    const bool timed = last.to() != &store.untimed;
    Pipeline pipeline(store.node, timed ? *last.to() : PipelineState{});
    Counts counts;
    for (const TimedInstruction& instruction :
         timed_instructions(block.block, block.block.count, config.decode(), exit, store.node)) {
      if (timed) pipeline.add(instruction);
      node::count(instruction.cost, counts);
    }
    counts += pipeline.counts();

    const std::lock_guard lock(store.writing);
    found = store.look_up(last.to(), block, config, exit, bucket);
    if (!found) {
      Transition& made = store.transitions.emplace_back();
      made.number = store.transitions.size();
      made.from = last.to();
      made.block = &block;
      made.config = config.bits;
      made.exit = exit;
      made.after = timed ? store.intern(pipeline.state()) : &store.untimed;
      made.counts = counts;
      made.cycles = counts.cycles();
      made.chain = store.heads[bucket].load(std::memory_order_relaxed);
      store.heads[bucket].store(&made, std::memory_order_release);
      found = &made;
    }
  }
  last.next[static_cast<std::size_t>(exit)].store(found, std::memory_order_release);
  return *found;
}

}  // namespace dojo::node
