// What the compiler decided, an entry for each top-level step of a program: who does it, on what, what it
// takes of SRAM, what it moves, and about how long it will take. For people (report/explanation.h) and tests.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "codegen/emit.h"
#include "machine/machine.h"

namespace dojo::codegen {

// Whose the elements are that a step works on.
enum class Sharing : std::uint8_t {
  samples,      // each node computes its own samples
  partial_sum,  // each node its own samples, and the result is summed over the nodes afterwards
  shards,       // each node its shard of parameters and of what has their shape
  alike,        // every node computes the same
  rows,         // a weight is gathered, or its gradient scattered, some rows of it at a time
  tiles,        // tensors lie in HBM, and the nodes share the tiles of the op
  records,      // what the host gives and takes
  collective,   // nothing is computed but sums of what the nodes exchange
};

struct StepAccount {
  unsigned id = 0;           // as in the plan file and the ledger
  std::string name, origin;  // of the op; of others the first tensor and ""
  std::string kind;  // a compute step's kernel (kind_of()); "fetch", "store", "gather", "reduce-scatter"...
  Sharing sharing = Sharing::alike;
  std::vector<std::pair<std::string, std::int64_t>> box;   // one node's, or one tile's: axis, extent
  std::vector<std::pair<std::string, std::int64_t>> cuts;  // of a tiled step: axis, pieces
  std::int64_t tiles = 1;                                  // of all nodes together
  std::int64_t turns = 1;            // that one tile, or the step, takes one after the other
  std::vector<std::string> tensors;  // operands, then the result: "NAME FORMAT [shape]"
  std::vector<std::string> formats;  // of operands and then the result, each once
  // Bytes of a node: of what the step touches, with its kernel's scratch; of all that is alive meanwhile.
  std::uint64_t sram_bytes = 0, alive_bytes = 0;
  // Bytes that the busiest node exchanges with HBM, and puts for other nodes.
  std::uint64_t hbm_bytes = 0, network_bytes = 0;
  std::uint64_t multiply_adds = 0;  // of the busiest node
  // Estimated cycles of the busiest node (lowering/op_rates.h), without waiting for others.
  double compute_cycles = 0, transfer_cycles = 0;
  double cycles() const { return compute_cycles + transfer_cycles; }
};

std::vector<StepAccount> account_of(const PlannedProgram& planned, const machine::Machine& machine);

}  // namespace dojo::codegen
