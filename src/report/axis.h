// From values to places along an axis, with ticks at round numbers.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace dojo::report {

// The finite ones among the values it has seen.
struct Extent {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  bool empty() const { return low > high; }
  void see(double value);
};

enum class Scale { linear, logarithmic };

struct Axis {
  Scale scale = Scale::linear;
  double low = 0, high = 1;        // low < high; both > 0 if logarithmic
  std::vector<double> ticks = {};  // ascending, between the two
  std::string label = {};

  // 0 at low, 1 at high; values beyond lie at the ends. `value` is a number.
  double place(double value) const;
  // As short as tells the ticks apart: "0.25", "1500", "2e-05".
  std::string tick_text(std::size_t tick) const;
};

// About `ticks` steps of 1, 2 or 5 times a power of ten. The ends are those of the extent, a little room
// around it; `whole`: outwards to the next tick. An extent without values is 0..1, one of a single value gets
// room on both sides.
Axis linear_axis(Extent extent, std::size_t ticks);
Axis whole_axis(Extent extent, std::size_t ticks);

// Ticks at powers of ten, and at 2 and 5 times these where there are few. The extent's values are > 0.
Axis logarithmic_axis(Extent extent);

}  // namespace dojo::report
