#include "node/core.h"

#include "base/error.h"

namespace dojo::node {

using isa::Stop;

Core::Core(CodeImage& image, BlockTiming& timing, bool with_timing)
    : image_(&image), timing_(timing), last_(&timing.start(with_timing)), start_(last_) {}

Slice Core::run(isa::Hart& hart, std::uint64_t max_instructions) {
  Slice slice;
  hart.stop = Stop::none;
  while (hart.stop == Stop::none && slice.instructions < max_instructions) {
    if (hart.op != current_op_ || !current_) {
      settle();
      current_op_ = hart.op;
      current_ = &counts_[current_op_];
    }
    if (const CodeBlock* block = image_->find(hart.pc, hart.memory))
      run_block(hart, slice, *block);
    else
      run_unshared(hart, slice);
  }
  slice.stop = hart.stop;
  return slice;
}

void Core::run_block(isa::Hart& hart, Slice& slice, const CodeBlock& block) {
  const Config config = block.uses_vectors ? config_of(hart) : Config{};
  const std::uint32_t completed = isa::run_block(hart, block.block);
  if (hart.stop == Stop::trap) {
    add_once(hart, slice, block.block, completed, config);
    return;
  }
  const Exit exit = hart.stop != Stop::none  ? Exit::stopped
                    : hart.pc == block.end() ? Exit::onward
                                             : Exit::taken;
  last_ = &timing_.step(*last_, block, config, exit);
  tally(*last_);
  if (recording_) recording_->blocks.push_back({&block.block, completed, config, exit});
  advance(hart, slice, completed, last_->cycles);
}

// Code outside the shared text may change between two visits, so nothing about it is remembered and its block
// leaves the pipeline empty.
void Core::run_unshared(isa::Hart& hart, Slice& slice) {
  const CodeBlock block = build_code_block(hart.memory, hart.pc, image_->limit());
  const Config config = config_of(hart);
  const std::uint32_t completed = isa::run_block(hart, block.block);
  add_once(hart, slice, block.block, completed, config);
}

void Core::add_once(isa::Hart& hart, Slice& slice, const isa::Block& block, std::uint32_t completed,
                    const Config& config) {
  const Exit exit = hart.stop == Stop::none || hart.stop == Stop::trap ? Exit::onward : Exit::stopped;
  if (recording_ && completed != 0) {
    recording_->own.push_back(block);
    recording_->blocks.push_back({&recording_->own.back(), completed, config, exit});
  }
  const Counts counts = timing_.once(*last_, block, completed, config, exit);
  last_ = start_;
  *current_ += counts;
  advance(hart, slice, completed, counts.cycles());
}

void Core::tally(const Transition& transition) {
  Times& slot = unsettled_[reinterpret_cast<std::uintptr_t>(&transition) / 64 % unsettled_.size()];
  if (slot.transition != &transition) {
    if (slot.times != 0) current_->add(slot.transition->counts, slot.times);
    slot = {&transition, 0};
  }
  ++slot.times;
}

void Core::settle() {
  for (Times& slot : unsettled_) {
    if (slot.times != 0) current_->add(slot.transition->counts, slot.times);
    slot.times = 0;
  }
}

const std::map<std::uint32_t, Counts>& Core::counts() {
  settle();
  return counts_;
}

void Core::advance(isa::Hart& hart, Slice& slice, std::uint64_t instructions, std::uint64_t cycles) {
  slice.instructions += instructions;
  slice.cycles += cycles;
  hart.instructions += instructions;
  hart.cycle += cycles;
}

void Core::add_to(machine::Ledger& ledger, std::string_view part) {
  for (const auto& [op, counts] : counts())
    for (std::size_t i = 0; i < Counts::size; ++i)
      if (counts.value[i] != 0) ledger.add(part, op, event_of(i), counts.value[i]);
}

}  // namespace dojo::node
