// The bricks of a translated block: registers, memory, and the way to an instruction's meaning.
//
// The hart's x registers stay in the hart; a few of them are also held in host registers, from their first
// use on and until a meaning is called. Every write goes to the hart at once, so there is nothing to save
// when a block is left in its middle.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>

#include "isa/block.h"
#include "translate/assembler.h"
#include "translate/translator.h"

namespace dojo::translate {

class BlockWriter {
public:
  BlockWriter(const isa::Block& block, const Vectors& vectors, const Key& key, Translator& translator);

  // Writes the whole block: code().
  void write();
  std::span<const std::uint8_t> code() const { return as.code(); }

  // --- For the emitters of single instructions

  Assembler as;
  const Vectors vectors;
  static constexpr Reg scratch = Reg::ax, second_scratch = Reg::cx;

  // Holds x[r]; valid until the instruction ends.
  Reg read(unsigned r);
  // Will hold x[r]: compute into it, then `written(r)`. It differs from every register read so far, which
  // keep their values.
  Reg write(unsigned r);
  void written(unsigned r);

  static Place x(unsigned r);
  static Place f(unsigned r, unsigned byte = 0);
  Place v(unsigned r, unsigned byte = 0) const;
  static Place frm();
  Place tile(unsigned number, unsigned row, unsigned byte = 0) const;
  static Place buffer(unsigned byte);                           // 256 bytes of nobody's
  static Place bytes_at(Reg address, std::int32_t offset = 0);  // of the hart's memory

  // Jumps to `label` unless `count` bytes at `address` may be read (written). Uses both scratch registers.
  void check(Reg address, std::int32_t offset, unsigned count, bool is_store, Label& label);
  // The sum of x[r] and an immediate: a register that was read, or scratch.
  Reg effective_address(unsigned r, std::int64_t immediate);

  // Code for later, out of the way: bound to `label`, it runs the present instruction's meaning and comes
  // back behind the instruction. The registers held are those at the instruction's end. Elements (rows of a
  // tile) below `done` are finished already.
  void meaning_at(Label& label, unsigned done = 0);

  // Ends the block: to the instruction behind it, to `target`, to the address in `scratch`.
  void go_on();
  void jump_to(std::uint64_t target);
  void jump_to_scratch();
  std::uint64_t next_pc() const { return next_pc_; }

private:
  friend class Translator;
  // Hold across the whole chain, beside bp (the hart) and bx (its memory).
  static constexpr Reg last_step = Reg::r12, cycles = Reg::r13, budget = Reg::r14, tally = Reg::r15;
  static constexpr std::array<Reg, 7> pool = {Reg::dx, Reg::si,  Reg::di, Reg::r8,
                                              Reg::r9, Reg::r10, Reg::r11};
  static constexpr std::uint8_t nothing = 255;
  struct Held {
    std::uint8_t x = nothing;
    bool pinned = false;  // the present instruction uses it
  };
  using Registers = std::array<Held, pool.size()>;
  struct Detour {
    Label begin;
    std::uint32_t instruction;
    unsigned done;
    Label back;
    Registers held;
  };
  // A way out of the chain, with what has happened then; pc odd: the hart's pc is set already.
  struct WayOut {
    Label begin;
    std::uint64_t pc;
    bool accounted;
    std::atomic<const void*>* link;  // nullptr: none
  };

  std::size_t take();
  void instruction(std::uint32_t index);
  void call_meaning(std::uint32_t index);
  void check_configuration();
  void account(unsigned way, std::uint64_t target);
  void jump_to_landing();
  void detours();
  void ways_out();
  void leave_chain();
  Label& way_out(std::uint64_t pc, bool accounted, std::atomic<const void*>* link = nullptr);

  const isa::Block& block_;
  const Key key_;
  Translator& translator_;
  Registers held_;
  std::deque<Detour> detours_;
  std::deque<WayOut> ways_out_;
  std::array<Label, isa::max_block> stops_;  // where the meaning of instruction i has ended the block
  std::uint32_t index_ = 0;
  std::uint64_t next_pc_ = 0;
  std::size_t next_victim_ = 0;
  bool left_ = false, last_is_called_ = false;
};

// Writes one instruction; false if it would rather have its meaning called, and has written nothing.
using Emit = std::function<bool(BlockWriter&, const isa::Decoded&)>;
const Emit* find_emitter(const isa::Row& row);

}  // namespace dojo::translate
