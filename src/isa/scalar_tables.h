// The scalar instruction set, table by table; scalar_rows() is their union.
#pragma once

#include <span>

#include "isa/instruction.h"

namespace dojo::isa {

std::span<const Row> base_rows();     // I, M, Zifencei
std::span<const Row> bit_rows();      // Zba, Zbb, Zbs
std::span<const Row> atomic_rows();   // A
std::span<const Row> csr_rows();      // Zicsr
std::span<const Row> machine_rows();  // mret, wfi
std::span<const Row> float_rows();    // F, D, Zfh, Zfbfmin

}  // namespace dojo::isa
