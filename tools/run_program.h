// What `dojo exec` and `dojo profile` share: a bare program from the command line, on the nodes of a machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "command.h"
#include "host_options.h"
#include "machine/machine.h"
#include "system/computer.h"
#include "system/program.h"

namespace dojo::tools {

struct ProgramOptions {
  std::string program, machine = "d1";
  std::optional<std::string> memory;
  std::vector<std::string> arguments;
  unsigned nodes = 1;
  HostArguments host;
  std::uint64_t max_instructions = 0;
};

// PROGRAM, --nodes, --machine, --memory, --max-instructions, --threads, --host-vectors and what stands behind
// `--`.
std::vector<Option> program_options(ProgramOptions& options);

// The machine of the command line, as read: with --memory its nodes have that much SRAM.
machine::Machine with_memory(machine::Machine machine, const ProgramOptions& options);

// The program of the command line. Throws UserError if it was compiled for longer vectors than `machine` has.
system::Program program_of(const ProgramOptions& options, const machine::Machine& machine);

// What every launch of it has in common: limits, argv, standard input, which ends when a stop was asked for.
// Output goes nowhere.
system::LaunchOptions launch_options(const ProgramOptions& options);

// The command's, after the program's end; of one that did not end well it says why on stderr.
int exit_code_of(const ProgramOptions& options, const system::LaunchResult& result);

}  // namespace dojo::tools
