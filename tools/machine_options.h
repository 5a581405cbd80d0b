// The options that say on what a network runs and how, the same for every command that runs one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "command.h"
#include "host_options.h"
#include "machine/machine.h"

namespace dojo::tools {

struct MachineArguments {
  std::string machine = "d1", formats = "bf16";
  std::int64_t batch = 0;  // 0: usual_batch()
  unsigned nodes = 0;
  HostArguments host;
};

// --machine. `help` where its name is not all there is to say.
Option machine_option(std::string& machine, std::string help = "Name under machines/, or a .toml file");
Option nodes_option(unsigned& nodes, std::string help);
Option formats_option(std::string& formats);
std::vector<Option> machine_options(MachineArguments& arguments);

// 0 if all. Refuses more than the machine has.
unsigned nodes_of(unsigned asked, const machine::Machine& machine);

// One frame for each node, as far as there are frames.
std::int64_t usual_batch(unsigned nodes, std::size_t frames);

}  // namespace dojo::tools
