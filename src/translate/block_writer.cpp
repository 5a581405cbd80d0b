#include "translate/block_writer.h"

#include <cstddef>
#include <iterator>
#include <utility>

namespace dojo::translate {

using isa::Decoded;
using isa::Hart;

namespace {

// The hart's address is in bp, 128 bytes further on, so that one signed byte reaches all x registers.
constexpr std::int32_t hart_offset = 128;

constexpr Place in_hart(std::size_t offset) {
  return {Reg::bp, static_cast<std::int32_t>(offset) - hart_offset};
}

const Decoded* back(Hart&, const Decoded* d) { return d; }

constexpr std::uint64_t in_pc = 1;  // no block begins at an odd address: the hart's pc holds it
// The frame of a chain, at multiples of 16 bytes.
constexpr std::int32_t chain_on_stack = 8, buffer_on_stack = 16, frame_bytes = buffer_on_stack + 256 + 8;

}  // namespace

BlockWriter::BlockWriter(const isa::Block& block, const Vectors& vectors_then, const Key& key,
                         Translator& translator)
    : vectors(vectors_then), block_(block), key_(key), translator_(translator) {}

Place BlockWriter::x(unsigned r) { return in_hart(offsetof(Hart, x) + 8 * r); }
Place BlockWriter::f(unsigned r, unsigned byte) { return in_hart(offsetof(Hart, f) + 8 * r + byte); }
Place BlockWriter::v(unsigned r, unsigned byte) const {
  return in_hart(offsetof(Hart, v) + r * vectors.vlen_bits / 8 + byte);
}
Place BlockWriter::frm() { return in_hart(offsetof(Hart, frm)); }
Place BlockWriter::tile(unsigned number, unsigned row, unsigned byte) const {
  return in_hart(offsetof(Hart, tiles) + 256 * number + 64 * row + byte);
}
Place BlockWriter::buffer(unsigned byte) {
  return {Reg::sp, buffer_on_stack + static_cast<std::int32_t>(byte)};
}
Place BlockWriter::bytes_at(Reg address, std::int32_t offset) { return {Reg::bx, offset, address}; }

std::size_t BlockWriter::take() {
  while (held_[next_victim_].pinned) next_victim_ = (next_victim_ + 1) % pool.size();
  const std::size_t taken = next_victim_;
  next_victim_ = (next_victim_ + 1) % pool.size();
  return taken;
}

Reg BlockWriter::read(unsigned r) {
  for (std::size_t i = 0; i < pool.size(); ++i)
    if (held_[i].x == r) {
      held_[i].pinned = true;
      return pool[i];
    }
  const std::size_t i = take();
  held_[i] = {static_cast<std::uint8_t>(r), true};
  r == 0 ? as.set(pool[i], 0) : as.move(Width::wide, pool[i], x(r));
  return pool[i];
}

Reg BlockWriter::write(unsigned r) {
  for (Held& held : held_)
    if (held.x == r) held.x = nothing;
  const std::size_t i = take();
  held_[i] = {static_cast<std::uint8_t>(r), true};
  return pool[i];
}

void BlockWriter::written(unsigned r) { as.store(8, x(r), read(r)); }

void BlockWriter::check(Reg address, std::int32_t offset, unsigned count, bool is_store, Label& label) {
  const Place floor =
      in_hart(is_store ? offsetof(Hart, reach.store_floor) : offsetof(Hart, reach.load_floor));
  const Place span = in_hart(is_store ? offsetof(Hart, reach.store_span) : offsetof(Hart, reach.load_span));
  as.address(Width::wide, second_scratch, {address, offset});
  as.alu(Alu::sub, Width::wide, second_scratch, floor);
  as.alu(Alu::cmp, Width::wide, second_scratch, span);
  as.jump_if(If::not_below, label);
  if (count <= 8) return;
  as.alu(Alu::add, Width::wide, second_scratch, static_cast<std::int32_t>(count - 8));
  as.alu(Alu::cmp, Width::wide, second_scratch, span);
  as.jump_if(If::not_below, label);
}

void BlockWriter::meaning_at(Label& label, unsigned done) {
  if (label.jumps.empty()) return;
  Detour& detour = detours_.emplace_back();
  detour.begin = std::move(label);
  detour.instruction = index_;
  detour.done = done;
}

// --- Into the chain and out of it

// run(hart, chain, entry), and where blocks jump to in the end.
void Translator::write_frame() {
  using W = BlockWriter;
  constexpr Reg saved[] = {Reg::bp, Reg::bx, Reg::r12, Reg::r13, Reg::r14, Reg::r15};
  const std::pair<Reg, std::int32_t> account[] = {{W::last_step, offsetof(Chain, last)},
                                                  {W::cycles, offsetof(Chain, cycles)},
                                                  {W::budget, offsetof(Chain, budget)},
                                                  {W::tally, offsetof(Chain, tally)}};
  Assembler in, out;
  for (const Reg r : saved) in.push(r);
  in.alu(Alu::sub, Width::wide, Operand(Reg::sp), frame_bytes);
  in.store(8, {Reg::sp, chain_on_stack}, Reg::si);
  in.address(Width::wide, Reg::bp, {Reg::di, hart_offset});
  in.move(Width::wide, Reg::bx, in_hart(offsetof(Hart, reach.bias)));
  for (const auto& [r, offset] : account) in.move(Width::wide, r, Place{Reg::si, offset});
  in.jump(Reg::dx);

  out.move(Width::wide, Reg::si, Place{Reg::sp, chain_on_stack});
  for (const auto& [r, offset] : account) out.store(8, {Reg::si, offset}, r);
  out.end_vectors();
  out.alu(Alu::add, Width::wide, Operand(Reg::sp), frame_bytes);
  for (auto r = std::rbegin(saved); r != std::rend(saved); ++r) out.pop(*r);
  out.ret();
  run_ = reinterpret_cast<decltype(run_)>(const_cast<void*>(store_.add(in.code())));
  leave_ = store_.add(out.code());
}

Label& BlockWriter::way_out(std::uint64_t pc, bool accounted, std::atomic<const void*>* link) {
  return ways_out_.emplace_back(Label{}, pc, accounted, link).begin;
}

void BlockWriter::go_on() {
  left_ = true;
  account(0, next_pc_);
}
// A jump to the instruction behind it is no jump for the pipeline.
void BlockWriter::jump_to(std::uint64_t target) {
  left_ = true;
  account(target == next_pc_ ? 0 : 1, target);
}

// The target waits in the hart's pc while the account is made.
void BlockWriter::jump_to_scratch() {
  left_ = true;
  as.store(8, in_hart(offsetof(Hart, pc)), scratch);
  account(1, in_pc);
}

// The step that has followed before, if it is this block's; then its cycles, its tally and the budget; then
// the next block.
void BlockWriter::account(unsigned way, std::uint64_t target) {
  const auto of_step = [](std::size_t offset) { return static_cast<std::int32_t>(offset); };
  Label& unaccounted = way_out(target, false);
  if (last_is_called_) return as.jump(unaccounted);
  if (target == in_pc) {
    as.set(second_scratch, next_pc_);
    as.alu(Alu::cmp, Width::wide, second_scratch, scratch);
    as.jump_if(If::equal, unaccounted);
  }
  as.move(Width::wide, scratch, Place{last_step, of_step(offsetof(Step, next) + 8 * way)});
  as.test(Width::wide, scratch, scratch);
  as.jump_if(If::equal, unaccounted);
  const auto expect = [&](std::size_t offset, std::uint64_t value) {
    as.set(second_scratch, value);
    as.alu(Alu::cmp, Width::wide, second_scratch, Place{scratch, of_step(offset)});
    as.jump_if(If::not_equal, unaccounted);
  };
  expect(offsetof(Step, block), reinterpret_cast<std::uintptr_t>(key_.block));
  if (vectors.any) expect(offsetof(Step, config), key_.config);

  static_assert(tallies == 256 && sizeof(Tally) == 16);
  as.load(1, false, second_scratch, Place{scratch, of_step(offsetof(Step, number))});
  as.shift(Shift::left, Width::word, second_scratch, 4);
  const Place tallied{tally, offsetof(Tally, step), second_scratch},
      times{tally, offsetof(Tally, times), second_scratch};
  as.alu(Alu::cmp, Width::wide, scratch, tallied);
  as.jump_if(If::not_equal, unaccounted);
  as.alu(Alu::add, Width::wide, times, 1);
  as.alu(Alu::add, Width::wide, cycles, Place{scratch, of_step(offsetof(Step, cycles))});
  as.move(Width::wide, last_step, scratch);
  as.alu(Alu::sub, Width::wide, budget, static_cast<std::int32_t>(block_.count));
  as.jump_if(If::not_greater, way_out(target, true));

  if (target == in_pc) return jump_to_landing();
  std::atomic<const void*>& link = translator_.links_.emplace_back(nullptr);
  as.set_address(second_scratch, &link);
  as.move(Width::wide, scratch, Place{second_scratch});
  as.test(Width::wide, scratch, scratch);
  as.jump_if(If::equal, way_out(target, true, &link));
  as.jump(scratch);
}

void BlockWriter::jump_to_landing() {
  using Landing = Translator::Landing;
  Label& not_here = way_out(in_pc, true);
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

void BlockWriter::leave_chain() {
  as.set_address(scratch, translator_.leave_);
  as.jump(scratch);
}

void BlockWriter::ways_out() {
  const Place chain{Reg::sp, chain_on_stack};
  for (WayOut& way : ways_out_) {
    as.bind(way.begin);
    if (way.pc != in_pc) {
      as.set(scratch, way.pc);
      as.store(8, in_hart(offsetof(Hart, pc)), scratch);
    }
    if (!way.accounted || way.link != nullptr) {
      as.move(Width::wide, second_scratch, chain);
      as.set_address(scratch, way.accounted ? static_cast<const void*>(way.link) : key_.owner);
      const std::size_t field = way.accounted ? offsetof(Chain, link) : offsetof(Chain, unaccounted);
      as.store(8, Place{second_scratch, static_cast<std::int32_t>(field)}, scratch);
    }
    leave_chain();
  }
}

// --- One instruction after the other

// A meaning returns nullptr when it has ended the block.
void BlockWriter::call_meaning(std::uint32_t index) {
  std::array<Decoded, 2>& pair = translator_.called_.emplace_back();
  pair = {block_.code[index], block_.code[index + 1]};
  pair[1].execute = back;
  as.address(Width::wide, Reg::di, {Reg::bp, -hart_offset});
  as.set_address(Reg::si, pair.data());
  as.call(reinterpret_cast<const void*>(pair[0].execute));
  as.test(Width::wide, Reg::ax, Reg::ax);
  as.jump_if(If::equal, stops_[index]);
}

void BlockWriter::instruction(std::uint32_t index) {
  index_ = index;
  const Decoded& d = block_.code[index];
  next_pc_ += d.length;
  const std::size_t first_detour = detours_.size();
  for (Held& held : held_) held.pinned = false;
  const Emit* emit = find_emitter(*d.row);
  const bool without_effect = d.execute != d.row->execute;
  if (without_effect) return;
  if (emit == nullptr || !(*emit)(*this, d)) {
    call_meaning(index);
    held_ = {};
    // It may have stopped the hart, or changed what the node accounts by.
    last_is_called_ = d.row->unit == isa::Unit::system || d.row->unit == isa::Unit::transfer;
  }
  for (std::size_t i = first_detour; i < detours_.size(); ++i) {
    detours_[i].held = held_;
    as.bind(detours_[i].back);
  }
}

void BlockWriter::detours() {
  for (Detour& detour : detours_) {
    as.bind(detour.begin);
    if (detour.done != 0) {
      const bool rows = block_.code[detour.instruction].row->unit == isa::Unit::matrix;
      const auto done = static_cast<std::int32_t>(detour.done);
      rows ? as.store(1, in_hart(offsetof(Hart, tile_first)), done)
           : as.store(8, in_hart(offsetof(Hart, vstart)), done);
    }
    call_meaning(detour.instruction);
    for (std::size_t i = 0; i < pool.size(); ++i) {
      const unsigned r = detour.held[i].x;
      if (r != nothing) r == 0 ? as.set(pool[i], 0) : as.move(Width::wide, pool[i], x(r));
    }
    as.jump(detour.back);
  }
  for (std::uint32_t i = 0; i < block_.count; ++i) {
    if (stops_[i].jumps.empty()) continue;
    as.bind(stops_[i]);
    as.set_address(scratch, &block_.code[i]);
    as.store(8, in_hart(offsetof(Hart, trapped_at)), scratch);
    as.jump(way_out(in_pc, false));
  }
}

// Whoever links to this block does not know the configuration it will be reached in.
void BlockWriter::check_configuration() {
  Label& other = way_out(block_.pc, true);
  const auto expect = [&](std::size_t offset, std::uint64_t value) {
    as.set(second_scratch, value);
    as.alu(Alu::cmp, Width::wide, second_scratch, in_hart(offset));
    as.jump_if(If::not_equal, other);
  };
  expect(offsetof(Hart, vl), vectors.vl);
  expect(offsetof(Hart, vtype), vectors.vtype);
}

void BlockWriter::write() {
  next_pc_ = block_.pc;
  if (vectors.any) check_configuration();
  for (std::uint32_t i = 0; i < block_.count; ++i) instruction(i);
  if (!left_) go_on();
  detours();
  ways_out();
}

}  // namespace dojo::translate
