// What cycles and counts come to: seconds, and the share of a unit's peak.
#pragma once

#include <cstdint>

#include "machine/ledger.h"
#include "machine/machine.h"

namespace dojo::machine {

// At the machine's `clock_ghz`.
double simulated_seconds(const Machine& machine, std::uint64_t cycles);

// Useful multiply-adds / (cycles x nodes x the matrix unit's 16-bit peak a cycle), in [0, 1]. 0 without
// cycles.
double matrix_utilisation(const Machine& machine, unsigned nodes, const Ledger& ledger, std::uint64_t cycles);
// The share of these cycles in which the SIMD pipe was taken, in [0, 1]. 0 without cycles.
double simd_utilisation(unsigned nodes, const Ledger& ledger, std::uint64_t cycles);

}  // namespace dojo::machine
