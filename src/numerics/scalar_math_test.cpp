#include "numerics/scalar_math.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "base/temporary_folder.h"

namespace dojo::scalar {
namespace {

// Every argument in steps of `stride` bit patterns, against the C library in double. The error is counted in
// units of the last place of the exact result's binade (subnormal results: of the smallest subnormal).
struct Worst {
  double ulps = 0;
  float argument = 0;
};

Worst worst_error(float (*ours)(float), double (*exact)(double), std::uint32_t stride) {
  Worst worst;
  for (std::uint64_t bits = 0; bits < 0x100000000ull; bits += stride) {
    const float x = from_bits(static_cast<std::uint32_t>(bits));
    if (x != x) continue;
    const double truth = exact(x);
    const float result = ours(x);
    if (truth != truth || std::fabs(truth) >= 0x1.ffffffp127) {
      if (std::isnan(truth) ? std::isnan(result) : result == static_cast<float>(truth)) continue;
      return {std::numeric_limits<double>::infinity(), x};
    }
    const int exponent = truth == 0 ? -126 : std::max(std::ilogb(truth), -126);
    const double ulps = std::fabs(static_cast<double>(result) - truth) / std::ldexp(1.0, exponent - 23);
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
};

// DOJO_EXHAUSTIVE=1 tries all 2^32 arguments (minutes); otherwise every 331st, which is coprime to every
// power of two.
TEST(ScalarMath, ErrorsStayWithinTheStatedBounds) {
  const std::uint32_t stride = std::getenv("DOJO_EXHAUSTIVE") ? 1 : 331;
  for (const Row& row : rows) {
    const Worst worst = worst_error(row.ours, row.exact, stride);
    EXPECT_LE(worst.ulps, row.bound) << row.name << " at " << worst.argument;
    RecordProperty(row.name, std::to_string(worst.ulps));
    if (std::getenv("DOJO_EXHAUSTIVE"))
      std::printf("%s: %.3f ulp at %a\n", row.name, worst.ulps, static_cast<double>(worst.argument));
  }
}

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

// A NaN stays one, whatever its sign but for relu_of_result, and finite arguments give the bits that plain
// comparisons do.
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

std::string node_assembly(const std::string& function) {
  const TemporaryFolder folder("dojo-scalar-math");
  const std::string source = (folder.path() / "loop.cpp").string();
  std::FILE* file = std::fopen(source.c_str(), "w");
  std::fprintf(file,
               "#include \"numerics/scalar_math.h\"\n"
               "void loop(const float* __restrict in, float* __restrict out, unsigned long n) {\n"
               "  for (unsigned long i = 0; i < n; ++i) out[i] = dojo::scalar::%s(in[i]);\n}\n",
               function.c_str());
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
  const std::string text = node_assembly(GetParam());
  EXPECT_NE(text.find("\tvle32.v"), std::string::npos) << text;
  EXPECT_NE(text.find("\tvse32.v"), std::string::npos) << text;
  EXPECT_EQ(text.find("\tcall"), std::string::npos) << text;
}

std::vector<const char*> loops() {
  std::vector<const char*> names = {"relu", "relu_of_result"};
  for (const Row& row : rows) names.push_back(row.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(ScalarMath, NodeCode, ::testing::ValuesIn(loops()),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace dojo::scalar
