// What a person needs to see of a thread that could not go on.
#pragma once

#include <vector>

#include "system/computer.h"
#include "system/execution.h"

namespace dojo::system {

constexpr std::size_t most_stranded = 8;

// One thread that has stopped.
Stranded describe(const Execution& execution, const Thread& thread, const Program& program);

// The first few threads in `state`, by node and thread.
std::vector<Stranded> find_stranded(const Execution& execution, const Program& program, ThreadState state);

}  // namespace dojo::system
