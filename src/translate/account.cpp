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
constexpr If other(If condition) { return static_cast<If>(static_cast<unsigned>(condition) ^ 1); }

}  // namespace

// run(hart, chain, entry), and where blocks jump to in the end.
void Translator::write_frame() {
  using W = CodeWriter;
  constexpr Reg saved[] = {Reg::bp, Reg::bx, Reg::r12, Reg::r13, Reg::r14, Reg::r15};
  const std::pair<Reg, std::int32_t> fields[] = {{W::last_step, offsetof(Chain, last)},
                                                 {W::cycles, offsetof(Chain, cycles)},
                                                 {W::budget, offsetof(Chain, budget)},
                                                 {W::account_place, offsetof(Chain, account)}};
  Assembler in, out;
  for (const Reg r : saved) in.push(r);
  in.alu(Alu::sub, Width::wide, Operand(Reg::sp), frame_bytes);
  in.store(8, {Reg::sp, chain_on_stack}, Reg::si);
  in.address(Width::wide, Reg::bp, {Reg::di, hart_offset});
  in.move(Width::wide, Reg::bx, in_hart(offsetof(Hart, reach.bias)));
  for (const auto& [r, offset] : fields) in.move(Width::wide, r, Place{Reg::si, offset});
  in.jump(Reg::dx);

  out.move(Width::wide, Reg::si, Place{Reg::sp, chain_on_stack});
  for (const auto& [r, offset] : fields) out.store(8, {Reg::si, offset}, r);
  out.end_vectors();
  out.alu(Alu::add, Width::wide, Operand(Reg::sp), frame_bytes);
  for (auto r = std::rbegin(saved); r != std::rend(saved); ++r) out.pop(*r);
  out.ret();
  run_ = reinterpret_cast<decltype(run_)>(const_cast<void*>(store_.add(in.code())));
  leave_ = store_.add(out.code());
}

// --- At the begin of a block

// Jumps to `other` unless the hart is in the block's configuration. Whoever links to a block does not know
// the one that it will be reached in.
void CodeWriter::check_configuration(Label& other) {
  const auto expect = [&](Place place, std::uint64_t value) {
    as.set(second_scratch, value);
    as.alu(Alu::cmp, Width::wide, second_scratch, place);
    as.jump_if(If::not_equal, other);
  };
  const Vectors& wanted = vectors();
  if (vl_ != wanted.vl) expect(vector_length(), wanted.vl);
  if (vtype_ != wanted.vtype) expect(vector_type(), wanted.vtype);
  set_known(wanted.vtype, wanted.vl);
}

// A trace may take over; if there is none for this state, somebody counts how often.
void CodeWriter::begin_block(Head& head) {
  Label other_state, too_long;
  as.set_address(second_scratch, &head);
  as.move(Width::wide, scratch, Place{second_scratch, small(offsetof(Head, trace))});
  as.move(Width::wide, Reg::dx, Place{last_step, small(offsetof(Step, after))});
  as.alu(Alu::cmp, Width::wide, Reg::dx, Place{scratch, small(offsetof(Trace, after))});
  as.jump_if(If::not_equal, other_state);
  as.alu(Alu::cmp, Width::wide, budget, Place{scratch, small(offsetof(Trace, budget))});
  as.jump_if(If::not_greater, too_long);
  as.jump(Place{scratch, small(offsetof(Trace, entry))});
  as.bind(other_state);
  as.alu(Alu::sub, Width::wide, Place{second_scratch, small(offsetof(Head, patience))}, 1);
  as.jump_if(If::equal, way_out(leg_->block->pc, offsetof(Chain, wanted), leg_->key.owner));
  as.bind(too_long);
}

// --- At its end

void CodeWriter::go_on() { leave_block(0, next_pc_); }

// A jump to the instruction behind it is no jump for the pipeline.
void CodeWriter::jump_to(std::uint64_t target) { leave_block(target == next_pc_ ? 0 : 1, target); }

