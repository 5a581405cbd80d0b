// Numbers of x86-64's encodings, for the files of the assembler.
#pragma once

#include "translate/assembler.h"

namespace dojo::translate {

constexpr unsigned of(Reg r) { return static_cast<unsigned>(r); }
constexpr unsigned of(Vec v) { return static_cast<unsigned>(v); }
constexpr unsigned of(Mask k) { return static_cast<unsigned>(k); }

enum Map : std::uint8_t { one_byte = 0, map_0f = 1, map_0f38 = 2, map_0f3a = 3 };
enum Prefix : std::uint8_t { no_prefix = 0, p66 = 1, pf3 = 2, pf2 = 3 };

// The rest of an EVEX prefix, and the bytes that a displacement of one byte counts in.
struct Assembler::Evex {
  unsigned bytes;  // of the vector
  Mask under = Mask::k0;
  bool spread = false;
  unsigned unit;
};

}  // namespace dojo::translate
