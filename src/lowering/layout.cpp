#include "lowering/layout.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace dojo::lowering {
namespace {

std::int64_t round_up(std::int64_t value, std::int64_t step) { return (value + step - 1) / step * step; }

// Calls visit(first element of the tensor, node, first float in the node's shard, count) for every piece that
// a node owns.
template <typename Visit>
void for_each_piece(const ShardLayout& shard, const LogicalMesh& mesh, Visit visit) {
  const std::int64_t tile_elements = shard.tile_rows * shard.row_elements;
  const std::int64_t elements = shard.rows * shard.row_elements;
  for (std::int64_t tile = 0; tile < shard.tiles; ++tile) {
    const std::int64_t first = tile * tile_elements;
    const std::int64_t here = std::min(tile_elements, elements - first);
    for (unsigned slot = 0; slot < mesh.nodes(); ++slot) {
      const std::int64_t begin = slot * shard.chunk;
      const std::int64_t count = std::min(shard.chunk, here - begin);
      if (count > 0) visit(first + begin, mesh.node_of(slot), tile * shard.chunk, count);
    }
  }
}

}  // namespace

LogicalMesh logical_mesh(unsigned nodes) {
  DOJO_ENSURE(nodes > 0);
  LogicalMesh mesh{1, nodes};
  for (unsigned rows = 1; rows * rows <= nodes; ++rows) {
    if (nodes % rows == 0) mesh = {rows, nodes / rows};
  }
  return mesh;
}

ShardLayout shard_layout(const std::vector<std::int64_t>& shape, unsigned nodes) {
  ShardLayout layout;
  layout.rows = shape.empty() ? 1 : shape[0];
  for (std::size_t d = 1; d < shape.size(); ++d) layout.row_elements *= shape[d];
  const std::int64_t most_rows = std::max<std::int64_t>(1, largest_tile_elements / layout.row_elements);
  layout.tiles = (layout.rows + most_rows - 1) / most_rows;
  layout.tile_rows = (layout.rows + layout.tiles - 1) / layout.tiles;
  layout.tiles = (layout.rows + layout.tile_rows - 1) / layout.tile_rows;
  const std::int64_t tile_elements = layout.tile_rows * layout.row_elements;
  layout.chunk = (tile_elements + nodes - 1) / nodes;
  return layout;
}

std::vector<std::vector<std::byte>> pack_parameters(const PersistentLayout& layout, const Tensors& tensors) {
  std::vector<std::vector<std::byte>> images(layout.mesh.nodes(), std::vector<std::byte>(layout.image_bytes));
  for (const PersistentTensor& tensor : layout.tensors) {
    const auto found = tensors.find(tensor.name);
    if (found == tensors.end() && tensor.initial.empty())
      refuse(tensor.name, "has no value to load into the machine");
    const std::vector<float>& values = found == tensors.end() ? tensor.initial : found->second;
    const auto elements = static_cast<std::size_t>(tensor.shard.rows * tensor.shard.row_elements);
    if (values.size() != elements)
      refuse(tensor.name, "has {} values where {} are needed", values.size(), elements);
    for_each_piece(tensor.shard, layout.mesh,
                   [&](std::int64_t from, unsigned node, std::int64_t to, std::int64_t count) {
                     std::memcpy(
                         images[node].data() + tensor.offset + static_cast<std::uint64_t>(to) * sizeof(float),
                         values.data() + from, static_cast<std::size_t>(count) * sizeof(float));
                   });
  }
  return images;
}

Tensors unpack_parameters(const PersistentLayout& layout, const std::vector<std::vector<std::byte>>& images) {
  DOJO_ENSURE(images.size() == layout.mesh.nodes());
  Tensors tensors;
  for (const PersistentTensor& tensor : layout.tensors) {
    std::vector<float>& values = tensors[tensor.name];
    values.resize(static_cast<std::size_t>(tensor.shard.rows * tensor.shard.row_elements));
    for_each_piece(
        tensor.shard, layout.mesh,
        [&](std::int64_t to, unsigned node, std::int64_t from, std::int64_t count) {
          std::memcpy(values.data() + to,
                      images[node].data() + tensor.offset + static_cast<std::uint64_t>(from) * sizeof(float),
                      static_cast<std::size_t>(count) * sizeof(float));
        });
  }
  return tensors;
}

machine::HbmPlace HbmLayout::table_entry(unsigned node, std::int64_t local_sample) const {
  constexpr std::uint64_t entry_bytes = 8;
  machine::HbmPlace place = machine::hbm_share(node, interfaces, sample_table,
                                               static_cast<std::uint64_t>(samples_per_node) * entry_bytes);
  place.offset += static_cast<std::uint64_t>(local_sample) * entry_bytes;
  return place;
}

machine::HbmPlace HbmLayout::parameter_image(unsigned node) const {
  return machine::hbm_share(node, interfaces, parameters, parameter_stride);
}

machine::HbmPlace HbmLayout::place_of_record(std::uint64_t frame) const {
  return machine::hbm_share(frame, interfaces, data_set, record_bytes);
}

std::uint64_t HbmLayout::bytes_with(std::size_t frames) const {
  return data_set + (frames + interfaces - 1) / interfaces * record_bytes;
}

PersistentLayout place_persistent(std::vector<PersistentTensor> tensors, LogicalMesh mesh,
                                  std::uint64_t end) {
  PersistentLayout layout{mesh, 0, end, std::move(tensors), false, 0};
  std::int64_t bytes = 0;
  for (PersistentTensor& tensor : layout.tensors) {
    tensor.offset = static_cast<std::uint64_t>(bytes);
    bytes = round_up(bytes + tensor.shard.shard_elements() * 4, 64);
  }
  if (static_cast<std::uint64_t>(bytes) > end) {
    const auto largest = std::max_element(layout.tensors.begin(), layout.tensors.end(),
                                          [](const PersistentTensor& a, const PersistentTensor& b) {
                                            return a.shard.shard_elements() < b.shard.shard_elements();
                                          });
    refuse("parameters and optimizer state",
           "do not fit a node's SRAM: {} bytes for each node where {} are free, {} over; the largest is '{}' "
           "with {} bytes; they are spread over the {} nodes in use, and over more each holds less",
           bytes, end, static_cast<std::uint64_t>(bytes) - end, largest->name,
           largest->shard.shard_elements() * 4, mesh.nodes());
  }
  layout.begin = end - static_cast<std::uint64_t>(bytes);
  layout.image_bytes = static_cast<std::uint64_t>(bytes);
  return layout;
}

ShardLayout interleaved(std::int64_t elements, unsigned images) {
  ShardLayout layout;
  layout.rows = elements;
  layout.chunk = hbm_unit_bytes / 4;
  layout.tile_rows = layout.chunk * images;
  layout.tiles = (elements + layout.tile_rows - 1) / layout.tile_rows;
  return layout;
}

PersistentLayout place_in_hbm(std::vector<PersistentTensor> tensors, unsigned interfaces, std::uint64_t end) {
  PersistentLayout layout{{1, interfaces}, end, end, std::move(tensors), true, 0};
  for (PersistentTensor& tensor : layout.tensors) {
    tensor.shard = interleaved(tensor.shard.rows * tensor.shard.row_elements, interfaces);
    tensor.offset = layout.image_bytes;
    layout.image_bytes += static_cast<std::uint64_t>(tensor.shard.shard_elements() * 4);
  }
  return layout;
}

}  // namespace dojo::lowering
