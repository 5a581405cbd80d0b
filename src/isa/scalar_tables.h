// The scalar instruction set, table by table; scalar_rows() is their union.
#pragma once

#include <span>

#include "isa/instruction.h"

namespace dojo::isa {

std::span<const Row> base_rows();     // I, M, Zifencei
std::span<const Row> bit_rows();      // Zba, Zbb, Zbc, Zbs, Zicond, Zimop
std::span<const Row> atomic_rows();   // A, Zawrs
std::span<const Row> cache_rows();    // Zicbom, Zicbop, Zicboz
std::span<const Row> csr_rows();      // Zicsr
std::span<const Row> machine_rows();  // mret, wfi
std::span<const Row> float_rows();    // F, D, Zfh, Zfbfmin
std::span<const Row> zfa_rows();      // Zfa

}  // namespace dojo::isa
