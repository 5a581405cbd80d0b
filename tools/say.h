// What people read on stderr while a command works or when it is refused, a line at a time. The only way
// there, but for the progress line (train_progress.h) and what a guest program writes.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

#include "base/printable.h"

namespace dojo::tools {

// One line, whatever the arguments hold: a name in a file can neither forge a second line nor lead the
// terminal. Not by fmt::print, which throws where stderr cannot be written: a log on a full disk must not end
// a long run.
template <typename... Arguments>
void say(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  const std::string line = printable(fmt::format(format, std::forward<Arguments>(arguments)...)) + "\n";
  std::fputs(line.c_str(), stderr);
}

}  // namespace dojo::tools
