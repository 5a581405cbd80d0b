// The bricks of translated code: registers, memory, the slow path to an instruction's semantics, and the
// account that is kept from block to block.
//
// A few of the hart's x registers, and pieces of its vector registers, each as long as a vector of the host,
// are also held in host registers, from their first use on and until semantics are called. What is written
// stays in its host register alone ("dirty") until that is wanted for something else, semantics are called or
// the code is left.
//
// A writer writes one block, or a trace: blocks in the order in which they were once run, see `write_trace`.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>

#include "isa/block.h"
#include "translate/assembler.h"
#include "translate/translator.h"

namespace dojo::translate {

class CodeWriter {
public:
  CodeWriter(Translator& translator, HostVectors kind, unsigned vlen_bits);

  // One block: what begins at `head` may take over on entry.
  void write_block(const TraceBlock& block, TraceHead& head);
  // Blocks that follow one another, from the state and configuration in which the first was entered. If it
  // `loops`, the last leads to the first in the same state. `first_count`: of Account::times, one for each
  // block.
  void write_trace(std::span<const TraceBlock> blocks, bool loops, std::uint32_t first_count);
  // One block as a turn among those of other harts (turns.h).
  void write_turn(const TraceBlock& block);
  std::span<const std::uint8_t> code() const { return as.code(); }

  // --- For the emitters of single instructions

  Assembler as;
  // The present block's configuration.
  const Vectors& vectors() const { return block_->vectors; }
  const unsigned vlen_bits;
  static constexpr Reg scratch = Reg::ax, second_scratch = Reg::cx;

  // Holds x[r]; valid until the instruction ends.
  Reg read(unsigned r);
  // Will hold x[r]: compute into it. It differs from every register read so far, which keep their values.
  Reg write(unsigned r);

  // Vector registers that hold nothing from one instruction to the next.
  static constexpr Vec scratch_vector{0}, second_scratch_vector{1};
  // Holds this piece of the vector registers, or nothing yet; kept until `release` or the instruction's end.
  Vec piece(unsigned number);
  std::optional<Vec> held_piece(unsigned number) const;  // if it is held already
  Vec fresh();
  Vec copy_of(unsigned number);  // in a fresh register
  void release(Vec v);
  // From now on the piece is what is in v, which `fresh` gave.
  void becomes(unsigned number, Vec v);
  // The piece is not wanted soon: the hart holds it from now on, and its register is the next to be taken.
  void let_go(unsigned number);
  // Whether so many pieces in turn would push each other out of the host's registers.
  bool are_too_many(unsigned pieces) const { return 2 * pieces > as.vector_count() - first_vector; }
  // Of the pieces from `first` on: the hart's memory holds them, too; no host register holds them any more.
  void write_back(unsigned first, unsigned count);
  void forget(unsigned first, unsigned count);
  // The piece that register r begins, if one begins there.
  std::optional<unsigned> first_piece(unsigned r) const;
  unsigned piece_bytes() const { return as.vector_bytes(); }
  unsigned pieces_in_register() const {
    return vlen_bits / 8 > piece_bytes() ? vlen_bits / 8 / piece_bytes() : 1;
  }

  static Mem x(unsigned r);
  static Mem f(unsigned r, unsigned byte = 0);
  Mem v(unsigned r, unsigned byte = 0) const;  // after write_back
  static Mem frm();
  static Mem vector_length();
  static Mem vector_type();
  static Mem vector_settings();  // of 8 bytes: Hart::sew to Hart::tile_k
  Mem tile(unsigned number, unsigned row, unsigned byte = 0) const;
  static Mem buffer(unsigned byte);                           // 256 bytes of nobody's
  static Mem bytes_at(Reg address, std::int32_t offset = 0);  // of the hart's memory

  // What the buffer holds of the vector registers, by a name that its user chooses, since then unchanged.
  struct Buffered {
    std::uint64_t name = 0;
    std::array<unsigned, 4> pieces{};  // that it was made from
    unsigned count = 0;
  };
  bool is_buffered(std::uint64_t name) const { return buffered_ && buffered_->name == name; }
  void set_buffered(const std::optional<Buffered>& buffered) { buffered_ = buffered; }

  // Of the present instruction: calls its semantics, out of line, and goes on behind it. Elements (rows of a
  // tile) below `done` are finished already, and what has become of pieces until now belongs to them. Ask at
  // the place of the jump.
  Label& slow_path(unsigned done = 0);
  // Jumps to `refused` unless `count` bytes at `address` may be read (written). Uses both scratch registers.
  void check(Reg address, std::int32_t offset, unsigned count, bool is_store, Label& refused);

  // What is known when the code is written: whether f[r] holds a boxed single; what vtype and vl are.
  bool is_boxed(unsigned r) const { return (boxed_ >> r & 1) != 0; }
  void set_boxed(unsigned r, bool boxed);
  std::optional<std::uint64_t> known_vtype() const { return vtype_; }
  std::optional<std::uint64_t> known_vl() const { return vl_; }
  void set_known(std::optional<std::uint64_t> vtype, std::optional<std::uint64_t> vl);

