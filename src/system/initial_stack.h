// What a program finds on its stack when it starts, as System V's ABI and Linux have it: from sp upwards
// argc, the pointers of argv and a null, those of envp and a null, then the auxiliary vector. The C
// libraries' start files (newlib, picolibc, musl, glibc) read it.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "isa/hart.h"
#include "system/program.h"

namespace dojo::system {

// Writes it below `end` and returns the stack pointer, a multiple of 16. The environment is empty. Throws
// UserError if the arguments take more than half of the `stack_bytes` below `end`.
std::uint64_t write_initial_stack(const isa::Memory& memory, std::uint64_t end, std::uint64_t stack_bytes,
                                  const Program& program, std::span<const std::string> arguments);

}  // namespace dojo::system
