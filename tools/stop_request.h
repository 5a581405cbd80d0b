// Ctrl-C, SIGTERM or a closed terminal (SIGHUP) as a request: the work under way is brought to an end that
// loses nothing, and leaves nothing behind that nobody wants.
#pragma once

#include <string_view>

#include "base/error.h"

namespace dojo::tools {

// From now on the first one only asks; a second ends the program at once. One that is ignored stays so, as
// SIGHUP under nohup and Ctrl-C in a shell's background.
void listen_for_stop_requests();

// Whether one came since. For any thread.
bool stop_was_asked();

// Where a stop was asked for, ends the command with exit_interrupted, having said `what` that leaves.
void end_if_stopped(std::string_view what);

// Ctrl-C reaches the compiler's tools as well: what they then leave undone is no fault of the network.
template <typename Work>
auto unless_stopped(std::string_view what, Work work) {
  try {
    return work();
  } catch (const UserError&) {
    end_if_stopped(what);
    throw;
  }
}

}  // namespace dojo::tools
