// Does the device library multiply matrices bit for bit as the definition in device/dojo.h does?
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "device_for_tests.h"
#include "numerics/convert.h"

namespace dojo::device_tests {
namespace {

struct MatmulCase {
  std::uint64_t is_fp32, m, n, k, lda, ldb, ldc, accumulate, a, b, c, rows;
};

const char* const matmul_body = R"(
struct Case { uint64_t is_fp32, m, n, k, lda, ldb, ldc, accumulate, a, b, c, rows; };
int main() {
  const uint64_t* count = (const uint64_t*)0x20000;
  const Case* cases = (const Case*)(count + 1);
  for (uint64_t i = 0; i < *count; ++i) {
    const Case& it = cases[i];
    const int32_t* rows = (const int32_t*)it.rows;
    if (rows && it.is_fp32)
      matmul_listed((const float*)it.a, it.lda, (const float*)it.b, rows, (float*)it.c, it.ldc, it.m, it.n, it.k, it.accumulate);
    else if (rows)
      matmul_listed((const bf16*)it.a, it.lda, (const bf16*)it.b, rows, (float*)it.c, it.ldc, it.m, it.n, it.k, it.accumulate);
    else if (it.is_fp32)
      matmul((const float*)it.a, it.lda, (const float*)it.b, it.ldb, (float*)it.c, it.ldc, it.m, it.n, it.k, it.accumulate);
    else
      matmul((const bf16*)it.a, it.lda, (const bf16*)it.b, it.ldb, (float*)it.c, it.ldc, it.m, it.n, it.k, it.accumulate);
  }
  return 0;
}
)";

float element(system::Computer& computer, const MatmulCase& it, std::uint64_t base, std::uint64_t index) {
  if (it.is_fp32) return at<float>(computer, 0, base)[index];
  return numerics::bf16_to_float(at<std::uint16_t>(computer, 0, base)[index]);
}

std::uint64_t row_of_b(system::Computer& computer, const MatmulCase& it, std::uint64_t k) {
  return it.rows != 0 ? static_cast<std::uint64_t>(at<std::int32_t>(computer, 0, it.rows)[k]) : k * it.ldb;
}

// The definition: one fused multiply-add after the other. `before` holds c as it was.
void expect_product(system::Computer& computer, const MatmulCase& it, const std::vector<float>& before) {
  const float* c = at<float>(computer, 0, it.c);
  for (std::uint64_t i = 0; i < it.m; ++i) {
    for (std::uint64_t j = 0; j < it.ldc; ++j) {
      float sum = it.accumulate || j >= it.n ? before[i * it.ldc + j] : 0.0f;
      for (std::uint64_t k = 0; k < it.k && j < it.n; ++k)
        sum = std::fma(element(computer, it, it.a, k * it.lda + i),
                       element(computer, it, it.b, row_of_b(computer, it, k) + j), sum);
      ASSERT_EQ(canonical_bits(c[i * it.ldc + j]), canonical_bits(sum))
          << (it.is_fp32 ? "fp32 " : "bf16 ") << it.m << "x" << it.n << "x" << it.k << " accumulate "
          << it.accumulate << " at " << i << "," << j;
    }
  }
}

class Matmul : public testing::Test {
protected:
  Matmul() : computer_(machine::read_machine("d1"), 1), program_(build("matmul.cpp", matmul_body)) {
    for (std::uint64_t i = 0; i < operand_bytes / 4; ++i)
      at<float>(computer_, 0, fp32_operands)[i] = probe(random_);
    for (std::uint64_t i = 0; i < operand_bytes / 2; ++i)
      at<std::uint16_t>(computer_, 0, bf16_operands)[i] = numerics::float_to_bf16(probe(random_));
    for (std::uint64_t i = 0; i < max_listed; ++i)
      at<std::int32_t>(computer_, 0, row_lists)[i] = static_cast<std::int32_t>(random_.below(furthest_row));
  }

