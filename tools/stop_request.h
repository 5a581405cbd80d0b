// Ctrl-C, or SIGTERM, as a request: the work under way is brought to an end that loses nothing.
#pragma once

#include <fmt/format.h>

#include "base/error.h"

namespace dojo::tools {

// From now on the first one only asks; a second ends the program at once.
void listen_for_stop_requests();

// Ctrl-C alone: the first one only asks, the second kills as if nobody listened. Not where Ctrl-C is ignored,
// as in a shell's background.
void listen_for_ctrl_c();

// Whether one came since. For any thread.
bool stop_was_asked();

// Ctrl-C reaches the compiler's tools as well: what they then leave undone is no fault of the network.
template <typename Work>
auto unless_stopped(Work work) {
  try {
    return work();
  } catch (const UserError& error) {
    if (!stop_was_asked()) throw;
    throw UserError("", fmt::format("interrupted ({})", error.what()));
  }
}

}  // namespace dojo::tools
