// Makes random programs out of the instruction tables.
//
// Every program is legal and ends: memory operands stay in its memory, jumps go forward, loops count. Where
// vector operands may lie is told by their rows; where those are too strict nothing is tried, where too lax
// the oracle stops and the differ shows it. Left out is what the oracle does not know (oracle.h).
#pragma once

#include <cstdint>

#include "oracle.h"
#include "program.h"

namespace dojo::differ {

// The same program for the same arguments on every computer.
Program generate(Oracle oracle, std::uint64_t seed, std::uint64_t number, unsigned vlen_bits);

}  // namespace dojo::differ
