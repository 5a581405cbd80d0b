// Do collectives reduce in the order that device/dojo.h documents, and does nobody pass a barrier early?
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "device_for_tests.h"

namespace dojo::device_tests {
namespace {

struct Shape {
  unsigned rows, columns;
  std::uint64_t chunk;  // elements
};

// The documented order: within a row from column c + 1 round to c, then within the column from row r + 1
// round to r.
std::vector<float> reduced(const Shape& shape, const std::vector<std::vector<float>>& partial) {
  const unsigned rows = shape.rows, columns = shape.columns;
  std::vector<float> total(partial[0].size());
  for (unsigned c = 0; c < columns; ++c) {
    for (unsigned r = 0; r < rows; ++r) {
      for (std::uint64_t i = (c * rows + r) * shape.chunk; i < (c * rows + r + 1) * shape.chunk; ++i) {
        float sum = 0;
        for (unsigned y = 1; y <= rows; ++y) {
          const unsigned row = (r + y) % rows;
          float row_sum = partial[row * columns + (c + 1) % columns][i];
          for (unsigned x = 2; x <= columns; ++x) row_sum += partial[row * columns + (c + x) % columns][i];
          sum = y == 1 ? row_sum : sum + row_sum;
        }
        total[i] = sum;
      }
    }
  }
  return total;
}

const char* const collective_body = R"(
struct Parameters { uint64_t rows, columns, chunk, rounds; };
int main() {
  const Parameters& p = *(const Parameters*)0x20000;
  const Mesh mesh{(unsigned)p.rows, (unsigned)p.columns};
  const size_t count = p.rows * p.columns * p.chunk;
  float* partial = (float*)0x20040;
  float* all = partial + count;
  float* gathered = all + count;
  float* staging = gathered + count;
  const unsigned r = my_pe() / mesh.columns, c = my_pe() % mesh.columns;
  const size_t own = (c * mesh.rows + r) * p.chunk;
  for (uint64_t round = 0; round < p.rounds; ++round) {
    copy(all, partial, count * sizeof(float));
    all_reduce(all, p.chunk, staging, mesh);
  }
  for (uint64_t round = 0; round < p.rounds; ++round) {
    fill(gathered, 0.0f, count);
    for (size_t i = 0; i < p.chunk; ++i) gathered[own + i] = (float)(my_pe() * 1000 + i + round);
    all_gather(gathered, p.chunk * sizeof(float), mesh);
    for (unsigned pe = 0; pe < n_pes(); ++pe) {
      const size_t place = (pe % mesh.columns * mesh.rows + pe / mesh.columns) * p.chunk;
      for (size_t i = 0; i < p.chunk; ++i)
        if (gathered[place + i] != (float)(pe * 1000 + i + round)) return 1;
    }
  }
  reduce_scatter(partial, p.chunk, staging, mesh);
  return 0;
}
)";

// Returns the cycles of the launch.
std::uint64_t check_collectives(const std::string& machine, const Shape& shape, std::uint64_t rounds,
                                bool timing = false) {
  const unsigned nodes = shape.rows * shape.columns;
  const std::uint64_t count = nodes * shape.chunk, data = table_address + 0x40;
  system::Computer computer(machine::read_machine(machine), nodes);
  EXPECT_EQ(computer.nodes(), nodes);
  static const system::Program program = build("collective.cpp", collective_body);
  Random random(nodes + shape.chunk);
  std::vector<std::vector<float>> partial(nodes);
  for (unsigned node = 0; node < nodes; ++node) {
    const std::array<std::uint64_t, 4> parameters{shape.rows, shape.columns, shape.chunk, rounds};
    std::memcpy(at<char>(computer, node, table_address), parameters.data(), sizeof parameters);
    for (std::uint64_t i = 0; i < count; ++i) partial[node].push_back(static_cast<float>(random.normal()));
    std::memcpy(at<char>(computer, node, data), partial[node].data(), count * 4);
  }
  const system::LaunchResult result = run(computer, program, timing);
  const std::vector<float> expected = reduced(shape, partial);
  for (unsigned node = 0; node < nodes; ++node) {
    const float* all = at<float>(computer, node, data + count * 4);
    EXPECT_EQ(std::memcmp(all, expected.data(), count * 4), 0) << "all_reduce at node " << node;
    const std::uint64_t own = (node % shape.columns * shape.rows + node / shape.columns) * shape.chunk;
    EXPECT_EQ(std::memcmp(at<float>(computer, node, data) + own, expected.data() + own, shape.chunk * 4), 0)
        << "reduce_scatter at node " << node;
  }
  return result.cycles;
}

TEST(Collectives, ASingleNodeKeepsItsValues) { check_collectives("d1", {1, 1, 5}, 3); }
TEST(Collectives, OneRowAndOneColumnReduceInRingOrder) {
  check_collectives("d1", {1, 5, 3}, 4);
  check_collectives("d1", {5, 1, 3}, 4);
  check_collectives("d1", {1, 2, 1}, 4);
  check_collectives("d1", {2, 1, 1}, 4);
}
TEST(Collectives, SixNodesReduceInRingOrder) {
  for (const std::uint64_t chunk : {1, 17, 300}) check_collectives("test6", {2, 3, chunk}, 3, true);
}
TEST(Collectives, ThousandsFollowEachOther) { check_collectives("test6", {3, 2, 2}, 3000); }
TEST(Collectives, AWholeDieReducesInRingOrder) { check_collectives("d1", {6, 59, 9}, 2); }

// Every node writes its round number to its neighbour between barriers: without one of them a node would see
// an old or a newer number.
TEST(Collectives, NobodyPassesABarrierBeforeAllHaveCome) {
  const system::Program program = build("barrier.cpp", R"(
uint64_t seen;
int main() {
  const unsigned pe = my_pe(), count = n_pes();
  for (uint64_t round = 1; round <= 20; ++round) {
    put((pe + count / 2) % count, &seen, &round, sizeof round);
    barrier_all();
    if (seen != round) return 1;
    barrier_all();
  }
  return 0;
}
)");
  for (const unsigned nodes : {1u, 2u, 7u, 64u, 354u}) {
    system::Computer computer(machine::read_machine("d1"), nodes);
    run(computer, program);
  }
}

}  // namespace
}  // namespace dojo::device_tests
