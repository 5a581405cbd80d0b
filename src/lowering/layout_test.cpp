// Do whole tensors survive the way into shards and back, and do shards lie where collectives expect them?
#include "lowering/layout.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"

namespace dojo::lowering {
namespace {

TEST(Layout, mesh_is_the_most_square_factorisation) {
  EXPECT_EQ(logical_mesh(354).rows, 6u);
  EXPECT_EQ(logical_mesh(354).columns, 59u);
  EXPECT_EQ(logical_mesh(353).rows, 1u);
  EXPECT_EQ(logical_mesh(36).rows, 6u);
  EXPECT_EQ(logical_mesh(1).columns, 1u);
}

TEST(Layout, slots_and_nodes_are_inverse) {
  const LogicalMesh mesh = logical_mesh(12);
  for (unsigned node = 0; node < 12; ++node) EXPECT_EQ(mesh.node_of(mesh.slot_of(node)), node);
  // [c][r][chunk] with node = r * C + c: the second slot belongs to the second row's first node.
  EXPECT_EQ(mesh.node_of(1), mesh.columns);
}

TEST(Layout, tiles_cover_every_row_and_stay_small) {
  for (const std::int64_t rows : {1, 7, 100, 1152, 5000}) {
    for (const std::int64_t inner : {1, 25, 1152, 50000}) {
      const ShardLayout shard = shard_layout({rows, inner}, 354);
      EXPECT_GE(shard.tiles * shard.tile_rows, rows);
      EXPECT_LT((shard.tiles - 1) * shard.tile_rows, rows);
      EXPECT_GE(shard.chunk * 354, shard.tile_rows * inner);
      EXPECT_TRUE(shard.tile_rows == 1 || shard.tile_rows * inner <= largest_tile_elements);
    }
  }
}

TEST(Layout, tensors_come_back_from_their_shards) {
  for (const unsigned nodes : {1u, 6u, 7u, 354u}) {
    std::vector<PersistentTensor> list;
    Tensors tensors;
    for (const std::vector<std::int64_t>& shape :
         std::vector<std::vector<std::int64_t>>{{}, {1}, {24}, {100, 1152}, {64, 3, 3, 3}}) {
      const std::string name = fmt::format("t{}", list.size());
      const ShardLayout shard = shard_layout(shape, nodes);
      list.push_back({name, shape, shard, 0});
      for (std::int64_t e = 0; e < shard.rows * shard.row_elements; ++e)
        tensors[name].push_back(static_cast<float>(e + 1));
    }
    const PersistentLayout layout = place_persistent(list, logical_mesh(nodes), 1 << 22);
    EXPECT_EQ(layout.end, std::uint64_t{1} << 22);
    EXPECT_EQ(unpack_parameters(layout, pack_parameters(layout, tensors)), tensors) << nodes;
  }
}

TEST(Layout, the_owner_of_an_element_is_its_slots_node) {
  const PersistentLayout layout =
      place_persistent({{"w", {12}, shard_layout({12}, 6), 0}}, logical_mesh(6), 4096);
  Tensors tensors;
  for (int e = 0; e < 12; ++e) tensors["w"].push_back(static_cast<float>(e));
  const auto images = pack_parameters(layout, tensors);
  float first = 0;
  std::memcpy(&first, images[3].data(),
              4);  // 2 x 3 mesh: node 3 is row 1, column 0, slot 1, elements 2 and 3
  EXPECT_EQ(first, 2.0f);
}

TEST(Layout, missing_and_misshapen_tensors_are_refused) {
  const PersistentLayout layout =
      place_persistent({{"w", {4}, shard_layout({4}, 2), 0}}, logical_mesh(2), 4096);
  EXPECT_THROW(pack_parameters(layout, {}), UserError);
  EXPECT_THROW(pack_parameters(layout, {{"w", {1, 2, 3}}}), UserError);
}

}  // namespace
}  // namespace dojo::lowering
