// How: the argument is reduced with constants in two or three parts, whose products fma gives exactly, and a
// Taylor series is summed for what is left, from its smallest term. What reduction and the last sum round off
// is carried along as a second, small part.
#include "base/portable_math.h"

#include <array>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace dojo {
namespace {

constexpr double half_pi = 0x1.921fb54442d18p+0, half_pi_low = 0x1.1a62633145c07p-54,
                 half_pi_lowest = -0x1.f1976b7ed8fbcp-110;
constexpr double pi = 2 * half_pi, pi_low = 2 * half_pi_low;
constexpr double ln2 = 0x1.62e42fefa39efp-1, ln2_low = 0x1.abc9e3b39803fp-56;
constexpr double ln2_short = 0x1.62e42fefa3000p-1,  // 41 bits: times an exponent it is exact
    ln2_short_low = 0x1.3de6af278ece6p-42;

// A value and what it lacks.
struct Parts {
  double high, low;
};

// The sum over k of c[k] x^k.
template <std::size_t size>
double polynomial(const std::array<double, size>& c, double x) {
  double sum = c[size - 1];
  for (std::size_t k = size - 1; k-- > 0;) sum = std::fma(sum, x, c[k]);
  return sum;
}

// 1, -1, 1 ... over factorials from first! on, every second: the series of sine and cosine.
template <std::size_t size>
constexpr std::array<double, size> factorial_series(double first_factorial, int first) {
  std::array<double, size> c{};
  double factorial = first_factorial, sign = 1;
  for (std::size_t k = 0; k < size; ++k) {
    c[k] = sign / factorial;
    const double n = first + 2 * static_cast<double>(k);
    factorial *= (n + 1) * (n + 2);
    sign = -sign;
  }
  return c;
}

constexpr auto sine_series = factorial_series<8>(6, 3);     // (x - sin x) / x^3 in x^2
constexpr auto cosine_series = factorial_series<8>(24, 4);  // (cos x - 1 + x^2 / 2) / x^4 in x^2

// |x| <= pi / 4, and the same of its low part.
double sine_of(Parts x) {
  const double square = x.high * x.high;
  const double rest =
      std::fma(-square * x.high, polynomial(sine_series, square), x.low * std::fma(-0.5, square, 1.0));
  return x.high + rest;
}

double cosine_of(Parts x) {
  const double square = x.high * x.high, half = 0.5 * square, near = 1 - half;
  const double rest =
      std::fma(square * square, polynomial(cosine_series, square), ((1 - near) - half) - x.high * x.low);
  return near + rest;
}

// x less the nearest multiple of pi / 2, and that multiple's number in a turn.
struct Quarter {
  Parts rest;
  unsigned number;
};
Quarter quarter_of(double x) {
  constexpr double farthest = 1e6, two_over_pi = 0x1.45f306dc9c883p-1;
  DOJO_ENSURE(std::fabs(x) <= farthest);
  const double n = std::nearbyint(x * two_over_pi);
  const double first = std::fma(-n, half_pi, x);  // exact: few bits are left
  const double product = n * half_pi_low, error = std::fma(n, half_pi_low, -product);
  const double high = first - product;
  const double low = ((first - high) - product) - error - n * half_pi_lowest;
  return {{high, low}, static_cast<unsigned>(static_cast<long long>(n) & 3)};
}

}  // namespace

double sine(double x) {
  const Quarter q = quarter_of(x);
  const double value = (q.number & 1) != 0 ? cosine_of(q.rest) : sine_of(q.rest);
  return (q.number & 2) != 0 ? -value : value;
}

double cosine(double x) {
  const Quarter q = quarter_of(x);
  const double value = (q.number & 1) != 0 ? sine_of(q.rest) : cosine_of(q.rest);
  return q.number == 1 || q.number == 2 ? -value : value;
}

