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

void CodeWriter::write_block(const TraceBlock& block, TraceHead& head) {
  blocks_ = {&block, 1};
  block_ = &block;
  if (block.vectors.any) check_configuration(chain_exit(block.block->pc));
  begin_block(head);
  write_instructions(0);
  write_slow_paths();
  write_stop_exits();
  write_chain_exits();
}

// A loop is written twice: once with all registers in the hart, and behind it with those that it has left in
// host registers by then, from where it begins anew.
void CodeWriter::write_trace(std::span<const TraceBlock> blocks, bool loops, std::uint32_t first_count) {
  is_trace_ = true;
  blocks_ = blocks;
  first_count_ = first_count;
  const Vectors& entered = blocks[0].vectors;
  if (entered.any) set_known(entered.vtype, entered.vl);
  begin_trace();
  for (std::size_t i = 0; i < blocks.size(); ++i) write_instructions(i);
  end_trace(loops, nullptr);
  if (loops) {
    for (Held& held : held_.x) held.pinned = false;
    for (HeldPiece& held : held_.pieces) held.pinned = false;
    buffered_.reset();
    const Registers top = held_;
    Label again;
    as.bind(again);
    for (std::size_t i = 0; i < blocks.size(); ++i) write_instructions(i);
    end_trace(loops, &top);
    as.jump(again);
  }
  write_slow_paths();
  write_side_exits();
  write_stop_exits();
  write_chain_exits();
}

void CodeWriter::write_instructions(std::size_t index) {
  block_ = &blocks_[index];
  const isa::Block& block = *block_->block;
  next_pc_ = block.pc;
  left_ = last_is_called_ = false;
  if (is_trace_ && block_->vectors.any) check_configuration(side_exit(Why::other_configuration, 0, block.pc));
  for (std::uint32_t i = 0; i < block.count; ++i) instruction(block.code[i]);
  if (!left_) go_on();
}

void CodeWriter::instruction(const Decoded& d) {
  instruction_ = &d;
  now_ += 1;
  next_pc_ += d.length;
  const std::size_t first_slow_path = slow_paths_.size();
  for (Held& held : held_.x) held.pinned = false;
  for (HeldPiece& held : held_.pieces) held.pinned = false;
  const bool without_effect = d.execute != d.row->execute;
  if (without_effect) return;
  const Emit* emit = find_emitter(*d.row);
  if (emit == nullptr || !(*emit)(*this, d)) {
    store_dirty(held_);
    call_semantics(d, static_cast<std::size_t>(block_ - blocks_.data()));
    held_ = {};
    boxed_ = 0;
    buffered_.reset();
    if (d.row->properties & (isa::writes_vtype | isa::ends_block)) set_known(std::nullopt, std::nullopt);
    // It may have stopped the hart, or changed what the node accounts by.
    last_is_called_ = d.row->unit == isa::Unit::system || d.row->unit == isa::Unit::transfer;
  }
  for (std::size_t i = first_slow_path; i < slow_paths_.size(); ++i) {
    slow_paths_[i].after = held_;
    as.bind(slow_paths_[i].back);
  }
}

void CodeWriter::set_known(std::optional<std::uint64_t> vtype, std::optional<std::uint64_t> vl) {
  vtype_ = vtype;
  vl_ = vl;
}

// Semantics return nullptr when they have ended the block.
void CodeWriter::call_semantics(const Decoded& d, std::size_t block) {
  std::array<Decoded, 2>& pair = translator_.called_.emplace_back();
  pair = {d, (&d)[1]};
  pair[1].execute = back;
  as.address(Width::wide, Reg::di, {Reg::bp, -hart_offset});
  as.set_address(Reg::si, pair.data());
  as.end_vectors();
  as.call(reinterpret_cast<const void*>(pair[0].execute));
  as.test(Width::wide, Reg::ax, Reg::ax);
  as.jump_if(Condition::equal, stop_exits_.emplace_back(Label{}, &d, block).begin);
}

Label& CodeWriter::slow_path(unsigned done) {
  SlowPath& path = slow_paths_.emplace_back();
  path.instruction = instruction_;
  path.block = static_cast<std::size_t>(block_ - blocks_.data());
  path.done = done;
  path.before = held_;
  return path.begin;
}

void CodeWriter::check(Reg address, std::int32_t offset, unsigned count, bool is_store, Label& refused) {
  const Mem floor = in_hart(is_store ? offsetof(Hart, reach.store_floor) : offsetof(Hart, reach.load_floor));
  const Mem span = in_hart(is_store ? offsetof(Hart, reach.store_span) : offsetof(Hart, reach.load_span));
  as.address(Width::wide, second_scratch, {address, offset});
  as.alu(Alu::sub, Width::wide, second_scratch, floor);
  as.alu(Alu::cmp, Width::wide, second_scratch, span);
  as.jump_if(Condition::not_below, refused);
  if (count <= 8) return;
  as.alu(Alu::add, Width::wide, second_scratch, static_cast<std::int32_t>(count - 8));
  as.alu(Alu::cmp, Width::wide, second_scratch, span);
  as.jump_if(Condition::not_below, refused);
}

void CodeWriter::write_slow_paths() {
  for (SlowPath& path : slow_paths_) {
    if (path.begin.jumps.empty()) continue;
    as.bind(path.begin);
    store_dirty(path.before);
    if (path.done != 0) {
      const bool rows = path.instruction->row->unit == isa::Unit::matrix;
      const auto done = static_cast<std::int32_t>(path.done);
      rows ? as.store(1, in_hart(offsetof(Hart, tile_first)), done)
           : as.store(8, in_hart(offsetof(Hart, vstart)), done);
    }
    call_semantics(*path.instruction, path.block);
    load_held(path.after);
    as.jump(path.back);
  }
}

void CodeWriter::write_stop_exits() {
  for (StopExit& exit : stop_exits_) {
    if (exit.begin.jumps.empty()) continue;
    as.bind(exit.begin);
    account_blocks(exit.block);
    as.set_address(scratch, exit.instruction);
    as.store(8, in_hart(offsetof(Hart, trapped_at)), scratch);
    as.jump(chain_exit(in_pc, offsetof(Chain, unaccounted), blocks_[exit.block].key.owner));
  }
}

}  // namespace dojo::translate
