#include "numerics/scalar_math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/temporary_folder.h"
#include "numerics/scalar_error_for_tests.h"

namespace dojo::scalar {
namespace {

// Every argument in steps of `stride` bit patterns, against the C library in double.
struct Worst {
  double ulps = 0;
  float argument = 0;
};

Worst worst_error(float (*ours)(float), double (*exact)(double), std::uint32_t stride) {
  Worst worst;
  for (std::uint64_t bits = 0; bits < 0x100000000ull; bits += stride) {
    const float x = from_bits(static_cast<std::uint32_t>(bits));
    if (x != x) continue;
    const double ulps = error_in_last_places(ours(x), exact(static_cast<double>(x)));
    if (!(ulps <= worst.ulps)) worst = {ulps, x};
  }
  return worst;
}

double exact_sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double exact_reciprocal_sqrt(double x) { return 1 / std::sqrt(x); }
double exact_reciprocal(double x) { return 1 / x; }

struct Row {
  const char* name;
  float (*ours)(float);
  double (*exact)(double);
  double bound;
};

const std::array rows = {
    Row{"exp", exp, std::exp, 1.0},
    Row{"log", log, std::log, 1.0},
    Row{"tanh", tanh, std::tanh, 2.0},
    Row{"sigmoid", sigmoid, exact_sigmoid, 2.5},
    Row{"erf", erf, std::erf, 1.5},
    Row{"atan", atan, std::atan, 2.5},
    Row{"reciprocal_sqrt", reciprocal_sqrt, exact_reciprocal_sqrt, 1.5},
    Row{"reciprocal", reciprocal, exact_reciprocal, 0.5},
    Row{"sqrt", sqrt, std::sqrt, 0.5},
    Row{"floor", floor, std::floor, 0.0},
    Row{"trunc", trunc, std::trunc, 0.0},
    Row{"exp2", exp2, std::exp2, 0.51},
    Row{"expm1", expm1, std::expm1, 0.51},
    Row{"log2", log2, std::log2, 0.51},
    Row{"log10", log10, std::log10, 0.51},
    Row{"log1p", log1p, std::log1p, 0.51},
    Row{"sinh", sinh, std::sinh, 0.51},
    Row{"cosh", cosh, std::cosh, 0.51},
    Row{"asinh", asinh, std::asinh, 0.51},
    Row{"acosh", acosh, std::acosh, 0.51},
    Row{"atanh", atanh, std::atanh, 0.51},
    Row{"sin", sin, std::sin, 0.51},
    Row{"cos", cos, std::cos, 0.51},
    Row{"tan", tan, std::tan, 0.51},
    Row{"asin", asin, std::asin, 0.51},
    Row{"acos", acos, std::acos, 0.51},
    Row{"erfc", erfc, std::erfc, 0.51},
};

// DOJO_EXHAUSTIVE=1 tries all 2^32 arguments (minutes); otherwise every 331st, which is coprime to every
// power of two.
class ErrorOf : public ::testing::TestWithParam<Row> {};

TEST_P(ErrorOf, StaysWithinTheStatedBound) {
  const bool is_exhaustive = std::getenv("DOJO_EXHAUSTIVE") != nullptr;
  const Row row = GetParam();
  const Worst worst = worst_error(row.ours, row.exact, is_exhaustive ? 1 : 331);
  EXPECT_LE(worst.ulps, row.bound) << row.name << " at " << worst.argument;
  RecordProperty(row.name, std::to_string(worst.ulps));
  if (is_exhaustive)
    std::printf("%s: %.3f ulp at %a\n", row.name, worst.ulps, static_cast<double>(worst.argument));
}

INSTANTIATE_TEST_SUITE_P(ScalarMath, ErrorOf, ::testing::ValuesIn(rows),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ScalarMath, SpecialArguments) {
  const float infinity = std::numeric_limits<float>::infinity(),
              nan = std::numeric_limits<float>::quiet_NaN();
  for (const Row& row : rows) EXPECT_TRUE(std::isnan(row.ours(nan))) << row.name;
  EXPECT_EQ(exp(-infinity), 0);
  EXPECT_EQ(exp(infinity), infinity);
  EXPECT_EQ(exp(0.0f), 1);
  EXPECT_EQ(log(0.0f), -infinity);
  EXPECT_EQ(log(infinity), infinity);
  EXPECT_TRUE(std::isnan(log(-1.0f)));
  EXPECT_EQ(log(1.0f), 0);
  EXPECT_EQ(tanh(infinity), 1);
  EXPECT_EQ(tanh(-infinity), -1);
  EXPECT_EQ(sigmoid(-infinity), 0);
  EXPECT_EQ(sigmoid(infinity), 1);
  EXPECT_EQ(erf(infinity), 1);
  EXPECT_EQ(atan(infinity), std::atan(infinity));
  EXPECT_EQ(atan(-infinity), std::atan(-infinity));
  for (const auto f : {tanh, erf, atan, floor}) {
    EXPECT_TRUE(std::signbit(f(-0.0f)));
    EXPECT_FALSE(std::signbit(f(0.0f)));
  }
}

struct PairRow {
  const char* name;
  float (*ours)(float, float);
  double (*exact)(double, double);
  double bound;
};

double exact_remainder(double x, double y) {
  const double rest = std::fmod(x, y);
  if (rest == 0) return std::copysign(rest, y);
  return std::signbit(rest) != std::signbit(y) ? rest + y : rest;
}

const std::array pair_rows = {
    PairRow{"pow", pow, std::pow, 0.51},
    PairRow{"atan2", atan2, std::atan2, 0.51},
    PairRow{"fmod", fmod, std::fmod, 0.0},
    PairRow{"remainder", remainder, exact_remainder, 0.5},
};

// Any bits; numbers of like size, small whole ones among them; and powers that FP32 holds.
TEST(ScalarMath, ErrorsOfTwoArgumentsStayWithinTheStatedBounds) {
  std::mt19937 bits(11);
  const auto any = [&] { return from_bits(static_cast<std::uint32_t>(bits())); };
  const auto number = [&] { return std::ldexp(static_cast<float>(static_cast<std::int32_t>(bits())), -28); };
  std::vector<std::array<float, 2>> arguments;
  for (int i = 0; i < 200000; ++i) {
    arguments.push_back({any(), any()});
    arguments.push_back({number(), number()});
    arguments.push_back({std::round(number()), std::round(number())});
    const float base = absolute(any());
    arguments.push_back({base, 20 * number() / std::log2(base)});
    arguments.push_back({1 + std::ldexp(number(), -15), 1e5f * number()});
  }
  for (const PairRow& row : pair_rows) {
    double worst = 0;
    for (const auto& [x, y] : arguments) {
      const double ulps = error_in_last_places(row.ours(x, y), row.exact(x, y));
      worst = std::max(worst, ulps);
      ASSERT_LE(ulps, row.bound) << row.name << " of " << x << " and " << y;
    }
    RecordProperty(row.name, std::to_string(worst));
  }
}

// Every special case of C and IEEE 754: zeros, infinities, NaNs, odd, even and broken numbers of either sign.
TEST(ScalarMath, SpecialPairsAreTheCLibrarys) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> magnitudes = {0,
                                         1e-45f,
                                         1e-38f,
                                         0.25f,
                                         0.5f,
                                         0.99999994f,
                                         1,
                                         1.0000001f,
                                         1.5f,
                                         2,
                                         2.5f,
                                         3,
                                         4,
                                         8388607,
                                         8388607.5f,
                                         16777215,
                                         16777216,
                                         1e20f,
                                         3e38f,
                                         infinity,
                                         std::numeric_limits<float>::max(),
                                         std::numeric_limits<float>::quiet_NaN()};
  std::vector<float> some;
  for (const float magnitude : magnitudes)
    for (const float sign : {1.0f, -1.0f}) some.push_back(copy_sign(magnitude, sign));
  for (const PairRow& row : pair_rows)
    for (const float x : some)
      for (const float y : some)
        EXPECT_LE(error_in_last_places(row.ours(x, y), row.exact(x, y)), row.bound)
            << row.name << " of " << x << " and " << y << ": " << row.ours(x, y);
}

// A NaN stays one, whatever its sign but for relu_of_result, and finite arguments give the bits that plain
// comparisons do.
// Sums of 2^16 draws, and of products of two kinds of them, lie within five of their deviations.
TEST(ScalarMath, DrawsAreLikeIndependentOnes) {
  constexpr int count = 1 << 16;
  const double deviation = std::sqrt(1.0 / 12 / count), of_product = 1.0 / 12 / std::sqrt(count);
  const auto draw = [](int key, int launch, int point) {
    const float drawn =
        uniform(static_cast<float>(key), static_cast<float>(launch), static_cast<float>(point));
    EXPECT_TRUE(drawn >= 0 && drawn < 1 && drawn * 16777216.0f == std::floor(drawn * 16777216.0f));
    return static_cast<double>(drawn) - 0.5;
  };
  for (const auto& [key, launch, first] :
       {std::array{0, 0, 0}, {1, 0, 0}, {7, 1234567, 0}, {1 << 23, 3, 1 << 23}}) {
    double sum = 0, square = 0;
    std::array<double, 5> products = {};
    std::array<int, 256> bins = {};
    for (int k = 0; k < count; ++k) {
      const int point = first + k;
      const double here = draw(key, launch, point);
      sum += here;
      square += here * here;
      ++bins[static_cast<std::size_t>((here + 0.5) * 256)];
      const std::array others = {draw(key, launch, point + 1), draw(key, launch, point + 64),
                                 draw(key, launch + 1, point), draw(key + 1, launch, point),
                                 draw(key, launch + 1, point + 1)};
      for (std::size_t o = 0; o < others.size(); ++o) products[o] += here * others[o];
    }
    EXPECT_LT(std::fabs(sum / count), 5 * deviation);
    EXPECT_NEAR(square / count, 1.0 / 12, 5 * std::sqrt(1.0 / 180 / count));
    for (const double product : products) EXPECT_LT(std::fabs(product / count), 5 * of_product);
    double chi = 0;
    for (const int bin : bins) chi += (bin - 256.0) * (bin - 256.0) / 256;
    EXPECT_LT(chi, 255 + 5 * std::sqrt(2.0 * 255));
    EXPECT_GT(chi, 255 - 5 * std::sqrt(2.0 * 255));
  }
}

TEST(ScalarMath, ChoosingOneOfTwoKeepsNaN) {
  constexpr float infinity = std::numeric_limits<float>::infinity(),
                  nan = std::numeric_limits<float>::quiet_NaN();
  const std::array<float, 10> some = {0, -0.0f, 1e-45f, -1e-45f, 1, -1, infinity, -infinity, 3e38f, -3e38f};
  for (const float unknown : {nan, -nan}) {
    EXPECT_TRUE(std::isnan(relu(unknown)));
    EXPECT_TRUE(std::isnan(minimum(unknown, unknown)) && std::isnan(maximum(unknown, unknown)));
    for (const float b : some) {
      EXPECT_TRUE(std::isnan(minimum(unknown, b)) && std::isnan(minimum(b, unknown)));
      EXPECT_TRUE(std::isnan(maximum(unknown, b)) && std::isnan(maximum(b, unknown)));
      EXPECT_TRUE(std::isnan(at_most(unknown, b)) && std::isnan(at_least(unknown, b)));
    }
  }
  EXPECT_TRUE(std::isnan(relu_of_result(nan)));
  for (const float a : some) {
    EXPECT_EQ(to_bits(relu(a)), to_bits(a > 0 ? a : 0)) << a;
    EXPECT_EQ(to_bits(relu_of_result(a)), to_bits(relu(a))) << a;
    for (const float b : some) {
      EXPECT_EQ(to_bits(minimum(a, b)), to_bits(a < b ? a : b)) << a << ' ' << b;
      EXPECT_EQ(to_bits(maximum(a, b)), to_bits(a > b ? a : b)) << a << ' ' << b;
      EXPECT_EQ(to_bits(at_most(a, b)), to_bits(minimum(a, b))) << a << ' ' << b;
      EXPECT_EQ(to_bits(at_least(a, b)), to_bits(maximum(a, b))) << a << ' ' << b;
    }
  }
}

// A loop over each function, compiled for the node, must be vector code: loads and stores of vectors, no
// call.
class NodeCode : public ::testing::TestWithParam<const char*> {};

std::string node_assembly(const std::string& function, bool of_two) {
  const TemporaryFolder folder("dojo-scalar-math");
  const std::string source = (folder.path() / "loop.cpp").string();
  std::FILE* file = std::fopen(source.c_str(), "w");
  std::fprintf(file,
               "#include \"numerics/scalar_math.h\"\n"
               "void loop(const float* __restrict in, const float* __restrict more, float* __restrict out, "
               "unsigned long n) {\n"
               "  for (unsigned long i = 0; i < n; ++i) out[i] = dojo::scalar::%s(in[i]%s);\n}\n",
               function.c_str(), of_two ? ", more[i]" : "");
  std::fclose(file);
  const std::string command =
      "clang++-22 --target=riscv64-unknown-elf -march=rv64gcv_zvl512b -mabi=lp64d -std=c++20 -O3 "
      "-ffreestanding -ffp-contract=off "
      "-fno-math-errno -I " DOJO_SOURCE_DIR "/src -S -o - " +
      source;
  std::string text;
  std::FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> buffer;
  while (std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) text.append(buffer.data(), got);
  EXPECT_EQ(pclose(pipe), 0) << command;
  return text;
}

TEST_P(NodeCode, IsVectorCodeWithoutCalls) {
  if (std::system("clang++-22 --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "no clang++-22 here";
  const std::string name = GetParam();
  const bool of_two = std::ranges::any_of(pair_rows, [&](const PairRow& row) { return name == row.name; });
  const std::string text = node_assembly(name, of_two);
  EXPECT_NE(text.find("\tvle32.v"), std::string::npos) << text;
  EXPECT_NE(text.find("\tvse32.v"), std::string::npos) << text;
  EXPECT_EQ(text.find("\tcall"), std::string::npos) << text;
}

std::vector<const char*> loops() {
  std::vector<const char*> names = {"relu", "relu_of_result"};
  for (const Row& row : rows) names.push_back(row.name);
  for (const PairRow& row : pair_rows) names.push_back(row.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(ScalarMath, NodeCode, ::testing::ValuesIn(loops()),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace dojo::scalar
