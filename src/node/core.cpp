#include "node/core.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "isa/float_host.h"
#include "node/path.h"

namespace dojo::node {

using isa::Stop;

namespace {
const Counts& counts_of(const translate::TransitionCount& count) {
  return static_cast<const Transition*>(count.transition)->counts;
}

// Such a block comes to a trap.
bool needs_what_is_off(const CodeBlock& block, const isa::Hart& hart) {
  return (block.block.needs & hart.machine.off) != 0;
}

// Code outside the shared text may change between two visits, and by any store, so it is decoded up to the
// next one.
isa::Block build_unshared(const isa::Hart& hart, const CodeImage& image) {
  return isa::build_block(hart.memory, hart.pc, image.limit(), ~std::uint64_t{0},
                          isa::ends_block | isa::writes_memory);
}

// How the hart has left the block that it has just run.
Exit exit_of(const CodeBlock& block, const isa::Hart& hart) {
  if (hart.stop == Stop::trap) return Exit::trapped;
  if (hart.stop != Stop::none || block.clock_register >= 0) return Exit::stopped;
  return hart.pc == block.end() ? Exit::onward : Exit::taken;
}
}  // namespace

std::uint32_t block_length(const isa::Hart& hart, CodeImage& image) {
  const CodeBlock* block = image.find(hart.pc, hart.memory);
  if (block != nullptr && !needs_what_is_off(*block, hart)) return block->block.count;
  return build_unshared(hart, image).count;
}

Core::Core(CodeImage& image, BlockTiming& timing, bool with_timing)
    : image_(&image), timing_(timing), last_(&timing.start(with_timing)), start_(last_) {}

Slice Core::run(isa::Hart& hart, std::uint64_t max_instructions) {
  Slice slice;
  hart.stop = Stop::none;
  accounted_ = {};
  if (max_instructions == 0) return slice;
  isa::begin_floats(hart);
  hart.reach = isa::Reach(hart.memory);
  run_blocks(hart, slice, max_instructions);
  settle_account(hart, slice);
  slice.stop = hart.stop;
  slice.transition = last_->block == nullptr ? nullptr : last_;
  return slice;
}

inline void Core::count(const Transition& transition, std::uint64_t times) {
  Times& slot = unsettled_.transitions[transition.number % translate::transition_counts];
  if (slot.transition != &transition) [[unlikely]]
    replace(slot, transition);
  slot.times += times;
}

void Core::replace(Times& slot, const Transition& transition) {
  if (slot.times != 0) current_->add(counts_of(slot), slot.times);
  slot = {&transition, 0};
}

// The one that followed the last time, if pc agrees. It is of the same image: a slice asks the image for its
// first block, and nothing is remembered behind a transition of no block, which all images share.
inline const CodeBlock* Core::block_after(const Transition& last, const isa::Hart& hart) {
  const CodeBlock* guess = last.next_block.load(std::memory_order_acquire);
  if (guess && guess->block.pc == hart.pc) [[likely]]
    return guess;
  const CodeBlock* block = image_->find(hart.pc, hart.memory);
  if (last.block != nullptr) last.next_block.store(block, std::memory_order_release);
  return block;
}

const Transition* Core::run_translated(isa::Hart& hart, isa::FloatTurns& floats, Slice& slice) {
  const CodeBlock* block = image_->find(hart.pc, hart.memory);
  if (block == nullptr || block->sees_account || !takes_turns(hart, current_op_)) return nullptr;
  const ConfigWord config = block->uses_vectors ? config_word_of(hart) : ConfigWord{};
  const Translation* translation = block->translation(config);
  if (translation == nullptr) return nullptr;
  hart.stop = Stop::none;
  if (block->block.floats) floats.begin(hart);
  translate::Chain chain{.last = last_, .budget = 1, .account = &unsettled_};
  image_->run(hart, chain, *translation);
  if (chain.wanted != nullptr) return nullptr;
  if (chain.unaccounted == nullptr) [[likely]] {
    last_ = static_cast<const Transition*>(chain.last);
    hart.instructions += block->block.count;
    hart.cycle += chain.cycles;
    return last_;
  }
  return left(hart, floats, slice, *translation);
}

void Core::add(isa::Hart& hart, const Transition& transition, std::uint64_t times) {
  count(transition, times);
  last_ = &transition;
  hart.instructions += static_cast<const CodeBlock*>(transition.block)->block.count * times;
  hart.cycle += transition.cycles * times;
}

const Transition* Core::left(isa::Hart& hart, isa::FloatTurns& floats, Slice& slice,
                             const Translation& translation) {
  accounted_ = {};
  floats.end();
  finish(hart, slice, *translation.block, translation.config);
  hart.instructions += slice.instructions;
  hart.cycle += slice.cycles;
  slice.stop = hart.stop;
  slice.transition = last_->block == nullptr ? nullptr : last_;
  return hart.stop == Stop::none ? last_ : start_;
}

void Core::run_blocks(isa::Hart& hart, Slice& slice, std::uint64_t max_instructions) {
  const CodeBlock* block = image_->find(hart.pc, hart.memory);
  while (true) {
    if (hart.op != current_op_ || !current_) change_op(hart);
    if (!block || needs_what_is_off(*block, hart))
      run_unshared(hart, slice);
    else if (block->sees_account || recording_)
      run_block(hart, slice, *block);
    else
      run_ordinary(hart, slice, block, max_instructions);
    if (hart.stop != Stop::none || slice.instructions >= max_instructions || slice.clock_register >= 0)
      return;
    block = block_after(*last_, hart);
  }
}

// Blocks of which nothing but their time and counts is asked, until one is of another kind. Integer code
// spends most of its time here: everything stays in the host's registers, and which way a block was left is
// a jump, which the host predicts, and no index, for which it would wait.
void Core::run_ordinary(isa::Hart& hart, Slice& slice, const CodeBlock* block,
                        std::uint64_t max_instructions) {
  const Transition* last = last_;
  std::uint64_t instructions = slice.instructions, cycles = slice.cycles;
  const bool translates = may_run_translated(hart);
  std::optional<Path> path;  // being noted: blocks run by their semantics meanwhile
  const auto leave = [&] {
    last_ = last;
    slice.instructions = instructions;
    slice.cycles = cycles;
    if (path) image_->trace(*path);  // what there is of it: nobody would ask for it again
  };
  do {
    ConfigWord config = block->uses_vectors ? config_word_of(hart) : ConfigWord{};
    const Translation* translation =
        translates && !path ? image_->translation(*block, config, hart) : nullptr;
    const translate::Vectors vectors = path ? vectors_of(hart) : translate::Vectors{};
    if (translation == nullptr) {
      isa::run_code(hart, block->block);
    } else {
      const auto budget = static_cast<std::int64_t>(
          std::min<std::uint64_t>(max_instructions - instructions, std::numeric_limits<std::int64_t>::max()));
      translate::Chain chain{.last = last, .cycles = cycles, .budget = budget, .account = &unsettled_};
      image_->run(hart, chain, *translation);
      last = static_cast<const Transition*>(chain.last);
      cycles = chain.cycles;
      instructions += static_cast<std::uint64_t>(budget - chain.budget);
      const auto* unaccounted = static_cast<const Translation*>(chain.unaccounted);
      if (unaccounted == nullptr) {
        if (instructions >= max_instructions) break;
        block = block_after(*last, hart);
        if (chain.link != nullptr && block != nullptr) image_->link(*chain.link, *block);
        if (chain.wanted != nullptr && budget > 1)  // one block is no path
          path = Path{.head = static_cast<const Translation*>(chain.wanted), .from = last, .blocks = {}};
        continue;
      }
      block = unaccounted->block;
      config = unaccounted->config;
    }
    if (hart.stop != Stop::none) [[unlikely]] {
      leave();
      return finish(hart, slice, *block, config);
    }
    if (hart.pc == block->end())
      last = &timing_.transition(*last, *block, config, Exit::onward);
    else
      last = &timing_.transition(*last, *block, config, Exit::taken);
    count(*last);
    instructions += block->block.count;
    cycles += last->cycles;
    if (path && path->add({block, config, vectors, last, hart.pc})) {
      image_->trace(*path);
      path.reset();
    }
    if (instructions >= max_instructions || hart.op != current_op_) break;
    block = block_after(*last, hart);
  } while (block && !block->sees_account && !needs_what_is_off(*block, hart));
  leave();
}

// Any block.
void Core::run_block(isa::Hart& hart, Slice& slice, const CodeBlock& block) {
  if (block.sees_account) settle_account(hart, slice);
  const ConfigWord config = block.uses_vectors ? config_word_of(hart) : ConfigWord{};
  isa::run_code(hart, block.block);
  if (block.sees_account) isa::begin_floats(hart);
  finish(hart, slice, block, config);
}

// Times and counts a block that has just been run.
void Core::finish(isa::Hart& hart, Slice& slice, const CodeBlock& block, ConfigWord config) {
  if (hart.stop == Stop::trap) {
    add_once(slice, block.block, isa::settle_trap(hart, block.block), config.decode(), Exit::trapped);
    return;
  }
  slice.clock_register = block.clock_register;
  const Exit exit = exit_of(block, hart);
  last_ = &timing_.transition(*last_, block, config, exit);
  count(*last_);
  if (recording_) recording_->blocks.push_back({&block.block, block.block.count, config.decode(), exit});
  slice.instructions += block.block.count;
  slice.cycles += last_->cycles;
}

// Nothing is remembered about code outside the shared text, nor about a block that traps because mstatus has
// switched off what it needs.
void Core::run_unshared(isa::Hart& hart, Slice& slice) {
  settle_account(hart, slice);
  isa::Block built = build_unshared(hart, *image_);
  isa::withhold(built, hart.machine.off);
  const CodeBlock block(std::move(built));
  const Config config = config_of(hart);
  const std::uint32_t completed = isa::run_block(hart, block.block);
  if (hart.stop == Stop::none) slice.clock_register = block.clock_register;
  add_once(slice, block.block, completed, config, exit_of(block, hart));
  isa::begin_floats(hart);
}

void Core::add_once(Slice& slice, const isa::Block& block, std::uint32_t completed, const Config& config,
                    Exit exit) {
  if (unshared_) {
    unshared_->own.push_back(block);
    unshared_->blocks.push_back({&unshared_->own.back(), completed, config, exit});
  }
  const BlockTiming::Once ran = timing_.once(*last_, block, completed, config, exit);
  last_ = ran.last;
  *current_ += ran.counts;
  slice.instructions += completed;
  slice.cycles += ran.counts.cycles();
}

void Core::change_op(const isa::Hart& hart) {
  settle();
  current_op_ = hart.op;
  current_ = &counts_[current_op_];
}

// Brings the hart's counters and flags up to date.
void Core::settle_account(isa::Hart& hart, const Slice& slice) {
  isa::end_floats(hart);
  hart.instructions += slice.instructions - accounted_.instructions;
  hart.cycle += slice.cycles - accounted_.cycles;
  accounted_ = slice;
}

void Core::settle() {
  for (Times& slot : unsettled_.transitions) {
    if (slot.times != 0) current_->add(counts_of(slot), slot.times);
    slot.times = 0;
  }
  for (std::size_t group = 0; group < unsettled_.entered.size(); ++group) {
    if (unsettled_.entered[group] == 0) continue;
    unsettled_.entered[group] = 0;
    const std::size_t first = group * translate::trace_counts_in_group;
    for (std::size_t i = first; i < first + translate::trace_counts_in_group; ++i) {
      if (unsettled_.times[i] != 0) current_->add(image_->trace_count(i), unsettled_.times[i]);
      unsettled_.times[i] = 0;
    }
  }
}

const std::map<std::uint32_t, Counts>& Core::counts() {
  settle();
  return counts_;
}

void Core::add_to(machine::Ledger& ledger, std::string_view part) {
  for (const auto& [op, counts] : counts())
    for (std::size_t i = 0; i < Counts::size; ++i)
      if (counts.value[i] != 0) ledger.add(part, op, event_of(i), counts.value[i]);
}

}  // namespace dojo::node
