// The options that say how this computer runs the nodes, the same for every command that does. They change no
// result; without timing there are no cycles.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "system/host.h"

namespace dojo::tools {

struct HostArguments {
  unsigned threads = 0;
  std::string vectors;
  bool no_timing = false;
};

void add_threads_option(CLI::App& command, unsigned& threads);       // --threads
void add_host_options(CLI::App& command, HostArguments& arguments);  // --threads, --host-vectors
void add_no_timing_flag(CLI::App& command, HostArguments& arguments);

// Throws UserError for vectors that this computer does not have.
system::Host host_of(const HostArguments& arguments);

}  // namespace dojo::tools
