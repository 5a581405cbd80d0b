// The scalar instruction set, table by table; scalar_rows() is their union.
#pragma once

#include <span>

#include "isa/instruction.h"

namespace dojo::isa {

std::span<const Row> base_rows();     // I and M
std::span<const Row> bit_rows();      // what else computes with integers
std::span<const Row> atomic_rows();   // atomic accesses, and waiting for one
std::span<const Row> cache_rows();    // blocks of a cache
std::span<const Row> csr_rows();      // control and status registers
std::span<const Row> machine_rows();  // machine mode
std::span<const Row> float_rows();    // floating point of all formats
std::span<const Row> zfa_rows();      // floating point: Zfa

}  // namespace dojo::isa
