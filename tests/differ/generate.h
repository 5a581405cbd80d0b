// Makes random programs out of the instruction tables.
//
// Every program is legal and ends: memory operands stay in its memory, jumps go forward, loops count. What is
// legal is decided by our own handlers; where they are too strict nothing is tried, where too lax qemu stops
// and the differ shows it. Left out: what qemu 7.2 does not know or is known to do wrong (see
// `is_known_to_qemu`).
#pragma once

#include <cstdint>

#include "program.h"

namespace dojo::differ {

// The same program for the same seed and number on every computer.
Program generate(std::uint64_t seed, std::uint64_t number, unsigned vlen_bits);

}  // namespace dojo::differ