double exponential(double x) {
  constexpr double one_over_ln2 = 0x1.71547652b82fep+0, lowest = -745.2, highest = 709.8;
  if (x < lowest) return 0;
  if (x > highest) return std::numeric_limits<double>::infinity();
  constexpr auto series = [] {  // (e^r - 1 - r) / r^2
    std::array<double, 14> c{};
    double factorial = 2;
    for (std::size_t k = 0; k < c.size(); ++k) {
      c[k] = 1 / factorial;
      factorial *= static_cast<double>(k + 3);
    }
    return c;
  }();
  const double n = std::nearbyint(x * one_over_ln2);
  const double high = std::fma(-n, ln2, x), low = -n * ln2_low, r = high + low;
  const double rest = std::fma(r * r, polynomial(series, r), low);
  return std::ldexp(1 + (high + rest), static_cast<int>(n));
}

double logarithm(double x) {
  DOJO_ENSURE(x > 0 && std::isfinite(x));
  constexpr auto series = [] {  // (ln(1 + f) as 2 atanh s, less 2 s) / s, s = f / (2 + f), in s^2
    std::array<double, 12> c{};
    for (std::size_t k = 0; k < c.size(); ++k) c[k] = 2 / static_cast<double>(2 * k + 3);
    return c;
  }();
  constexpr double root_half = 0.70710678118654752;
  int exponent = 0;
  double part = std::frexp(x, &exponent);  // 0.5 to 1
  if (part < root_half) {
    part *= 2;
    --exponent;
  }
  const double f = part - 1, s = f / (2 + f), square = s * s, half = 0.5 * f * f;
  const double rest = s * (half + square * polynomial(series, square));
  const double k = exponent;
  return k * ln2_short - ((half - (rest + k * ln2_short_low)) - f);
}

double arc_tangent(double y, double x) {
  constexpr Parts quarters[] = {{0, 0},  // of 0, 1/4, 1/2, 3/4 and 1
                                {0x1.f5b75f92c80ddp-3, 0x1.8ab6e3cf7afbdp-57},
                                {0x1.dac670561bb4fp-2, 0x1.a2b7f222f65e2p-56},
                                {0x1.4978fa3269ee1p-1, 0x1.2419a87f2a458p-56},
                                {half_pi / 2, half_pi_low / 2}};
  constexpr auto series = [] {  // (atan t - t) / t^3 in t^2
    std::array<double, 10> c{};
    for (std::size_t k = 0; k < c.size(); ++k)
      c[k] = (k % 2 == 0 ? -1.0 : 1.0) / static_cast<double>(2 * k + 3);
    return c;
  }();
  const double height = std::fabs(y), width = std::fabs(x);
  const bool steep = height > width;
  const double small = steep ? width : height, large = steep ? height : width;
  if (large == 0) return y;
  const double at = std::nearbyint(4 * (small / large)), tangent = at / 4;
  const Parts& near = quarters[static_cast<std::size_t>(at)];
  const double t = std::fma(-tangent, large, small) / std::fma(tangent, small, large), square = t * t;
  const double rest = std::fma(square * t, polynomial(series, square), near.low);
  // Of the quadrant's quarter turns, with their low parts.
  Parts turn{0, 0};
  double sign = 1;
  if (steep) {
    turn = {half_pi, half_pi_low};
    sign = x < 0 ? 1 : -1;
  } else if (x < 0) {
    turn = {pi, pi_low};
    sign = -1;
  }
  const double sum = turn.high + sign * near.high, lost = (turn.high - sum) + sign * near.high;
  return std::copysign(sum + (sign * t + (sign * rest + (turn.low + lost))), y);
}

double hypotenuse(double x, double y) { return std::sqrt(std::fma(x, x, y * y)); }

double power(double base, std::uint64_t exponent) {
  const auto product = [](Parts a, Parts b) {
    const double high = a.high * b.high;
    const double low = std::fma(a.high, b.high, -high) + (a.high * b.low + a.low * b.high);
    const double sum = high + low;
    return Parts{sum, (high - sum) + low};
  };
  Parts result{1, 0};
  for (Parts square{base, 0}; exponent != 0; exponent >>= 1, square = product(square, square))
    if ((exponent & 1) != 0) result = product(result, square);
  return result.high;
}

}  // namespace dojo
