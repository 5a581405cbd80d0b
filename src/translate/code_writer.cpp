#include "translate/code_writer.h"

#include <array>
#include <cstddef>

#include "translate/in_hart.h"

namespace dojo::translate {

using isa::Decoded;
using isa::Hart;

namespace {

const Decoded* back(Hart&, const Decoded* d) { return d; }

}  // namespace

CodeWriter::CodeWriter(Translator& translator, HostVectors kind, unsigned vlen)
    : as(kind), vlen_bits(vlen), translator_(translator) {}

void CodeWriter::write_block(const Leg& block, Head& head) {
  legs_ = {&block, 1};
  leg_ = &block;
  if (block.vectors.any) check_configuration(way_out(block.block->pc));
  begin_block(head);
  write_leg(0);
  detours();
  halts();
  ways_out();
}

// A loop is written twice: once with all registers in the hart, and behind it with those that it has left in
// host registers by then, from where it begins anew.
void CodeWriter::write_trace(std::span<const Leg> legs, bool loops, std::uint32_t first_count) {
  is_trace_ = true;
  legs_ = legs;
  first_count_ = first_count;
  const Vectors& entered = legs[0].vectors;
  if (entered.any) set_known(entered.vtype, entered.vl);
  for (std::size_t i = 0; i < legs.size(); ++i) write_leg(i);
  end_trace(loops, nullptr);
  if (loops) {
    for (Held& held : held_.x) held.pinned = false;
    for (HeldPiece& held : held_.pieces) held.pinned = false;
    buffered_.reset();
    const Registers top = held_;
    Label again;
    as.bind(again);
    for (std::size_t i = 0; i < legs.size(); ++i) write_leg(i);
    end_trace(loops, &top);
    as.jump(again);
  }
  detours();
  side_exits();
  halts();
  ways_out();
}

void CodeWriter::write_leg(std::size_t leg) {
  leg_ = &legs_[leg];
  const isa::Block& block = *leg_->block;
  next_pc_ = block.pc;
  left_ = last_is_called_ = false;
  if (is_trace_ && leg_->vectors.any) check_configuration(side_exit(Why::other_configuration, 0, block.pc));
  for (std::uint32_t i = 0; i < block.count; ++i) instruction(block.code[i]);
  if (!left_) go_on();
}

void CodeWriter::instruction(const Decoded& d) {
  instruction_ = &d;
  now_ += 1;
  next_pc_ += d.length;
  const std::size_t first_detour = detours_.size();
  for (Held& held : held_.x) held.pinned = false;
  for (HeldPiece& held : held_.pieces) held.pinned = false;
  const bool without_effect = d.execute != d.row->execute;
  if (without_effect) return;
  const Emit* emit = find_emitter(*d.row);
  if (emit == nullptr || !(*emit)(*this, d)) {
    store_dirty(held_);
    call_meaning(d, static_cast<std::size_t>(leg_ - legs_.data()));
    held_ = {};
    boxed_ = 0;
    buffered_.reset();
    if (d.row->properties & (isa::writes_vtype | isa::ends_block)) set_known(std::nullopt, std::nullopt);
    // It may have stopped the hart, or changed what the node accounts by.
    last_is_called_ = d.row->unit == isa::Unit::system || d.row->unit == isa::Unit::transfer;
  }
  for (std::size_t i = first_detour; i < detours_.size(); ++i) {
    detours_[i].after = held_;
    as.bind(detours_[i].back);
  }
}

void CodeWriter::set_known(std::optional<std::uint64_t> vtype, std::optional<std::uint64_t> vl) {
  vtype_ = vtype;
  vl_ = vl;
}

// A meaning returns nullptr when it has ended the block.
void CodeWriter::call_meaning(const Decoded& d, std::size_t leg) {
  std::array<Decoded, 2>& pair = translator_.called_.emplace_back();
  pair = {d, (&d)[1]};
  pair[1].execute = back;
  as.address(Width::wide, Reg::di, {Reg::bp, -hart_offset});
  as.set_address(Reg::si, pair.data());
  as.end_vectors();
  as.call(reinterpret_cast<const void*>(pair[0].execute));
  as.test(Width::wide, Reg::ax, Reg::ax);
  as.jump_if(If::equal, halts_.emplace_back(Label{}, &d, leg).begin);
}

Label& CodeWriter::meaning(unsigned done) {
  Detour& detour = detours_.emplace_back();
  detour.instruction = instruction_;
  detour.leg = static_cast<std::size_t>(leg_ - legs_.data());
  detour.done = done;
  detour.before = held_;
  return detour.begin;
}

void CodeWriter::check(Reg address, std::int32_t offset, unsigned count, bool is_store, Label& refused) {
  const Place floor =
      in_hart(is_store ? offsetof(Hart, reach.store_floor) : offsetof(Hart, reach.load_floor));
  const Place span = in_hart(is_store ? offsetof(Hart, reach.store_span) : offsetof(Hart, reach.load_span));
  as.address(Width::wide, second_scratch, {address, offset});
  as.alu(Alu::sub, Width::wide, second_scratch, floor);
  as.alu(Alu::cmp, Width::wide, second_scratch, span);
  as.jump_if(If::not_below, refused);
  if (count <= 8) return;
  as.alu(Alu::add, Width::wide, second_scratch, static_cast<std::int32_t>(count - 8));
  as.alu(Alu::cmp, Width::wide, second_scratch, span);
  as.jump_if(If::not_below, refused);
}

void CodeWriter::detours() {
  for (Detour& detour : detours_) {
    if (detour.begin.jumps.empty()) continue;
    as.bind(detour.begin);
    store_dirty(detour.before);
    if (detour.done != 0) {
      const bool rows = detour.instruction->row->unit == isa::Unit::matrix;
      const auto done = static_cast<std::int32_t>(detour.done);
      rows ? as.store(1, in_hart(offsetof(Hart, tile_first)), done)
           : as.store(8, in_hart(offsetof(Hart, vstart)), done);
    }
    call_meaning(*detour.instruction, detour.leg);
    load_held(detour.after);
    as.jump(detour.back);
  }
}

void CodeWriter::halts() {
  for (Halt& halt : halts_) {
    if (halt.begin.jumps.empty()) continue;
    as.bind(halt.begin);
    account_legs(halt.leg);
    as.set_address(scratch, halt.instruction);
    as.store(8, in_hart(offsetof(Hart, trapped_at)), scratch);
    as.jump(way_out(in_pc, offsetof(Chain, unaccounted), legs_[halt.leg].key.owner));
  }
}

}  // namespace dojo::translate
