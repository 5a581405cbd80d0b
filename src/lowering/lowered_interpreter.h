// Runs a lowered program for all its nodes, slowly and obviously: the definition of the bits that the emitted
// programs produce.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lowering/lowered.h"

namespace dojo::lowering {

class LoweredInterpreter {
public:
  // Keeps a reference to the program. All buffers start as zeros, constants as their data.
  explicit LoweredInterpreter(const LoweredProgram& program);

  // Persistent tensors, by name and whole; kept from run to run.
  void set_persistent(const Tensors& tensors);
  Tensors persistent() const;

  // One launch. `samples`: by field name, [valid][elements of a sample], valid <= batch; `scalars`: by name.
  void run(const Tensors& samples, std::int64_t valid, const Tensors& scalars);

  // What the last run stored: per-sample results hold valid samples.
  const Tensors& results() const { return results_; }
  // A buffer of one node, for finding where two executions part.
  const std::vector<float>& value(unsigned node, BufferId buffer) const {
    return nodes_[node][static_cast<std::size_t>(buffer)];
  }

private:
  using Values = std::vector<std::vector<float>>;  // by buffer; elements rounded to the buffer's format

  void run_step(const Step& step, std::int64_t tile);
  void fetch(const FetchStep& step);
  void compute(const ComputeStep& step, unsigned node, std::int64_t tile);
  void gather(const GatherStep& step, std::int64_t tile);
  void reduce_scatter(const ReduceScatterStep& step, std::int64_t tile);
  void all_reduce(const AllReduceStep& step);
  void take_shard(const TakeShardStep& step);
  void clear_padding(const ClearPaddingStep& step);
  void store(const StoreStep& step);
  // box_interpreter.cpp
  void tiles(const TilesStep& step);
  void fetch_box(const FetchBoxStep& step);
  void store_box(const StoreBoxStep& step);
  std::int64_t at_turn(const Origin& origin) const;
  std::vector<std::int64_t> at_turn(const std::vector<Origin>& origins) const;
  std::vector<float>& at(unsigned node, BufferId buffer);
  std::int64_t valid_on(unsigned node) const;
  float sum_over_nodes(BufferId buffer, unsigned owner, std::size_t element);

  const LoweredProgram& program_;
  std::vector<Values> nodes_;        // what lies in HBM is node 0's
  bool in_tiles_ = false;            // the program has homes: buffers of tiles exist while their step runs
  std::vector<std::int64_t> turns_;  // of the loops over tiles, outermost first
  std::int64_t valid_ = 0;
  const Tensors* samples_ = nullptr;
  const Tensors* scalars_ = nullptr;
  Tensors results_;
};

}  // namespace dojo::lowering
