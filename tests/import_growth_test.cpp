// Does a network of four times as many nodes cost four times as much to import? Counted in calls of operator
// new and in bytes, which are the same on every computer however busy it is.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "onnx/for_tests.h"
#include "onnx/import.h"

namespace {
std::size_t allocations = 0, bytes_allocated = 0;
}

[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++allocations;
  bytes_allocated += bytes;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace dojo::graph {
namespace {

struct Cost {
  std::size_t allocations, bytes;
};

onnx::Model chain(int nodes, bool named) {
  std::vector<onnx::Node> all;
  for (int k = 0; k < nodes; ++k)
    all.push_back(onnx::node(k % 2 == 0 ? "Relu" : "Tanh", named ? "node" + std::to_string(k) : "",
                             {k == 0 ? "x" : "value" + std::to_string(k - 1)},
                             {k == nodes - 1 ? "y" : "value" + std::to_string(k)}));
  return onnx::model_of({8}, std::move(all));
}

Cost cost_of_import(const onnx::Model& model, std::size_t ops) {
  const Cost before{allocations, bytes_allocated};
  const onnx::Network network = onnx::import_model(model, "m", {.training = false});
  EXPECT_EQ(network.graph.ops.size(), ops);
  return {allocations - before.allocations, bytes_allocated - before.bytes};
}

TEST(Import, CostsAsMuchForEachNodeOfALongChainAsOfAShortOne) {
  for (const bool named : {true, false}) {
    const Cost small = cost_of_import(chain(1000, named), 1000),
               large = cost_of_import(chain(4000, named), 4000);
    EXPECT_GT(small.allocations, 1000u);
    EXPECT_LT(large.allocations, small.allocations * 41 / 10);
    EXPECT_LT(large.bytes, small.bytes * 5);
  }
}

}  // namespace
}  // namespace dojo::graph
