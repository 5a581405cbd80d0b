// Where the cycles of threads went, instruction by instruction: exact, for it goes through every block that
// they ran with the pipeline's own model.
//
// A cycle belongs to the instruction that passed on at its end: what an instruction waited for is counted
// there, and the sum over all is what the launch counts. A vector instruction passes on when it enters the
// queue, so what it makes others wait for is counted where they wait.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "machine/machine.h"
#include "node/counts.h"
#include "node/pipeline.h"
#include "node/smt.h"

namespace dojo::node {

struct AddressCounts {
  std::uint64_t instructions = 0;
  std::array<std::uint64_t, causes> cycles{};  // by Cause
};

class Profiler {
public:
  Profiler(const machine::Node& node, std::size_t threads);

  // What a thread ran since its last call, in order. Blocks of the shared text must outlive the profiler.
  void add(std::size_t thread, const Recording& recording);
  // By address of the instruction.
  std::map<std::uint64_t, AddressCounts> counts_by_address() const;

private:
  struct Visit {  // a block, entered with a pipeline's state and left in one way
    const PipelineState* from;
    const isa::Block* block;
    Config config;
    Exit exit;
    const PipelineState* to = nullptr;
    std::uint64_t times = 0;
  };
  using CountsByAddress = std::map<std::uint64_t, AddressCounts>;

  Visit& visit(const PipelineState* from, const RecordedBlock& ran);
  // Goes through the block once; what it costs counts `times`-fold.
  static void attribute(Pipeline& pipeline, const RecordedBlock& ran, const machine::Node& node,
                        std::uint64_t times, CountsByAddress& counts);

  machine::Node node_;
  std::set<PipelineState> states_;
  std::vector<const PipelineState*> present_;  // by thread
  std::deque<Visit> visits_;
  std::unordered_multimap<std::uint64_t, Visit*> visits_by_hash_;
  CountsByAddress once_;  // of code that is not shared
};

}  // namespace dojo::node
