// Who says what a random program should have left, and what each of them knows.
#pragma once

#include <cstdint>
#include <string_view>

#include "isa/instruction.h"

namespace dojo::differ {

enum class Oracle : std::uint8_t {
  qemu,       // qemu-riscv64 7.2
  spike,      // Spike, as its public releases are since 2026
  semantics,  // the instructions' semantics here, for every other way to run them here
};

// Whether the oracle executes instructions of rows with this extension.
bool knows(Oracle oracle, std::string_view extension);

// The same of one row: what the oracle is known to do wrong is left out.
bool knows(Oracle oracle, const isa::Row& row);

}  // namespace dojo::differ