  // Ends the block: to the instruction behind it; to `target`, if the flags say so, or behind it; to
  // `target`; to the address in `scratch`.
  void go_on();
  void branch(Condition condition, std::uint64_t target);
  void jump_to(std::uint64_t target);
  void jump_to_scratch();
  std::uint64_t next_pc() const { return next_pc_; }

private:
  friend class Translator;
  // Hold across the whole chain, beside bp (the hart) and bx (its memory).
  static constexpr Reg last_transition = Reg::r12, cycles = Reg::r13, budget = Reg::r14,
                       account_pointer = Reg::r15;
  static constexpr std::array<Reg, 7> pool = {Reg::dx, Reg::si,  Reg::di, Reg::r8,
                                              Reg::r9, Reg::r10, Reg::r11};
  static constexpr std::uint8_t nothing = 255;
  static constexpr unsigned first_vector = 2, most_vectors = 32;
  struct Held {
    std::uint8_t x = nothing;
    bool dirty = false, pinned = false;  // pinned: the present instruction uses it
    std::uint32_t used = 0;
  };
  struct HeldPiece {
    std::uint8_t number = nothing;
    bool dirty = false, pinned = false;
    std::uint32_t used = 0;
  };
  // What host registers hold.
  struct Registers {
    std::array<Held, 7> x;
    std::array<HeldPiece, most_vectors> pieces;
  };
  struct SlowPath {
    Label begin;
    const isa::Decoded* instruction;
    std::size_t block;
    unsigned done;
    Label back;
    Registers before, after;
  };
  // Where the semantics of an instruction have ended the block: it has stopped the hart.
  struct StopExit {
    Label begin;
    const isa::Decoded* instruction;
    std::size_t block;
  };
  // Out of a trace, when `block` is left in another way than it was once, has not begun because it is reached
  // in another configuration, or has ended the trace and may not run it again. `target` in_pc: it waits in
  // `scratch`.
  enum class Why : std::uint8_t { other_way, other_configuration, no_budget };
  struct SideExit {
    Label begin;
    Why why;
    std::size_t block;
    unsigned way;
    std::uint64_t target;
    Registers held;
  };
  // An exit from the chain: what a field of Chain then says, if any (of a turn: whether it has begun). `pc`
  // in_pc: the hart's pc is set already.
  struct ChainExit {
    Label begin;
    std::uint64_t pc;
    std::size_t field;
    const void* value;  // nullptr: no field
  };

  // code_writer.cpp
  void write_instructions(std::size_t index);
  void instruction(const isa::Decoded& d);
  void call_semantics(const isa::Decoded& d, std::size_t block);
  void write_slow_paths();
  void write_stop_exits();
  // registers.cpp
  std::size_t take();
  std::size_t take_vector();
  Mem in_hart_of(unsigned piece) const;
  void changes(unsigned first, unsigned count);
  void store_dirty(const Registers& held);
  void load_held(const Registers& held);
  void conform(const Registers& wanted);
  // account.cpp
  void check_configuration(Label& other);
  void begin_block(TraceHead& head);
  void begin_trace();
  void end_trace(bool loops, const Registers* top);
  void account(const TraceBlock& block, unsigned way, std::uint64_t target);
  void account_blocks(std::size_t count);
  void leave_block(unsigned way, std::uint64_t target);
  void go_to(std::uint64_t target);
  void jump_by_cache();
  void write_side_exits();
  void write_chain_exits();
  void leave_chain();
  // turns.cpp
  void end_turn(unsigned way, std::uint64_t target);
  Label& side_exit(Why why, unsigned way, std::uint64_t target);
  Label& chain_exit(std::uint64_t pc, std::size_t field = 0, const void* value = nullptr);

  Translator& translator_;
  std::span<const TraceBlock> blocks_;
  const TraceBlock* block_ = nullptr;
  bool is_trace_ = false, is_turn_ = false;
  std::uint32_t first_count_ = 0;
  const isa::Decoded* instruction_ = nullptr;
  std::uint64_t next_pc_ = 0;
  Registers held_;
  std::uint32_t now_ = 0;  // instructions written, for `used`
  std::uint32_t boxed_ = 0;
  std::optional<std::uint64_t> vtype_, vl_;
  std::optional<Buffered> buffered_;
  bool left_ = false, last_is_called_ = false;
  std::deque<SlowPath> slow_paths_;
  std::deque<StopExit> stop_exits_;
  std::deque<SideExit> side_exits_;
  std::deque<ChainExit> chain_exits_;
};

// Writes one instruction; false if it would rather have its semantics called, and has written nothing.
using Emit = std::function<bool(CodeWriter&, const isa::Decoded&)>;
const Emit* find_emitter(const isa::Row& row);

}  // namespace dojo::translate
