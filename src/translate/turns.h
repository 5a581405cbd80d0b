// Blocks of several harts that take turns in an order known beforehand, each left in the way known
// beforehand.
//
// Nothing is asked between two turns but whether the first was left that way, so no account is kept: whoever
// wrote the order down knows what it comes to, and is told how far it went. The layouts here are read and
// written by translated code.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "isa/float_host.h"
#include "isa/hart.h"

namespace dojo::translate {

struct Turn {
  const void* entry = nullptr;  // where it begins: its block's code, or what comes before it
  const void* code = nullptr;   // its block's
  std::uint64_t target = 0;     // where its block led; asked only behind a jump to an address in a register
  std::uint32_t way = 0;        // how it was left: onward (0), by a jump (1)
  std::uint32_t hart = 0;  // its number, in bytes of a row of pointers; behind the last, any that has a turn
};

// Turns that run one behind the other and, if they loop, begin anew as long as there are passes left.
struct TurnsRun {
  const Turn* at = nullptr;     // the turn to begin with
  std::int64_t passes = 1;      // how often the end may be come to
  const Turn* first = nullptr;  // what follows the last
  isa::FloatTurns* floats = nullptr;
  // Flags of MXCSR that not all harts have: only these tell who raised them.
  std::uint32_t telling_flags = 0;
  std::array<isa::Hart*, 4> harts{};

  // Afterwards `at` is the turn that is not done, or the end, and `passes` is what is left of them.
  // True: the turn's block has run, but was left in another way, stopped or trapped; false: it has not begun,
  // for its hart is in another configuration.
  std::uint64_t begun = 0;
  isa::Hart* float_hart = nullptr;  // who is the last to compute with floats, before and afterwards
};

}  // namespace dojo::translate
