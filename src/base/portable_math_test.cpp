// Against the C library's long doubles, which have 11 bits more (x87), and against a digest of their bits.
#include "base/portable_math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "base/random.h"
#include "base/sha256.h"

namespace dojo {
namespace {

static_assert(std::numeric_limits<long double>::digits >= 64);

// In units in the last place of the right value.
double error_of(double got, long double right) {
  const double rounded = static_cast<double>(right);
  const double unit =
      std::nextafter(std::fabs(rounded), std::numeric_limits<double>::infinity()) - std::fabs(rounded);
  return static_cast<double>(std::fabs((static_cast<long double>(got) - right) / unit));
}

class PortableMath : public testing::Test {
protected:
  static constexpr int count = 200'000;

  // Checks `got` against `right` for numbers from low to high, of which half lie near 0 in a logarithmic way.
  template <typename Got, typename Right>
  void hold(Got got, Right right, double low, double high, double most) {
    double worst = 0, at = 0;
    for (int i = 0; i < count; ++i) {
      double x = random_.uniform(low, high);
      if (i % 2 == 1) x *= std::ldexp(1.0, -static_cast<int>(random_.below(40)));
      if (x < low || x > high) continue;
      const double error = error_of(got(x), right(static_cast<long double>(x)));
      if (error > worst) worst = error, at = x;
    }
    EXPECT_LE(worst, most) << "at " << at;
    EXPECT_GT(worst, 0.4) << "the right values are no better than ours";
  }

  Random random_{7};
};

TEST_F(PortableMath, SineAndCosine) {
  for (const double far : {1.0, 10.0, 1e6}) {
    hold(sine, [](long double x) { return std::sin(x); }, -far, far, 1);
    hold(cosine, [](long double x) { return std::cos(x); }, -far, far, 1);
  }
}

TEST_F(PortableMath, ExponentialAndLogarithm) {
  hold(exponential, [](long double x) { return std::exp(x); }, -700, 709, 1);
  hold(logarithm, [](long double x) { return std::log(x); }, 1e-300, 1e300, 1);
  hold(logarithm, [](long double x) { return std::log(x); }, 0.5, 2, 1);
  EXPECT_EQ(exponential(-1000), 0);
  EXPECT_EQ(exponential(1000), std::numeric_limits<double>::infinity());
  EXPECT_EQ(exponential(-745), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(logarithm(1), 0);
}

TEST_F(PortableMath, ArcTangentInEveryQuadrant) {
  double worst = 0;
  for (int i = 0; i < count; ++i) {
    const double x = random_.uniform(-1, 1), y = random_.uniform(-1, 1) * std::ldexp(1.0, -(i % 30));
    for (const auto& [up, right] : {std::pair(y, x), {x, y}})
      worst = std::max(worst, error_of(arc_tangent(up, right), std::atan2(static_cast<long double>(up),
                                                                          static_cast<long double>(right))));
  }
  EXPECT_LE(worst, 1.5);
  for (const auto& [y, x] :
       {std::pair(0.0, 1.0), {0.0, -1.0}, {-0.0, -1.0}, {1.0, 0.0}, {-1.0, 0.0}, {3.0, 3.0}}) {
    EXPECT_EQ(arc_tangent(y, x), std::atan2(y, x)) << y << ", " << x;
    EXPECT_EQ(std::signbit(arc_tangent(y, x)), std::signbit(std::atan2(y, x)));
  }
}

TEST_F(PortableMath, HypotenuseAndPower) {
  for (int i = 0; i < count; ++i) {
    const double x = random_.uniform(-1000, 1000), y = random_.uniform(-1000, 1000);
    EXPECT_LE(
        error_of(hypotenuse(x, y), std::hypot(static_cast<long double>(x), static_cast<long double>(y))),
        1.5);
  }
  for (const std::uint64_t n : {0ull, 1ull, 2ull, 7ull, 100ull, 12'345ull})
    EXPECT_LE(
        error_of(power(0.999, n), std::pow(static_cast<long double>(0.999), static_cast<long double>(n))), 1)
        << n;
  EXPECT_EQ(power(0.9, 1'000'000'000'000), 0);
}

// The bits themselves, for a build that rounds otherwise.
TEST_F(PortableMath, AreTheSameBitsInEveryBuild) {
  std::vector<double> values;
  for (int i = 0; i < 10'000; ++i) {
    const double x = random_.uniform(-50, 50), y = random_.uniform(-50, 50);
    for (const double value : {sine(x), cosine(x), exponential(x), logarithm(std::fabs(x)), arc_tangent(y, x),
                               hypotenuse(x, y), power(x / 50, static_cast<std::uint64_t>(i))})
      values.push_back(value);
  }
  EXPECT_EQ(sha256_hex(std::as_bytes(std::span(values))),
            "df3c1e7020a213b282b492f472b5f2a2cf16f392bb547a7f5ad9397dc97ff52d");
}

}  // namespace
}  // namespace dojo
