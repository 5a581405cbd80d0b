// The commands of `dojo`, one file each. A command reads its options, calls the library and prints; what it
// refuses it throws as UserError, which main.cpp alone catches.
#pragma once

#include "command.h"

namespace dojo::tools {

// Exit codes beside the guest program's own.
constexpr int exit_user_error = 2;
constexpr int exit_guest_stranded = 3;  // a trap, a deadlock, too long a run; a loss that is not finite
constexpr int exit_interrupted = 130;   // Ctrl-C, as a shell says it

Command cc_command();
Command conformance_command();
Command disassemble_command();
Command exec_command();
Command explain_command();
Command machine_command();
Command predict_command();
Command prepare_command();
Command profile_command();
Command run_command();
Command train_command();
// Of all commands, these two among them.
Command completion_command(const std::vector<Command>& commands);
Command manual_command(const std::vector<Command>& commands);

}  // namespace dojo::tools
