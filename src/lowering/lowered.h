// The lowered program: what every node does, in order, on its own buffers. It defines the bits of a run.
//
// All nodes execute the same steps; they differ in their index, their samples and their shards. A compute
// step is one structured operation (graph/ir.h gives its exact meaning, including the order of every
// reduction) on local buffers; collectives add in the ring order of device/dojo.h. The interpreter of this
// list is the definition that the emitted machine code equals bit for bit.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "graph/ir.h"
#include "lowering/layout.h"

namespace dojo::lowering {

using BufferId = std::int32_t;
constexpr BufferId no_buffer = -1;

enum class Storage : std::uint8_t {
  scratch,     // lives from its first to its last step
  persistent,  // a shard in the persistent region
  constant,    // in the program's read-only data
  home,        // whole in HBM, from its first to its last step: one for all nodes
  resident,    // whole in HBM, from launch to launch
};
constexpr bool in_hbm(Storage storage) { return storage == Storage::home || storage == Storage::resident; }

// An affine function of the turns of the loops that a step stands in, outermost first (TilesStep).
struct Origin {
  std::int64_t offset = 0;
  std::vector<std::int64_t> coefficients;
};

struct Buffer {
  std::string name;
  std::vector<std::int64_t> shape;  // local, row-major; [b, ...] for what is spread over the batch
  numerics::Format format = numerics::Format::fp32;
  Storage storage = Storage::scratch;
  std::int64_t capacity =
      0;  // elements allocated: at least the product of shape (collectives pad to nodes * chunk)
  BufferId view_of = no_buffer;  // the same elements under another shape; never a view of a view
  std::vector<float> data;       // of constants, resident ones too

  std::int64_t elements() const;
  std::int64_t elements_apart() const;  // from one to the next where there is room for two
  std::int64_t bytes() const { return capacity * numerics::storage_bytes(format); }
};

// Reads the launch block and this node's records. Fields whose buffer is a home are copied there, each
// sample by its node; then every node waits for all.
struct FetchStep {
  struct Field {
    BufferId buffer;
    std::string name;  // of the record's field
  };
  std::vector<Field> fields;
  std::vector<BufferId> scalars;  // each of shape []; in the launch block's order
  BufferId staging = no_buffer;   // on the way to homes
};

// A structured operation whose TensorIds are BufferIds.
struct ComputeStep {
  graph::StructuredOp op;
  int batch_axis = -1;  // runs over the node's valid samples only
  // Inside a loop over tiles: this axis runs over the rows of the present tile. Accesses to buffers listed in
  // `tile_buffers` see the row within the tile, all others the row of the whole tensor.
  int tile_axis = -1;
  std::int64_t tile_rows = 0;
  std::vector<BufferId> tile_buffers;
  // The output's present elements are the start of the reduction instead of its identity.
  bool accumulate = false;
  // Elements of the output that no point reaches keep what they hold (and are not made 0).
  bool only_reached = false;
  // Within tiles, of an op that reduces over the batch: the sample with which the batch axis begins. Without
  // it the axis runs over the node's own samples.
  std::optional<Origin> first_sample = std::nullopt;
};

// Every element (all of `capacity`) becomes `value`.
struct FillStep {
  BufferId buffer = no_buffer;
  float value = 0;
};

// Shards to whole tensors: each node converts its chunk (of the present tile) to the format of `full`, then
// all chunks go everywhere. More than one member travels in one collective: each node's part is the members'
// chunks, one after the other.
struct GatherStep {
  struct Member {
    BufferId shard, full;
    std::int64_t chunk;
  };
  std::vector<Member> members;
  BufferId staging = no_buffer;  // used with several members
};

// Partial sums on every node to each node's shard (of the present tile) of their sum.
struct ReduceScatterStep {
  struct Member {
    BufferId partial, shard;
    std::int64_t chunk;
  };
  std::vector<Member> members;
  BufferId packed = no_buffer;  // used with several members
  BufferId staging = no_buffer;
};

// Partial sums on every node to their sum on every node.
struct AllReduceStep {
  struct Member {
    BufferId buffer;
    std::int64_t chunk;
  };
  std::vector<Member> members;
  BufferId packed = no_buffer;
  BufferId staging = no_buffer;
};

// This node's shard of a tensor that every node holds.
struct TakeShardStep {
  BufferId full = no_buffer, shard = no_buffer;
  ShardLayout layout;
};

// What lies in a shard behind the elements of its tensor becomes 0.
struct ClearPaddingStep {
  BufferId shard = no_buffer;
  ShardLayout layout;
};

// A box of a whole tensor to a buffer: element i of the buffer is element origin + i of `from`, or `outside`
// where there is none.
struct FetchBoxStep {
  BufferId from = no_buffer;  // in HBM, or a constant
  BufferId buffer = no_buffer;
  std::vector<Origin> origin;  // by dimension
  float outside = 0;
};

// A buffer to a box of a tensor in HBM; what lies beyond the tensor goes nowhere.
struct StoreBoxStep {
  BufferId buffer = no_buffer, to = no_buffer;
  std::vector<Origin> origin;
};

// Puts results into HBM: `per_sample` ones by every node, the others by node 0. A field whose buffer is a
// home is there already.
struct StoreStep {
  struct Field {
    BufferId buffer;
    std::string name;
    bool per_sample;
  };
  std::vector<Field> fields;
};

struct LoopStep;
struct TilesStep;
using Step =
    std::variant<FetchStep, ComputeStep, FillStep, GatherStep, ReduceScatterStep, AllReduceStep,
                 TakeShardStep, ClearPaddingStep, StoreStep, LoopStep, FetchBoxStep, StoreBoxStep, TilesStep>;

// For every tile: the body. Loops do not nest.
struct LoopStep {
  std::string name;
  std::int64_t tiles = 1;
  std::vector<Step> body;
};

// For every tile of a box, one after the other in lexicographic order of the cuts: the body, on buffers that
// say nothing afterwards. `shared`: each tile is done by one node (tile t of T by the node with
// t in [T * node / N, T * (node + 1) / N)), and the step ends when all have done theirs; what a tile stores
// is read by no other. Otherwise the node that meets the step, within a tile, does all of them.
struct TilesStep {
  struct Cut {
    std::string axis;  // for people
    std::int64_t count = 1;
  };
  std::string name;
  std::vector<Cut> cuts;
  bool shared = true;
  std::vector<Step> body;
  // Of shared ones: a node fetches what it needs next, of this tile's next turn or of its next tile, while it
  // computes; every buffer that is fetched has room for two.
  bool ahead = false;

  std::int64_t tiles() const;
};

struct LoweredProgram {
  std::string name;
  LogicalMesh mesh;
  std::int64_t batch = 1, samples_per_node = 1;
  std::vector<Buffer> buffers;
  std::vector<Step> steps;
  std::map<std::string, ShardLayout> shards;  // of the persistent buffers, by name

  const Buffer& at(BufferId id) const { return buffers[static_cast<std::size_t>(id)]; }
  BufferId root(BufferId id) const { return at(id).view_of == no_buffer ? id : at(id).view_of; }
  BufferId find(std::string_view name) const;  // no_buffer if absent
};

// Buffers that a step (loop bodies included) reads or writes, roots only.
std::vector<BufferId> touched(const LoweredProgram& program, const Step& step);

// Its buffers and its steps, a line each, for people and tests (lowered_text.cpp).
std::string to_text(const LoweredProgram& program);

}  // namespace dojo::lowering
