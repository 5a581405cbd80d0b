// The options that say how this computer runs the nodes, the same for every command that does. They change no
// result; without timing there are no cycles.
#pragma once

#include <string>
#include <vector>

#include "command.h"
#include "system/host.h"

namespace dojo::tools {

struct HostArguments {
  unsigned threads = 0;
  std::string vectors;
  bool no_timing = false;
};

Option threads_option(unsigned& threads);
std::vector<Option> host_options(HostArguments& arguments);  // --threads, --host-vectors
Option no_timing_flag(HostArguments& arguments);

// Throws UserError for vectors that this computer does not have.
system::Host host_of(const HostArguments& arguments);

}  // namespace dojo::tools
