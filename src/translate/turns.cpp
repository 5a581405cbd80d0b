// How translated code goes from one turn to the next.
#include "translate/turns.h"

#include <cstddef>
#include <iterator>

#include "translate/code_writer.h"
#include "translate/in_hart.h"

namespace dojo::translate {

using isa::Hart;

namespace {

constexpr std::int32_t small(std::size_t offset) { return static_cast<std::int32_t>(offset); }

// What holds across all turns, beside bp and bx, which are the present one's hart and its memory.
constexpr Reg turn_pointer = Reg::r12, run_pointer = Reg::r13, passes = Reg::r14;
constexpr Reg scratch = CodeWriter::scratch;

constexpr Mem in_turn(std::size_t offset) { return {turn_pointer, small(offset)}; }
constexpr Mem in_run(std::size_t offset) { return {run_pointer, small(offset)}; }

// To the turn at turn_pointer.
void begin_turn(Assembler& as) {
  as.move(Width::word, scratch, in_turn(offsetof(Turn, hart)));
  as.move(Width::wide, Reg::bp, Mem{run_pointer, small(offsetof(TurnsRun, harts)), scratch});
  as.alu(Alu::sub, Width::wide, RegMem(Reg::bp), -hart_offset);
  as.move(Width::wide, Reg::bx, in_hart(offsetof(Hart, reach.bias)));
  as.jump(in_turn(offsetof(Turn, entry)));
}

// Flags are up that not all harts have.
void change_floats(TurnsRun* turns, Hart* hart) {
  turns->floats->resume(*turns->float_hart);
  turns->floats->begin(*hart);
  turns->float_hart = hart;
}

}  // namespace

// run(turns), and what lies between turns.
void Translator::write_turns_frame() {
  constexpr Reg saved[] = {Reg::bp, Reg::bx, Reg::r12, Reg::r13, Reg::r14, Reg::r15};
  Assembler in, out, again, floats;
  for (const Reg r : saved) in.push(r);
  in.alu(Alu::sub, Width::wide, RegMem(Reg::sp), frame_bytes);
  in.move(Width::wide, run_pointer, Reg::di);
  in.move(Width::wide, turn_pointer, in_run(offsetof(TurnsRun, at)));
  in.move(Width::wide, passes, in_run(offsetof(TurnsRun, passes)));
  begin_turn(in);

  out.store(8, in_run(offsetof(TurnsRun, begun)), scratch);
  out.store(8, in_run(offsetof(TurnsRun, at)), turn_pointer);
  out.store(8, in_run(offsetof(TurnsRun, passes)), passes);
  out.end_vectors();
  out.alu(Alu::add, Width::wide, RegMem(Reg::sp), frame_bytes);
  for (auto r = std::rbegin(saved); r != std::rend(saved); ++r) out.pop(*r);
  out.ret();
  leave_turns_ = store_.add(out.code());

  // The end of the turns.
  Label end;
  again.alu(Alu::sub, Width::wide, RegMem(passes), 1);
  again.jump_if(Condition::equal, end);
  again.move(Width::wide, turn_pointer, in_run(offsetof(TurnsRun, first)));
  begin_turn(again);
  again.bind(end);
  again.set(scratch, 0);
  again.set_address(CodeWriter::second_scratch, leave_turns_);
  again.jump(CodeWriter::second_scratch);

  // Before the block of another hart that may compute with floats.
  Label telling, told;
  floats.store_float_state(CodeWriter::buffer(0));
  floats.move(Width::word, scratch, CodeWriter::buffer(0));
  floats.alu(Alu::and_, Width::word, scratch, in_run(offsetof(TurnsRun, telling_flags)));
  floats.address(Width::wide, Reg::si, {Reg::bp, -hart_offset});
  floats.jump_if(Condition::not_equal, telling);
  floats.store(8, in_run(offsetof(TurnsRun, float_hart)), Reg::si);
  floats.bind(told);
  floats.jump(in_turn(offsetof(Turn, code)));
  floats.bind(telling);
  floats.move(Width::wide, Reg::di, run_pointer);
  floats.end_vectors();
  floats.call(reinterpret_cast<const void*>(change_floats));
  floats.jump(told);

  run_turns_ = reinterpret_cast<decltype(run_turns_)>(const_cast<void*>(store_.add(in.code())));
  turns_end_ = store_.add(again.code());
  turn_of_floats_ = store_.add(floats.code());
}

// --- The code of one turn

void CodeWriter::write_turn(const TraceBlock& block) {
  is_turn_ = true;
  blocks_ = {&block, 1};
  block_ = &block;
  if (block.vectors.any) check_configuration(chain_exit(block.block->pc));
  write_instructions(0);
  write_slow_paths();
  write_stop_exits();
  write_chain_exits();
}

// The next turn begins if the block is left as it was once.
void CodeWriter::end_turn(unsigned way, std::uint64_t target) {
  Label& other_way = chain_exit(target, offsetof(Chain, unaccounted), block_->key.owner);
  if (last_is_called_) return as.jump(other_way);
  as.alu(Alu::cmp, Width::word, RegMem(in_turn(offsetof(Turn, way))), static_cast<std::int32_t>(way));
  as.jump_if(Condition::not_equal, other_way);
  if (target == in_pc) {
    as.move(Width::wide, scratch, in_hart(offsetof(Hart, pc)));
    as.alu(Alu::cmp, Width::wide, scratch, in_turn(offsetof(Turn, target)));
    as.jump_if(Condition::not_equal, other_way);
  }
  as.alu(Alu::add, Width::wide, RegMem(turn_pointer), sizeof(Turn));
  begin_turn(as);
}

}  // namespace dojo::translate
