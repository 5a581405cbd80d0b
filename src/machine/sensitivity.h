// What a result would be if the machine's unpublished parameters were other than its file chose.
//
// Whoever has a figure that follows from a machine (the cycles of a program, a utilisation) computes it for
// every variant, in any order and on any host threads, and asks here for its range and for what moves it. The
// variants go to both ends of each plausible range, one parameter at a time, then of all together; a figure
// between the ends of several parameters may lie outside, so a range is what was seen, not a bound.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "machine/machine.h"

namespace dojo::machine {

struct Variant {
  std::string name;  // "as the file says", "node.simd_cycles = 9", "everything fast", "everything slow"
  std::string key;   // the one parameter that was changed; empty if none or all
  Machine machine;
};

// The first is `machine` itself, the last two everything fast and everything slow; an end that is the file's
// value is no variant of its own. Throws UserError if no parameter has a plausible range.
std::vector<Variant> plausible_variants(const Machine& machine);

struct FigureRange {
  double baseline = 0, low = 0, high = 0;
  std::size_t low_at = 0, high_at = 0;  // variants; the first of equals
};

// `figures`: one for each variant, in their order; at least one.
FigureRange range_of(std::span<const double> figures);

// A parameter and the figure at both ends of its range.
struct Influence {
  std::string key;
  PlausibleRange plausible;
  double at_fast = 0, at_slow = 0;

  double spread() const { return at_fast < at_slow ? at_slow - at_fast : at_fast - at_slow; }
};

// Every parameter that has a range, the one that moves the figure most first, equals in the file's order.
std::vector<Influence> influences(std::span<const Variant> variants, std::span<const double> figures);

}  // namespace dojo::machine
