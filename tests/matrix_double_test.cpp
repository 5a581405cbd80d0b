// Does what clang emits from SiFive's intrinsics for FP64 tiles multiply matrices, bit for bit as fma on this
// computer?
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>

#include "base/random.h"
#include "system/computer.h"
#include "system/guest_for_tests.h"

namespace dojo {
namespace {

constexpr unsigned rows = 7, columns = 5, depth = 9;

constexpr std::string_view double_globals = R"(
#include <riscv_vector.h>
#include <sifive_vector.h>
  static double a[DEPTH][8] = A_VALUES, b[DEPTH][8] = B_VALUES, c[64];
)";
constexpr std::string_view double_body = R"(
  __riscv_sf_vtzero_t_e64w1(6, ROWS, COLUMNS);
  for (int k = 0; k < DEPTH; ++k) {
    const vfloat64m8_t column = __riscv_vle64_v_f64m8(a[k], ROWS), row = __riscv_vle64_v_f64m8(b[k], COLUMNS);
    __riscv_sf_mm_f_f_w1_f64m8(6, column, row, ROWS, COLUMNS, 1);
  }
  for (uint64_t m = 0; m < ROWS; ++m) __riscv_sf_vste64(6ull << 27 | m, c + 8 * m, COLUMNS);
  system_call(64, 1, address(c), sizeof c);
  return 0;
)";

using OperandRows = std::array<std::array<double, 8>, depth>;

std::string initializer(const OperandRows& operand) {
  std::string text = "{";
  for (const auto& line : operand) text += fmt::format("{{{:a}}},", fmt::join(line, ","));
  return text + "}";
}

TEST(MatrixDouble, ClangsIntrinsicsMultiply) {
  Random random(1);
  OperandRows a, b;
  for (OperandRows* operand : {&a, &b})
    for (auto& line : *operand)
      for (double& x : line) x = random.uniform(-1, 1);
  const system::Program program = system::Program::parse(
      system::build_guest(
          fmt::format("#define DEPTH {}\n#define ROWS {}\n#define COLUMNS {}\n#define A_VALUES {}\n#define "
                      "B_VALUES {}\n",
                      depth, rows, columns, initializer(a), initializer(b)) +
              system::guest_source(double_globals, double_body),
          "-O3 -menable-experimental-extensions -march=rv64gcv_zvl512b_xsfmmbase_xsfmm64a64f_xsfmm16t"),
      "guest");
  system::Computer computer(machine::read_machine("d1"), 1);
  std::string output;
  system::LaunchOptions options;
  options.text_output = [&output](std::string_view words) { output += words; };
  const system::LaunchResult result = computer.launch(program, 0, 0, options);
  ASSERT_EQ(result.outcome, system::Outcome::finished)
      << (result.stranded.empty() ? "" : result.stranded[0].disassembly);
  ASSERT_EQ(output.size(), 64 * sizeof(double));
  EXPECT_EQ(result.ledger.total("nodes", "matrix.macs"), rows * columns * depth);
  for (unsigned m = 0; m < 8; ++m)
    for (unsigned n = 0; n < 8; ++n) {
      double sum = 0, found;
      for (unsigned k = 0; m < rows && n < columns && k < depth; ++k) sum = std::fma(a[k][m], b[k][n], sum);
      std::memcpy(&found, output.data() + (m * 8 + n) * sizeof found, sizeof found);
      EXPECT_EQ(found, sum) << m << " " << n;
    }
}

}  // namespace
}  // namespace dojo
