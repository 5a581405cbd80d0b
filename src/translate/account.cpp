// The account of time and counts between blocks, and how translated code goes on or ends.
#include <cstddef>
#include <iterator>
#include <utility>

#include "translate/code_writer.h"
#include "translate/in_hart.h"

namespace dojo::translate {

using isa::Hart;

namespace {

constexpr std::int32_t small(std::size_t offset) { return static_cast<std::int32_t>(offset); }
constexpr Condition other(Condition condition) {
  return static_cast<Condition>(static_cast<unsigned>(condition) ^ 1);
}

}  // namespace

// run(hart, chain, entry), and where blocks jump to in the end.
void Translator::write_frame() {
  using W = CodeWriter;
  constexpr Reg saved[] = {Reg::bp, Reg::bx, Reg::r12, Reg::r13, Reg::r14, Reg::r15};
  const std::pair<Reg, std::int32_t> fields[] = {{W::last_transition, offsetof(Chain, last)},
                                                 {W::cycles, offsetof(Chain, cycles)},
                                                 {W::budget, offsetof(Chain, budget)},
                                                 {W::account_pointer, offsetof(Chain, account)}};
  Assembler in, out;
  for (const Reg r : saved) in.push(r);
  in.alu(Alu::sub, Width::wide, RegMem(Reg::sp), frame_bytes);
  in.store(8, {Reg::sp, chain_on_stack}, Reg::si);
  in.address(Width::wide, Reg::bp, {Reg::di, hart_offset});
  in.move(Width::wide, Reg::bx, in_hart(offsetof(Hart, reach.bias)));
  for (const auto& [r, offset] : fields) in.move(Width::wide, r, Mem{Reg::si, offset});
  in.jump(Reg::dx);

  out.move(Width::wide, Reg::si, Mem{Reg::sp, chain_on_stack});
  for (const auto& [r, offset] : fields) out.store(8, {Reg::si, offset}, r);
  out.end_vectors();
  out.alu(Alu::add, Width::wide, RegMem(Reg::sp), frame_bytes);
  for (auto r = std::rbegin(saved); r != std::rend(saved); ++r) out.pop(*r);
  out.ret();
  run_ = reinterpret_cast<decltype(run_)>(const_cast<void*>(store_.add(in.code())));
  leave_ = store_.add(out.code());
}

// --- At the begin of a block

// Jumps to `other` unless the hart is in the block's configuration. Whoever links to a block does not know
// the one that it will be reached in.
void CodeWriter::check_configuration(Label& other) {
  const auto expect = [&](Mem mem, std::uint64_t value) {
    as.set(second_scratch, value);
    as.alu(Alu::cmp, Width::wide, second_scratch, mem);
    as.jump_if(Condition::not_equal, other);
  };
  const Vectors& wanted = vectors();
  if (vl_ != wanted.vl) expect(vector_length(), wanted.vl);
  if (vtype_ != wanted.vtype) expect(vector_type(), wanted.vtype);
  set_known(wanted.vtype, wanted.vl);
}

// A trace may take over; if there is none for this state, somebody counts how often.
void CodeWriter::begin_block(TraceHead& head) {
  Label other_state, too_long;
  as.set_address(second_scratch, &head);
  as.move(Width::wide, scratch, Mem{second_scratch, small(offsetof(TraceHead, trace))});
  as.move(Width::wide, Reg::dx, Mem{last_transition, small(offsetof(BlockTransition, after))});
  as.alu(Alu::cmp, Width::wide, Reg::dx, Mem{scratch, small(offsetof(TraceEntry, after))});
  as.jump_if(Condition::not_equal, other_state);
  as.alu(Alu::cmp, Width::wide, budget, Mem{scratch, small(offsetof(TraceEntry, budget))});
  as.jump_if(Condition::not_greater, too_long);
  as.jump(Mem{scratch, small(offsetof(TraceEntry, entry))});
  as.bind(other_state);
  as.alu(Alu::sub, Width::wide, Mem{second_scratch, small(offsetof(TraceHead, countdown))}, 1);
  as.jump_if(Condition::equal, chain_exit(block_->block->pc, offsetof(Chain, wanted), block_->key.owner));
  as.bind(too_long);
}

// --- At its end

void CodeWriter::go_on() { leave_block(0, next_pc_); }

// A jump to the instruction behind it is no jump for the pipeline.
void CodeWriter::jump_to(std::uint64_t target) { leave_block(target == next_pc_ ? 0 : 1, target); }

void CodeWriter::branch(Condition condition, std::uint64_t target) {
  if (!is_trace_) {
    Label taken;
    as.jump_if(condition, taken);
    go_on();
    as.bind(taken);
    return jump_to(target);
  }
  left_ = true;
  if (block_->way != 0)
    as.jump_if(other(condition), side_exit(Why::other_way, 0, next_pc_));
  else if (target != next_pc_)
    as.jump_if(condition, side_exit(Why::other_way, 1, target));
}

// The target waits in the hart's pc while the account is made.
void CodeWriter::jump_to_scratch() {
  if (!is_trace_) {
    as.store(8, in_hart(offsetof(Hart, pc)), scratch);
    return leave_block(1, in_pc);
  }
  left_ = true;
  as.set(second_scratch, block_->target);
  as.alu(Alu::cmp, Width::wide, scratch, second_scratch);
  as.jump_if(Condition::not_equal, side_exit(Why::other_way, 1, in_pc));
}

void CodeWriter::leave_block(unsigned way, std::uint64_t target) {
  left_ = true;
  if (is_trace_) return;  // there is but one way, the one it was left before
  store_dirty(held_);
  is_turn_ ? end_turn(way, target) : account(*block_, way, target);
}

// The transition that has followed before, if it is this block's; then its cycles, its count and the budget;
// then the next block.
void CodeWriter::account(const TraceBlock& block, unsigned way, std::uint64_t target) {
  Label& unaccounted = chain_exit(target, offsetof(Chain, unaccounted), block.key.owner);
  if (last_is_called_) return as.jump(unaccounted);
  if (target == in_pc) {
    as.move(Width::wide, scratch, in_hart(offsetof(Hart, pc)));
    as.set(second_scratch, block.block->pc + block.block->bytes);
    as.alu(Alu::cmp, Width::wide, second_scratch, scratch);
    as.jump_if(Condition::equal, unaccounted);
  }
  as.move(Width::wide, scratch, Mem{last_transition, small(offsetof(BlockTransition, next) + 8 * way)});
  as.test(Width::wide, scratch, scratch);
  as.jump_if(Condition::equal, unaccounted);
  const auto expect = [&](std::size_t offset, std::uint64_t value) {
    as.set(second_scratch, value);
    as.alu(Alu::cmp, Width::wide, second_scratch, Mem{scratch, small(offset)});
    as.jump_if(Condition::not_equal, unaccounted);
  };
  expect(offsetof(BlockTransition, block), reinterpret_cast<std::uintptr_t>(block.key.block));
  if (block.vectors.any) expect(offsetof(BlockTransition, config), block.key.config);

  static_assert(transition_counts == 256 && sizeof(TransitionCount) == 16 &&
                offsetof(Account, transitions) == 0);
  as.load(1, false, second_scratch, Mem{scratch, small(offsetof(BlockTransition, number))});
  as.shift(Shift::left, Width::word, second_scratch, 4);
  const Mem counted{account_pointer, offsetof(TransitionCount, transition), second_scratch},
      times{account_pointer, offsetof(TransitionCount, times), second_scratch};
  as.alu(Alu::cmp, Width::wide, scratch, counted);
  as.jump_if(Condition::not_equal, unaccounted);
  as.alu(Alu::add, Width::wide, times, 1);
  as.alu(Alu::add, Width::wide, cycles, Mem{scratch, small(offsetof(BlockTransition, cycles))});
  as.move(Width::wide, last_transition, scratch);
  as.alu(Alu::sub, Width::wide, budget, static_cast<std::int32_t>(block.block->count));
  as.jump_if(Condition::not_greater, chain_exit(target));
  target == in_pc ? jump_by_cache() : go_to(target);
}

void CodeWriter::go_to(std::uint64_t target) {
  std::atomic<const void*>& link = translator_.links_.emplace_back(nullptr);
  as.set_address(second_scratch, &link);
  as.move(Width::wide, scratch, Mem{second_scratch});
  as.test(Width::wide, scratch, scratch);
  as.jump_if(Condition::equal, chain_exit(target, offsetof(Chain, link), &link));
  as.jump(scratch);
}

void CodeWriter::jump_by_cache() {
  using JumpTarget = Translator::JumpTarget;
  Label& not_here = chain_exit(in_pc);
  as.move(Width::wide, Reg::dx, in_hart(offsetof(Hart, pc)));
  as.move(Width::word, scratch, Reg::dx);
  as.shift(Shift::right, Width::word, scratch, 1);
  as.alu(Alu::and_, Width::word, RegMem(scratch), Translator::jump_cache_entries - 1);
  as.set_address(second_scratch, translator_.jump_cache_.data());
  as.move(Width::wide, scratch, Mem{second_scratch, 0, scratch, 3});
  as.test(Width::wide, scratch, scratch);
  as.jump_if(Condition::equal, not_here);
  as.alu(Alu::cmp, Width::wide, Reg::dx, Mem{scratch, offsetof(JumpTarget, pc)});
  as.jump_if(Condition::not_equal, not_here);
  as.jump(Mem{scratch, offsetof(JumpTarget, entry)});
}

// --- Traces

// Says where it will count.
void CodeWriter::begin_trace() {
  const std::size_t first = first_count_ / trace_counts_in_group,
                    last = (first_count_ + blocks_.size() - 1) / trace_counts_in_group;
  for (std::size_t group = first; group <= last; ++group)
    as.store(1, Mem{account_pointer, small(offsetof(Account, entered) + group)}, 1);
}

// The first `count` blocks of the trace are done. In the state in which the trace was entered there is
// nothing to say: whatever transition led there, nothing but the state behind it matters.
void CodeWriter::account_blocks(std::size_t count) {
  if (count == 0) return;
  std::int64_t passed = 0, done = 0;
  for (const TraceBlock& block : blocks_.first(count)) {
    passed += static_cast<std::int64_t>(block.transition->cycles);
    done += block.block->count;
  }
  const Mem times{account_pointer,
                  small(offsetof(Account, times) + 8 * (std::size_t{first_count_} + count - 1))};
  as.alu(Alu::add, Width::wide, times, 1);
  as.set_address(last_transition, blocks_[count - 1].transition);
  as.address(Width::wide, cycles, {cycles, static_cast<std::int32_t>(passed)});
  as.alu(Alu::sub, Width::wide, budget, static_cast<std::int32_t>(done));
}

// `top`: what host registers hold where a trace that loops begins anew; nullptr: it does not begin anew, or
// only now.
void CodeWriter::end_trace(bool loops, const Registers* top) {
  const std::uint64_t target = blocks_.back().target;
  if (!loops) {
    store_dirty(held_);
    account_blocks(blocks_.size());
    as.alu(Alu::cmp, Width::wide, RegMem(budget), 0);
    as.jump_if(Condition::not_greater, chain_exit(target));
    return go_to(target);
  }
  account_blocks(blocks_.size());
  std::int32_t all = 0;
  for (const TraceBlock& block : blocks_) all += static_cast<std::int32_t>(block.block->count);
  as.alu(Alu::cmp, Width::wide, RegMem(budget), all);
  as.jump_if(Condition::not_greater, side_exit(Why::no_budget, 0, target));
  if (top != nullptr) conform(*top);
}

Label& CodeWriter::side_exit(Why why, unsigned way, std::uint64_t target) {
  return side_exits_
      .emplace_back(Label{}, why, static_cast<std::size_t>(block_ - blocks_.data()), way, target, held_)
      .begin;
}

void CodeWriter::write_side_exits() {
  for (SideExit& exit : side_exits_) {
    as.bind(exit.begin);
    if (exit.target == in_pc) as.store(8, in_hart(offsetof(Hart, pc)), scratch);
    store_dirty(exit.held);
    if (exit.why == Why::no_budget) {
      as.jump(chain_exit(exit.target));
      continue;
    }
    account_blocks(exit.block);
    exit.why == Why::other_way ? account(blocks_[exit.block], exit.way, exit.target) : go_to(exit.target);
  }
}

// --- Out of the chain

Label& CodeWriter::chain_exit(std::uint64_t pc, std::size_t field, const void* value) {
  return chain_exits_.emplace_back(Label{}, pc, field, value).begin;
}

void CodeWriter::write_chain_exits() {
  for (ChainExit& exit : chain_exits_) {
    if (exit.begin.jumps.empty()) continue;
    as.bind(exit.begin);
    if (exit.pc != in_pc) {
      as.set(scratch, exit.pc);
      as.store(8, in_hart(offsetof(Hart, pc)), scratch);
    }
    if (is_turn_) {
      as.set(scratch, exit.value != nullptr);
    } else if (exit.value != nullptr) {
      as.move(Width::wide, second_scratch, Mem{Reg::sp, chain_on_stack});
      as.set_address(scratch, exit.value);
      as.store(8, Mem{second_scratch, small(exit.field)}, scratch);
    }
    leave_chain();
  }
}

void CodeWriter::leave_chain() {
  as.set_address(second_scratch, is_turn_ ? translator_.leave_turns_ : translator_.leave_);
  as.jump(second_scratch);
}

}  // namespace dojo::translate
