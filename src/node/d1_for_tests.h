// The node of the default machine, for tests.
#pragma once

#include "machine/machine.h"

namespace dojo::node {

inline const machine::Node& d1() {
  static const machine::Node node = machine::read_machine("d1").node;
  return node;
}

}  // namespace dojo::node
