// The tables of instructions that become host instructions, each in its own file.
#pragma once

#include <span>
#include <string_view>

#include "translate/block_writer.h"

namespace dojo::translate {

struct Emitter {
  std::string_view mnemonic;
  Emit emit;
};

std::span<const Emitter> integer_emitters();
std::span<const Emitter> memory_emitters();  // scalar loads and stores
std::span<const Emitter> control_emitters();
std::span<const Emitter> float_emitters();
std::span<const Emitter> vector_emitters();
std::span<const Emitter> matrix_emitters();

// Jumps to `label` if there is a NaN among the FP32 elements of the vector registers 0..count-1. Overwrites
// the other two.
void check_numbers(BlockWriter& w, unsigned count, Vec found, Vec other, Label& label);

}  // namespace dojo::translate
