// Where things lie: the logical mesh, parameters spread over the nodes, and HBM.
//
// A parameter or state (shape S, FP32) lives sharded flat over all nodes. It is cut into tiles of `tile_rows`
// rows of dimension 0; each tile is padded to nodes * chunk elements and is a collective buffer [c][r][chunk]
// (device/dojo.h): element e of a tile belongs to slot e / chunk, and slot c * R + r to node r * C + c. A
// node's shard is its chunk of every tile: [tiles][chunk]. The layout depends on the shape and the node count
// alone, so parameters, gradients and moments of one shape always line up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "machine/address.h"
#include "numerics/format.h"

namespace dojo::lowering {

// All nodes as R rows of C columns: the most square factorisation with R <= C.
struct LogicalMesh {
  unsigned rows = 1, columns = 1;
  unsigned nodes() const { return rows * columns; }
  unsigned slot_of(unsigned node) const { return node % columns * rows + node / columns; }
  unsigned node_of(unsigned slot) const { return slot % rows * columns + slot / rows; }
};
LogicalMesh logical_mesh(unsigned nodes);

// A gathered tile has at most this many elements (unless one row is longer).
constexpr std::int64_t largest_tile_elements = 40960;

struct ShardLayout {
  std::int64_t rows = 1, row_elements = 1;  // dimension 0, and the product of the others
  std::int64_t tile_rows = 1, tiles = 1;
  std::int64_t chunk = 1;  // elements of a tile that one node owns
  std::int64_t shard_elements() const { return tiles * chunk; }
};
ShardLayout shard_layout(const std::vector<std::int64_t>& shape, unsigned nodes);

// A tensor that is spread over the HBMs unit by unit, for `images` of them (dojo::HbmArray in device/dojo.h).
constexpr std::int64_t hbm_unit_bytes = 4096;
ShardLayout interleaved(std::int64_t elements, unsigned images);

struct PersistentTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  ShardLayout shard;
  std::uint64_t offset = 0;         // bytes from the persistent region's start
  std::vector<float> initial = {};  // of what the compiler added (the scales of CFloat8 storage); else empty
};

// Parameters and states as images, one after the other in each. Either a node's image is its persistent
// region, and HBM holds it between programs alone; or (`in_hbm`) the images lie in HBM for good, one in each
// of them, and no node has a region.
struct PersistentLayout {
  LogicalMesh mesh;                  // as many as there are images
  std::uint64_t begin = 0, end = 0;  // of the region, local addresses; the same on every node
  std::vector<PersistentTensor> tensors;
  bool in_hbm = false;
  std::uint64_t image_bytes = 0;
  std::uint64_t bytes() const { return end - begin; }
};

// Gives every tensor (names, shapes and shards set) its place in a region that ends at `end`.
PersistentLayout place_persistent(std::vector<PersistentTensor> tensors, LogicalMesh mesh, std::uint64_t end);
// The same in HBM; a node's local addresses from `end` on are taken.
PersistentLayout place_in_hbm(std::vector<PersistentTensor> tensors, unsigned interfaces, std::uint64_t end);

// Whole tensors (row-major, by name) to the images, and back. A missing tensor starts from its `initial`;
// without one it throws UserError.
using Tensors = std::map<std::string, std::vector<float>>;
std::vector<std::vector<std::byte>> pack_parameters(const PersistentLayout& layout, const Tensors& tensors);
Tensors unpack_parameters(const PersistentLayout& layout, const std::vector<std::vector<std::byte>>& images);

// --- HBM (docs/notes/003) ----------------------------------------------------------------------------------
// One input or label of a sample, or one output of a batch.
struct HbmField {
  std::string name;
  std::vector<std::int64_t> shape;  // of one sample; of the whole value if not per sample
  numerics::Format format = numerics::Format::fp32;
  std::uint64_t offset = 0;  // in the record; for results in HBM 0
  std::uint64_t bytes = 0;   // of one sample
  bool per_sample = true;
};

// Records, and what concerns one node alone, are spread over the interfaces (hbm_share() in
// machine/address.h).
struct HbmLayout {
  unsigned nodes = 1, interfaces = 1;
  std::int64_t samples_per_node = 1;
  // Launch block, written by the host to every interface: u64 step, valid samples, seed; then a float for
  // each of `scalars`.
  std::uint64_t launch_block = 0, launch_bytes = 0;
  std::vector<std::string> scalars;
  std::uint64_t sample_table = 0;
  std::vector<HbmField> record;    // inputs, then labels
  std::uint64_t record_bytes = 0;  // a multiple of 64
  std::vector<HbmField> results;   // in HBM 0, fp32, in the order of the batch
  std::uint64_t parameters = 0, parameter_stride = 0;
  std::uint64_t homes = 0;     // tensors of a running program
  std::uint64_t data_set = 0;  // free for records from here on, on every interface

  machine::HbmPlace table_entry(unsigned node,
                                std::int64_t local_sample) const;  // a u64: the record's global address
  machine::HbmPlace parameter_image(unsigned node) const;
  machine::HbmPlace place_of_record(std::uint64_t frame) const;
  // Of each interface's HBM, with records for so many frames.
  std::uint64_t bytes_with(std::size_t frames) const;
};

}  // namespace dojo::lowering
