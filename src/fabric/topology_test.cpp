// Does everything sit where the machine file puts it, on a die of any size?
#include "fabric/topology.h"

#include <gtest/gtest.h>

namespace dojo::fabric {
namespace {

machine::Machine mesh_of(unsigned rows, unsigned columns) {
  machine::Machine machine = machine::read_machine("d1");
  machine.mesh.rows = rows;
  machine.mesh.columns = columns;
  machine.mesh.disabled.clear();
  machine.interface.count = 1;
  return machine;
}

TEST(Topology, NodesSkipDisabledPositionsRowByRow) {
  machine::Machine machine = mesh_of(3, 4);
  machine.mesh.disabled = {11, 0, 5};
  const Topology topology(machine);
  const unsigned expected[] = {1, 2, 3, 4, 6, 7, 8, 9, 10};
  ASSERT_EQ(topology.nodes(), std::size(expected));
  for (unsigned node = 0; node < topology.nodes(); ++node) EXPECT_EQ(topology.position(node), expected[node]);
}

TEST(Topology, AgreesWithTheMachineOnWhereANodeIs) {
  const machine::Machine machine = machine::read_machine("d1");
  const Topology topology(machine);
  ASSERT_EQ(topology.nodes(), machine.enabled_nodes());
  for (unsigned node = 0; node < topology.nodes(); ++node) {
    const auto [row, column] = machine.place(node);
    EXPECT_EQ(topology.position(node), row * topology.columns() + column);
  }
}

// The largest mesh that a machine file may describe: what looks every node up in the list of disabled ones
// does not come to an end here.
TEST(Topology, IsLaidOutInOnePassThroughTheMesh) {
  machine::Machine machine = mesh_of(1024, 1024);
  for (unsigned at = 2; at < 1024 * 1024; at += 3) machine.mesh.disabled.push_back(at);
  const Topology topology(machine);
  ASSERT_EQ(topology.nodes(), machine.enabled_nodes());
  for (unsigned node = 0; node < topology.nodes(); ++node)
    ASSERT_EQ(topology.position(node), node / 2 * 3 + node % 2);
}

}  // namespace
}  // namespace dojo::fabric
