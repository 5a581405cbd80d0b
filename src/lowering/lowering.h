// What lowering knows while it walks a graph (lower.h has the outline): the program so far and where each
// tensor's value lies in it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/index.h"
#include "lowering/access.h"
#include "lowering/lower.h"
#include "lowering/placement.h"

namespace dojo::lowering {

// What a tile loop around one op must do.
struct Tiling {
  int axis = -1;
  bool summed = false;  // the op's result sums over the tiled axis
  ShardLayout layout;
  std::vector<graph::TensorId> parameters;
};

class Lowering {
public:
  Lowering(const graph::Graph& source, unsigned nodes);
  Lowered run();

private:
  // lower.cpp: buffers, start and end, ops in one piece
  BufferId add_buffer(Buffer buffer);
  BufferId scratch(std::string name, Shape shape, numerics::Format format, std::int64_t capacity = 0);
  BufferId staging(std::int64_t chunk);
  Shape local_shape(const graph::Tensor& tensor) const;
  void find_batch();
  void prepare(graph::TensorId id);
  void fetch();
  void store_outputs();
  graph::TensorId gatherable(graph::TensorId id) const;
  bool runs_on_shards(const graph::StructuredOp& op) const;
  std::vector<const graph::Access*> operands(const graph::StructuredOp& op) const;
  void lower_op(const graph::StructuredOp& op);
  void settle(graph::TensorId id);
  BufferId operand(graph::TensorId id);
  bool becomes_view(const graph::StructuredOp& op);
  ComputeStep localise(const graph::StructuredOp& op, const std::map<graph::TensorId, BufferId>& replace);
  bool is_partial(const graph::StructuredOp& op) const;
  BufferId make_output(const graph::StructuredOp& op);
  ShardLayout whole_layout(const graph::Tensor& tensor) const;
  void at_once(const graph::StructuredOp& op);
  ShardLayout layout(graph::TensorId id) const { return shard_layout(graph_.at(id).shape, nodes_); }
  std::int64_t padded(const ShardLayout& shard) const { return shard.chunk * nodes_; }
  Place place_of(graph::TensorId id) const { return placement_.of[at(id)]; }

  // lower_shards.cpp: what is spread over the nodes, and the collectives that spread and gather it
  void gather_small();
  BufferId make_shard(graph::TensorId id);
  void wait_for_scatter(graph::TensorId id, BufferId partial);
  void reduce_whole(graph::TensorId out, BufferId result);
  void reduce_maximum(const graph::StructuredOp& op, BufferId result);
  void flush_reductions();
  BufferId shard_operand(graph::TensorId id);
  void on_shards(const graph::StructuredOp& op);
  ComputeStep shard_step(const graph::StructuredOp& op, std::int64_t elements);
  bool reads_shard(const graph::StructuredOp& op, const graph::Access& access) const;
  bool sums_shards(const graph::StructuredOp& op) const;
  void sum_shards(const graph::StructuredOp& op);
  void finish_updates();
  bool write_in_place(BufferId value, BufferId target);
  graph::StructuredOp shard_copy(graph::TensorId from, BufferId to, const std::string& name) const;
  graph::Access flat_access(BufferId buffer) const { return {buffer, {{{1}, 0}}, 0}; }

  // lower_tiles.cpp: ops on parameters that are gathered a tile at a time
  std::optional<Tiling> find_tiling(const graph::StructuredOp& op);
  int tiled_axis(const graph::StructuredOp& op, const graph::Access& access) const;
  void in_tiles(const graph::StructuredOp& op, const Tiling& tiling);
  void finish_sum(const graph::StructuredOp& op, BufferId sum);
  graph::Access over_output(const graph::StructuredOp& op, const graph::Access& extra,
                            const graph::Access& identity, bool plain) const;

  // lower_rows.cpp: rows of several tiles that are found by computed numbers
  struct RowTiles {
    ShardLayout layout;
    graph::TensorId index;
    BufferId first, rows;  // the tile's first row; the numbers of the rows in it
  };
  bool looks_up_tiles(const graph::StructuredOp& op) const;
  bool adds_to_tiles(const graph::StructuredOp& op) const;
  void look_up_in_tiles(const graph::StructuredOp& op);
  void add_to_tiles(const graph::StructuredOp& op);
  RowTiles row_tiles(const graph::StructuredOp& op, graph::TensorId tiled, std::int32_t from);
  ComputeStep rows_in_tile(const graph::StructuredOp& op, graph::TensorId index, BufferId first,
                           BufferId rows);
  void over_tiles(const graph::StructuredOp& op, const RowTiles& tiles, std::vector<Step> before,
                  std::vector<Step> body);

  graph::Graph graph_;
  Placement placement_;
  unsigned nodes_;
  LoweredProgram program_;
  std::vector<BufferId> buffer_of_;  // by tensor: its local or whole buffer
  std::vector<BufferId> shard_of_;   // by tensor: its shard
  std::set<graph::TensorId> waiting_;
  ReduceScatterStep reduce_scatter_;
  AllReduceStep all_reduce_;
  std::vector<std::string> scalars_;
};

}  // namespace dojo::lowering
