// The code of a program as text, from the same table that executes it.
#pragma once

#include <string>

#include "toolchain/elf.h"

namespace dojo::toolchain {

// Each instruction with its address and its bits, each symbol of the code before its first one.
std::string disassembly(const Elf& elf);

}  // namespace dojo::toolchain
