// The host's floating point as the hart's: who owns rounding mode and flags, and when.
//
// Rule: between begin_floats and end_floats MXCSR belongs to the hart: its rounding mode is frm (nearest even
// if frm is RMM or reserved), its exception flags were cleared at the beginning and are added to hart.fflags
// at the end. run_block does this around a block that holds an instruction which `raises_flags`; a node's
// core does it around as many blocks as come in a row, of whatever instructions. Everywhere else MXCSR is
// nobody's, so host code may set what flags it likes. A CSR instruction is a block of its own, around which
// the flags are settled, so it finds hart.fflags complete, and frm never changes in between.
//
// A handler therefore computes with plain C++ operators: dynamic rounding and flags cost nothing. It must
//  - trap if it rounds and hart.frm > 4 (dynamic) and compute ties-away itself if the mode is RMM
//    (ties_away in float_format.h);
//  - make NaN results canonical, and raise NV for inf * 0 + qNaN, which x86 does not;
//  - set hart.fflags itself where it computes with integers;
//  - compare by integer bits or after looking for NaN: compilers differ in which compare instruction they
//    choose.
#pragma once

#include <xmmintrin.h>

#include <array>
#include <cstdint>

#include "isa/hart.h"

namespace dojo::isa {

enum Rounding : std::uint8_t { rne = 0, rtz = 1, rdn = 2, rup = 3, rmm = 4, dynamic = 7 };
enum Flag : std::uint8_t { inexact = 1, underflow = 2, overflow = 4, divide_by_zero = 8, invalid = 16 };

// MXCSR with all exceptions masked, no flags, subnormals kept and this rounding mode.
inline constexpr std::array<unsigned, 8> mxcsr_by_rounding = {0x1f80, 0x7f80, 0x3f80, 0x5f80,
                                                              0x1f80, 0x1f80, 0x1f80, 0x1f80};
constexpr unsigned mxcsr_for(unsigned rounding) { return mxcsr_by_rounding[rounding & 7]; }

constexpr std::uint8_t flags_of_mxcsr(unsigned mxcsr) {
  return static_cast<std::uint8_t>(((mxcsr & 0x01) << 4) | ((mxcsr & 0x04) << 1) | ((mxcsr & 0x08) >> 1) |
                                   ((mxcsr & 0x10) >> 3) | ((mxcsr & 0x20) >> 5));
}

constexpr unsigned mxcsr_flags(std::uint8_t flags) {
  return (flags & 16u) >> 4 | (flags & 8u) >> 1 | (flags & 4u) << 1 | (flags & 2u) << 3 | (flags & 1u) << 5;
}

inline void begin_floats(const Hart& hart) { _mm_setcsr(mxcsr_for(hart.frm)); }
inline void end_floats(Hart& hart) { hart.fflags |= flags_of_mxcsr(_mm_getcsr()); }

// The same for who runs blocks of several harts by turns: what the hart before has left is looked at when
// another one begins, long after it was computed, and stays if it would do. Between `begin` and `end` nobody
// else computes with floats.
class FloatTurns {
public:
  void begin(Hart& hart) {
    if (hart_ == &hart) return;
    const unsigned have = _mm_getcsr(), wanted = mxcsr_for(hart.frm);
    if (hart_ != nullptr) hart_->fflags |= flags_of_mxcsr(have);
    if ((have & ~mxcsr_flags(hart.fflags)) != wanted) _mm_setcsr(wanted);
    hart_ = &hart;
  }
  void end() {
    if (hart_ != nullptr) end_floats(*hart_);
    hart_ = nullptr;
  }
  // As if begin(hart) had found nothing to do: all flags that are up are also its own.
  void resume(Hart& hart) { hart_ = &hart; }
  Hart* hart() const { return hart_; }

private:
  Hart* hart_ = nullptr;
};

// Another rounding mode for a few instructions of a handler; flags keep accumulating. Operands must pass
// through `pin` after construction and results before destruction, or the compiler may move the arithmetic
// out.
class RoundingScope {
public:
  explicit RoundingScope(unsigned rounding) : before_(_mm_getcsr() & 0x6000u) {
    _mm_setcsr((_mm_getcsr() & ~0x6000u) | (mxcsr_for(rounding) & 0x6000u));
  }
  ~RoundingScope() { _mm_setcsr((_mm_getcsr() & ~0x6000u) | before_); }
  RoundingScope(const RoundingScope&) = delete;
  RoundingScope& operator=(const RoundingScope&) = delete;

private:
  unsigned before_;
};

template <typename T>
T pin(T value) {
  asm volatile("" : "+m"(value)::"memory");
  return value;
}

}  // namespace dojo::isa