  // Adds a case; runs all when memory is full.
  void add(bool is_fp32, std::uint64_t m, std::uint64_t n, std::uint64_t k, bool accumulate) {
    MatmulCase it{
        is_fp32, m, n, k, m + random_.below(3), n + random_.below(3), n + random_.below(3), accumulate,
        0,       0, 0, 0};
    const std::uint64_t size = is_fp32 ? 4 : 2, base = is_fp32 ? fp32_operands : bf16_operands;
    ASSERT_LE(std::max(it.lda, it.ldb) * k * size, operand_bytes);
    it.a = base + size * random_.below((operand_bytes - it.lda * k * size) / size + 1);
    it.b = base + size * random_.below((operand_bytes - it.ldb * k * size) / size + 1);
    if (random_.below(2) == 1 && k < max_listed) {
      it.b = base;
      it.rows = row_lists + 4 * random_.below(max_listed - k);
      ASSERT_LE((furthest_row + n) * size, operand_bytes);
    }
    const std::uint64_t bytes = m * it.ldc * 4;
    if (next_ + bytes > shared_end || cases_.size() == max_cases) finish();
    it.c = next_;
    next_ += bytes;
    cases_.push_back(it);
  }

  void finish() {
    *at<std::uint64_t>(computer_, 0, table_address) = cases_.size();
    std::memcpy(at<char>(computer_, 0, table_address + 8), cases_.data(), cases_.size() * sizeof(MatmulCase));
    std::vector<std::vector<float>> before;
    for (const MatmulCase& it : cases_) {
      float* c = at<float>(computer_, 0, it.c);
      for (std::uint64_t i = 0; i < it.m * it.ldc; ++i) c[i] = probe(random_);
      before.emplace_back(c, c + it.m * it.ldc);
    }
    run(computer_, program_);
    for (std::size_t i = 0; i < cases_.size(); ++i) expect_product(computer_, cases_[i], before[i]);
    cases_.clear();
    next_ = results;
  }

  static constexpr std::uint64_t max_cases = 600, operand_bytes = 0x20000, max_listed = 256,
                                 furthest_row = 20000;
  static constexpr std::uint64_t row_lists = table_address + 0xf800, fp32_operands = table_address + 0x10000,
                                 bf16_operands = fp32_operands + operand_bytes,
                                 results = bf16_operands + operand_bytes;
  Random random_{3};
  system::Computer computer_;
  system::Program program_;
  std::vector<MatmulCase> cases_;
  std::uint64_t next_ = results;
};

TEST_F(Matmul, EveryShapeUpToTwoTilesAndABitIsExact) {
  for (const bool is_fp32 : {false, true})
    for (std::uint64_t m = 1; m <= 35; ++m)
      for (std::uint64_t n = 1; n <= 35; ++n) add(is_fp32, m, n, 1 + (m * 35 + n) % 9, (m + n) % 3 == 0);
  finish();
}

TEST_F(Matmul, EveryDepthIsExact) {
  for (const bool is_fp32 : {false, true})
    for (std::uint64_t k = 1; k <= 40; ++k)
      for (const std::uint64_t edge : {1, 5, 16, 20, 32}) add(is_fp32, edge, 21, k, k % 2 == 0);
  finish();
}

TEST_F(Matmul, LargerShapesAreExact) {
  for (const bool is_fp32 : {false, true}) {
    for (const bool accumulate : {false, true}) {
      add(is_fp32, 64, 64, 64, accumulate);
      add(is_fp32, 24, 75, 98, accumulate);
      add(is_fp32, 100, 1, 129, accumulate);
      add(is_fp32, 1, 300, 50, accumulate);
      add(is_fp32, 300, 3, 17, accumulate);
      add(is_fp32, 16, 150, 12, accumulate);  // four tiles in a row
      add(is_fp32, 9, 64, 31, accumulate);
      add(is_fp32, 150, 16, 12, accumulate);  // four in a column
      add(is_fp32, 36, 100, 7, accumulate);
      for (const std::uint64_t across : {33, 90, 97, 128, 130, 200}) add(is_fp32, 40, across, 21, accumulate);
      for (const std::uint64_t down : {48, 64, 90, 129}) add(is_fp32, down, 40, 22, accumulate);
    }
  }
  finish();
}

}  // namespace
}  // namespace dojo::device_tests
