// The fast pipeline: one running thread, instruction by instruction instead of cycle by cycle.
//
// Because a thread passes and begins its instructions in order, and nothing depends on addresses, the cycle
// of each follows from the ready times that earlier ones left behind. Equal to pipeline_reference.h in every
// cycle and every cause; the tests compare them. What it remembers can be taken out relative to the present
// cycle (PipelineState), so that equal states compare equal.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "isa/block.h"
#include "machine/machine.h"
#include "node/block_timing.h"
#include "node/cost.h"
#include "node/counts.h"
#include "node/pipeline_reference.h"

namespace dojo::node {

// All that the future can depend on, relative to the present cycle, without what has become irrelevant.
// Empty: an idle pipeline.
struct PipelineState {
  std::vector<std::uint32_t> words;
  auto operator<=>(const PipelineState&) const = default;
};

// The first `count` instructions of `block`, timed; the last one carries `exit`. With Exit::trapped one more
// stands for the instruction that was not completed.
std::vector<TimedInstruction> timed_instructions(const isa::Block& block, std::uint32_t count,
                                                 const Config& config, Exit exit, const machine::Node& node);

class Pipeline {
public:
  explicit Pipeline(const machine::Node& node) : node_(node) {}
  Pipeline(const machine::Node& node, const PipelineState& state);

  // After Exit::stopped the pipeline is empty again, and now() is the cycle after the stop has been paid for.
  void add(const TimedInstruction& instruction);

  Cycle now() const { return now_; }                // of the last instruction passed on; 0 at first
  const Counts& counts() const { return counts_; }  // causes of cycles 0 .. now() - 1
  PipelineState state() const;

  // When the latest instruction left the front end and began to execute.
  ReferencePipeline::Times last() const { return last_; }

private:
  // Of the scoreboard: first those that the front end compares with its cycle, then those of the vector
  // engine, one cycle later.
  // clang-format off
  enum Entry : unsigned {
    x = 0, f = 32, config = 64, done, front_ready, divider,
    vector_entries, v_first = vector_entries, v_last = v_first + 32, t_forward = v_last + 32, t_ready = t_forward + 4,
    simd = t_ready + 4, matrix, load, store = load + 4, vector_issued = store + 4, entries,
  };
  // clang-format on
  struct Used {  // of the present cycle; `vector`: of cycle scoreboard_[vector_issued]
    std::uint32_t decode = 0, bytes = 0, scalar = 0, alus = 0, address_units = 0, load_path = 0,
                  store_path = 0, vector = 0;
  };
  struct Waiting {  // a vector instruction that has not begun at now_: why, until when
    Cycle operands = 0, pipes = 0, issue = 0;
  };

  Cycle operands_from(const Cost& cost) const;
  bool fits(const Cost& cost) const;
  void take_slots(const Cost& cost);
  void advance(Cycle to, Cycle front_operands);
  Cause cause_of(Cycle cycle, Cycle front_operands) const;
  void begin_vector(const Cost& cost);
  void set_results(const Cost& cost, Cycle ready);
  void stop(Cycle cost);

  const machine::Node& node_;
  Cycle now_ = 0;
  std::array<Cycle, entries> scoreboard_{};
  Used used_;
  std::vector<Waiting> queue_;  // in order
  Counts counts_;
  ReferencePipeline::Times last_;
};

}  // namespace dojo::node
