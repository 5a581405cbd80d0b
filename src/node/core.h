// One hardware thread of a node at work: executes its blocks, times them, and counts what they did.
//
// The system above owns the harts, their memory and the clock of the die; a Core owns the pipeline's state of
// one hart between two stops. At every stop other than Stop::none, and behind a read of the clock, the
// pipeline is empty: the next slice starts from an idle pipeline, whenever the system resumes the hart.
// Results, cycles and counts depend on program and data alone, never on host threads: everything that cores
// share (CodeImage, BlockTiming) is a cache of pure functions and may be used from several host threads at
// once.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>

#include "isa/float_host.h"
#include "isa/hart.h"
#include "machine/ledger.h"
#include "machine/machine.h"
#include "node/block_timing.h"
#include "node/counts.h"
#include "node/image.h"
#include "node/smt.h"

namespace dojo::node {

// What translated code asks for; only a CSR instruction or a trap changes it.
inline bool may_run_translated(const isa::Hart& hart) {
  return hart.frm < isa::rmm && hart.vstart == 0 && hart.machine.off == 0;
}

// What happened between two stops of a hart.
struct Slice {
  isa::Stop stop = isa::Stop::none;  // none: the budget ran out, call run again
  std::uint64_t cycles =
      0;  // from the slice's start to the stop (a transfer: until it is handed to the network);
          // with Stop::none to the last issue, the rest is in the next slice. 0 without timing
  std::uint64_t instructions = 0;  // completed; a trapping one is not
  // The register to which the slice's last instruction has read `cycle` or `time`: such a read ends a slice,
  // with Stop::none and an empty pipeline, and whoever owns the clock may put it there. -1: none.
  int clock_register = -1;
  // That of the last block; nullptr if it was of no use for another time (it trapped, or its code may
  // change), and is in the recording instead.
  const Transition* transition = nullptr;
};

// How many instructions a core that uses `image` would run next as one block, if none of them traps.
std::uint32_t block_length(const isa::Hart& hart, CodeImage& image);

class Core {
public:
  // Without timing: same values and counts, no cycles. Both references must outlive the core.
  Core(CodeImage& image, BlockTiming& timing, bool with_timing);

  // Runs until the hart stops or at least `max_instructions` have completed (checked at block ends). Clears
  // hart.stop first; keeps hart.instructions and hart.cycle up to date at block ends: the system may move
  // hart.cycle forward between slices. hart.pc afterwards is the next instruction, or the trapping one.
  Slice run(isa::Hart& hart, std::uint64_t max_instructions);

  // The way of threads that share a node, which come back after every block: runs one block that is
  // translated and goes on to another. Its transition; or nullptr, if there is no such block at hand: then
  // nothing has happened; or the `idle` one, if it went otherwise: then `slice` tells, and `floats` has
  // ended. hart.memory is that of the last run().
  const Transition* run_translated(isa::Hart& hart, isa::FloatTurns& floats, Slice& slice);
  const Transition* idle() const { return start_; }
  // What run_translated asks before it runs a translated block, of a hart under this op.
  bool takes_turns(const isa::Hart& hart, std::uint32_t op) const {
    return current_ != nullptr && recording_ == nullptr && hart.op == op && current_op_ == op &&
           may_run_translated(hart);
  }
  // A block that has been run by others: so many times, as this transition; or once and not as expected,
  // which one that was or, if it is the `idle` one, what `slice` tells.
  void add(isa::Hart& hart, const Transition& transition, std::uint64_t times);
  const Transition* left(isa::Hart& hart, isa::FloatTurns& floats, Slice& slice,
                         const Translation& translation);

  // Another image of the same text from now on: whole blocks or single instructions, with the same cycles and
  // counts. It must live as long as the BlockTiming, which remembers its blocks by their address.
  void use(CodeImage& image) {
    settle();
    image_ = &image;
  }

  // From now on notes down every block it runs, for a profile; nullptr: no more. The recording
  // must outlive its use here.
  void record(Recording* recording) { recording_ = unshared_ = recording; }
  // The same of those blocks only that no Slice::transition tells of: the others may run translated.
  void record_unshared(Recording* recording) { unshared_ = recording; }

  // Everything counted so far, by plan op (hart.op). Cycles of waiting in the network are the system's to
  // add.
  const std::map<std::uint32_t, Counts>& counts();
  // The same as ledger rows of `part` (docs/notes/004), zeros left out.
  void add_to(machine::Ledger& ledger, std::string_view part);

private:
  void run_blocks(isa::Hart& hart, Slice& slice, std::uint64_t max_instructions);
  void run_ordinary(isa::Hart& hart, Slice& slice, const CodeBlock* block, std::uint64_t max_instructions);
  void run_block(isa::Hart& hart, Slice& slice, const CodeBlock& block);
  void finish(isa::Hart& hart, Slice& slice, const CodeBlock& block, ConfigWord config);
  void run_unshared(isa::Hart& hart, Slice& slice);
  const CodeBlock* block_after(const Transition& last, const isa::Hart& hart);
  void change_op(const isa::Hart& hart);
  void add_once(Slice& slice, const isa::Block& block, std::uint32_t completed, const Config& config,
                Exit exit);
  void settle();
  void settle_account(isa::Hart& hart, const Slice& slice);

  CodeImage* image_;
  BlockTiming& timing_;
  const Transition* last_;   // how the previous block ended, or of no block
  const Transition* start_;  // the empty pipeline
  std::map<std::uint32_t, Counts> counts_;
  Recording *recording_ = nullptr, *unshared_ = nullptr;
  Slice accounted_;            // what hart.instructions and hart.cycle hold of the present slice
  Counts* current_ = nullptr;  // counts_ of hart.op
  // How often transitions happened that current_ does not hold yet: adding one to a number is cheaper than
  // adding a row of counters. Direct-mapped by number.
  using Times = translate::TransitionCount;
  void count(const Transition& transition, std::uint64_t times = 1);
  void replace(Times& slot, const Transition& transition);
  translate::Account unsettled_;
  std::uint32_t current_op_ = 0;
};

}  // namespace dojo::node