void CodeWriter::branch(If condition, std::uint64_t target) {
  if (!is_trace_) {
    Label taken;
    as.jump_if(condition, taken);
    go_on();
    as.bind(taken);
    return jump_to(target);
  }
  left_ = true;
  if (leg_->way != 0)
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
  as.set(second_scratch, leg_->target);
  as.alu(Alu::cmp, Width::wide, scratch, second_scratch);
  as.jump_if(If::not_equal, side_exit(Why::other_way, 1, in_pc));
}

void CodeWriter::leave_block(unsigned way, std::uint64_t target) {
  left_ = true;
  if (is_trace_) return;  // there is but one way, the one it was left before
  store_dirty(held_);
  is_turn_ ? end_turn(way, target) : account(*leg_, way, target);
}

// The step that has followed before, if it is this block's; then its cycles, its tally and the budget; then
// the next block.
void CodeWriter::account(const Leg& leg, unsigned way, std::uint64_t target) {
  Label& unaccounted = way_out(target, offsetof(Chain, unaccounted), leg.key.owner);
  if (last_is_called_) return as.jump(unaccounted);
  if (target == in_pc) {
    as.move(Width::wide, scratch, in_hart(offsetof(Hart, pc)));
    as.set(second_scratch, leg.block->pc + leg.block->bytes);
    as.alu(Alu::cmp, Width::wide, second_scratch, scratch);
    as.jump_if(If::equal, unaccounted);
  }
  as.move(Width::wide, scratch, Place{last_step, small(offsetof(Step, next) + 8 * way)});
  as.test(Width::wide, scratch, scratch);
  as.jump_if(If::equal, unaccounted);
  const auto expect = [&](std::size_t offset, std::uint64_t value) {
    as.set(second_scratch, value);
    as.alu(Alu::cmp, Width::wide, second_scratch, Place{scratch, small(offset)});
    as.jump_if(If::not_equal, unaccounted);
  };
  expect(offsetof(Step, block), reinterpret_cast<std::uintptr_t>(leg.key.block));
  if (leg.vectors.any) expect(offsetof(Step, config), leg.key.config);

  static_assert(tallies == 256 && sizeof(Tally) == 16 && offsetof(Account, tally) == 0);
  as.load(1, false, second_scratch, Place{scratch, small(offsetof(Step, number))});
  as.shift(Shift::left, Width::word, second_scratch, 4);
  const Place tallied{account_place, offsetof(Tally, step), second_scratch},
      times{account_place, offsetof(Tally, times), second_scratch};
  as.alu(Alu::cmp, Width::wide, scratch, tallied);
  as.jump_if(If::not_equal, unaccounted);
  as.alu(Alu::add, Width::wide, times, 1);
  as.alu(Alu::add, Width::wide, cycles, Place{scratch, small(offsetof(Step, cycles))});
  as.move(Width::wide, last_step, scratch);
  as.alu(Alu::sub, Width::wide, budget, static_cast<std::int32_t>(leg.block->count));
  as.jump_if(If::not_greater, way_out(target));
  target == in_pc ? jump_to_landing() : go_to(target);
}

void CodeWriter::go_to(std::uint64_t target) {
  std::atomic<const void*>& link = translator_.links_.emplace_back(nullptr);
  as.set_address(second_scratch, &link);
  as.move(Width::wide, scratch, Place{second_scratch});
  as.test(Width::wide, scratch, scratch);
  as.jump_if(If::equal, way_out(target, offsetof(Chain, link), &link));
  as.jump(scratch);
}

void CodeWriter::jump_to_landing() {
  using Landing = Translator::Landing;
  Label& not_here = way_out(in_pc);
  as.move(Width::wide, Reg::dx, in_hart(offsetof(Hart, pc)));
  as.move(Width::word, scratch, Reg::dx);
  as.shift(Shift::right, Width::word, scratch, 1);
  as.alu(Alu::and_, Width::word, Operand(scratch), Translator::landing_places - 1);
  as.set_address(second_scratch, translator_.landings_.data());
  as.move(Width::wide, scratch, Place{second_scratch, 0, scratch, 3});
  as.test(Width::wide, scratch, scratch);
  as.jump_if(If::equal, not_here);
  as.alu(Alu::cmp, Width::wide, Reg::dx, Place{scratch, offsetof(Landing, pc)});
  as.jump_if(If::not_equal, not_here);
  as.jump(Place{scratch, offsetof(Landing, entry)});
}

