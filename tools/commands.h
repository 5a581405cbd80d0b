// The commands of `dojo`, one file each. A command reads its options, calls the library and prints; what it
// refuses it throws as UserError, which main.cpp alone catches. An exit code other than 0 is thrown as
// CLI::RuntimeError.
#pragma once

#include <CLI/CLI.hpp>

namespace dojo::tools {

// Exit codes beside the guest program's own.
constexpr int exit_user_error = 2;
constexpr int exit_guest_stranded = 3;  // a trap, a deadlock, too long a run; a loss that is not finite
constexpr int exit_interrupted = 130;   // Ctrl-C, as a shell says it

void add_cc_command(CLI::App& app);
void add_conformance_command(CLI::App& app);
void add_exec_command(CLI::App& app);
void add_disassemble_command(CLI::App& app);
void add_machine_command(CLI::App& app);
void add_predict_command(CLI::App& app);
void add_prepare_command(CLI::App& app);
void add_profile_command(CLI::App& app);
void add_train_command(CLI::App& app);

}  // namespace dojo::tools
