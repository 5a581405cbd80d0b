// What a person needs to see of a thread that could not go on.
#pragma once

#include <vector>

#include "system/computer.h"
#include "system/execution.h"

namespace dojo::system {

constexpr std::size_t most_stranded = 8;

// One thread that has stopped. `limit`: the launch's max_instructions.
Stranded describe(const Execution& execution, const Thread& thread, const Program& program,
                  std::uint64_t limit);

// The first few threads in `state`, by node and thread.
std::vector<Stranded> find_stranded(const Execution& execution, const Program& program, ThreadState state,
                                    std::uint64_t limit);

}  // namespace dojo::system
