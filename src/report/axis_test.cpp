#include "report/axis.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace dojo::report {
namespace {

Extent extent(double low, double high) { return {low, high}; }

std::vector<std::string> texts(const Axis& axis) {
  std::vector<std::string> all;
  for (std::size_t k = 0; k < axis.ticks.size(); ++k) all.push_back(axis.tick_text(k));
  return all;
}

TEST(Axis, HasTicksAtRoundNumbers) {
  EXPECT_EQ(texts(whole_axis(extent(-0.93, 0.87), 5)),
            (std::vector<std::string>{"-1.0", "-0.5", "0.0", "0.5", "1.0"}));
  EXPECT_EQ(texts(whole_axis(extent(0, 0.0031), 5)),
            (std::vector<std::string>{"0.000", "0.001", "0.002", "0.003", "0.004"}));
  EXPECT_EQ(texts(linear_axis(extent(1, 232), 10)), (std::vector<std::string>{"50", "100", "150", "200"}));
  EXPECT_EQ(texts(linear_axis(extent(0, 3e8), 3)),
            (std::vector<std::string>{"0", "1e+08", "2e+08", "3e+08"}));
  EXPECT_EQ(texts(logarithmic_axis(extent(0.004, 0.6))),
            (std::vector<std::string>{"0.005", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5"}));
  EXPECT_EQ(texts(logarithmic_axis(extent(1e-12, 1e12))).size(), 7u);
}

// In every decade the ticks are the doubles that one would type.
TEST(Axis, HasTicksAtTheNearestDoublesToPowersOfTen) {
  for (int decade = -280; decade <= 280; ++decade) {
    const double power = std::stod(fmt::format("1e{}", decade));
    const Axis axis = whole_axis(extent(0, 5 * power), 5);
    ASSERT_EQ(axis.ticks.size(), 6u) << decade;
    EXPECT_EQ(axis.ticks[1], power) << decade;
    if (std::abs(decade) > 140) continue;
    const Axis powers = logarithmic_axis(extent(power, power));
    EXPECT_NE(std::ranges::find(powers.ticks, power), powers.ticks.end()) << decade;
  }
}

TEST(Axis, PlacesValuesInProportionAndThoseBeyondAtItsEnds) {
  const Axis plain = whole_axis(extent(0, 10), 5);
  EXPECT_DOUBLE_EQ(plain.place(0), 0);
  EXPECT_DOUBLE_EQ(plain.place(2.5), 0.25);
  EXPECT_EQ(plain.place(99), 1);
  EXPECT_EQ(plain.place(-INFINITY), 0);
  Axis powers;
  powers.scale = Scale::logarithmic;
  powers.low = 0.01;
  powers.high = 100;
  EXPECT_DOUBLE_EQ(powers.place(1), 0.5);
  EXPECT_DOUBLE_EQ(powers.place(10), 0.75);
  EXPECT_EQ(powers.place(-3), 0);
}

// No value, one value, values that a double just tells apart, the ends of its range: always an axis.
TEST(Axis, IsThereWhateverTheValues) {
  Extent nothing;
  nothing.see(NAN);
  nothing.see(INFINITY);
  EXPECT_TRUE(nothing.empty());
  for (const Extent& one : {nothing, extent(0, 0), extent(7, 7), extent(-3, -3), extent(1, 1 + 1e-15),
                            extent(1e-300, 1e-300), extent(-1.7e308, 1.7e308), extent(0, 5e-324)}) {
    for (const Axis& axis : {linear_axis(one, 5), whole_axis(one, 5)}) {
      EXPECT_LT(axis.low, axis.high) << one.low;
      EXPECT_GE(axis.ticks.size(), 2u) << one.low;
      EXPECT_LE(axis.ticks.size(), 14u) << one.low;
      for (const double tick : axis.ticks) EXPECT_TRUE(axis.place(tick) >= 0 && axis.place(tick) <= 1);
    }
  }
  EXPECT_LT(logarithmic_axis(nothing).low, logarithmic_axis(nothing).high);
  EXPECT_LT(logarithmic_axis(extent(2, 2)).low, 2);
  for (const Extent& one : {extent(5e-324, 1.7e308), extent(1e300, 1e301), extent(5e-324, 5e-324)}) {
    const Axis axis = logarithmic_axis(one);
    EXPECT_LT(axis.low, axis.high) << one.low;
    EXPECT_TRUE(axis.place(one.low) >= 0 && axis.place(one.high) <= 1) << one.low;
  }
}

}  // namespace
}  // namespace dojo::report