// --- Traces

// The first `count` blocks of the trace are done. In the state in which the trace was entered there is
// nothing to say: whatever step led there, nothing but the state behind it matters.
void CodeWriter::account_legs(std::size_t count) {
  if (count == 0) return;
  std::int64_t passed = 0, done = 0;
  for (const Leg& leg : legs_.first(count)) {
    passed += static_cast<std::int64_t>(leg.step->cycles);
    done += leg.block->count;
  }
  const Place times{account_place,
                    small(offsetof(Account, times) + 8 * (std::size_t{first_count_} + count - 1))};
  as.alu(Alu::add, Width::wide, times, 1);
  as.set_address(last_step, legs_[count - 1].step);
  as.address(Width::wide, cycles, {cycles, static_cast<std::int32_t>(passed)});
  as.alu(Alu::sub, Width::wide, budget, static_cast<std::int32_t>(done));
}

// `top`: what host registers hold where a trace that loops begins anew; nullptr: it does not begin anew, or
// only now.
void CodeWriter::end_trace(bool loops, const Registers* top) {
  const std::uint64_t target = legs_.back().target;
  if (!loops) {
    store_dirty(held_);
    account_legs(legs_.size());
    as.alu(Alu::cmp, Width::wide, Operand(budget), 0);
    as.jump_if(If::not_greater, way_out(target));
    return go_to(target);
  }
  account_legs(legs_.size());
  std::int32_t all = 0;
  for (const Leg& leg : legs_) all += static_cast<std::int32_t>(leg.block->count);
  as.alu(Alu::cmp, Width::wide, Operand(budget), all);
  as.jump_if(If::not_greater, side_exit(Why::no_budget, 0, target));
  if (top != nullptr) conform(*top);
}

Label& CodeWriter::side_exit(Why why, unsigned way, std::uint64_t target) {
  return side_exits_
      .emplace_back(Label{}, why, static_cast<std::size_t>(leg_ - legs_.data()), way, target, held_)
      .begin;
}

void CodeWriter::side_exits() {
  for (SideExit& exit : side_exits_) {
    as.bind(exit.begin);
    if (exit.target == in_pc) as.store(8, in_hart(offsetof(Hart, pc)), scratch);
    store_dirty(exit.held);
    if (exit.why == Why::no_budget) {
      as.jump(way_out(exit.target));
      continue;
    }
    account_legs(exit.leg);
    exit.why == Why::other_way ? account(legs_[exit.leg], exit.way, exit.target) : go_to(exit.target);
  }
}

// --- Out of the chain

Label& CodeWriter::way_out(std::uint64_t pc, std::size_t field, const void* value) {
  return ways_out_.emplace_back(Label{}, pc, field, value).begin;
}

void CodeWriter::ways_out() {
  for (WayOut& way : ways_out_) {
    if (way.begin.jumps.empty()) continue;
    as.bind(way.begin);
    if (way.pc != in_pc) {
      as.set(scratch, way.pc);
      as.store(8, in_hart(offsetof(Hart, pc)), scratch);
    }
    if (is_turn_) {
      as.set(scratch, way.value != nullptr);
    } else if (way.value != nullptr) {
      as.move(Width::wide, second_scratch, Place{Reg::sp, chain_on_stack});
      as.set_address(scratch, way.value);
      as.store(8, Place{second_scratch, small(way.field)}, scratch);
    }
    leave_chain();
  }
}

void CodeWriter::leave_chain() {
  as.set_address(second_scratch, is_turn_ ? translator_.leave_turns_ : translator_.leave_);
  as.jump(second_scratch);
}

}  // namespace dojo::translate
