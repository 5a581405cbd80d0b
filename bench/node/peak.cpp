// Vector multiply-adds and nothing else: what one core of this computer can at most.
// usage: peak avx2|avx512 MILLIONS: of rounds of 14 multiply-adds, each of which needs one of the round
// before.
#include <immintrin.h>

#include <cstdlib>
#include <cstring>

namespace {

constexpr int at_once = 14;  // with a and b as many as AVX2 has registers
constexpr long million = 1'000'000;

[[gnu::target("avx2,fma")]] float with_avx2(long rounds) {
  __m256 sums[at_once];
  for (int i = 0; i < at_once; ++i) sums[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 a = _mm256_set1_ps(0.5f), b = _mm256_set1_ps(1.0f);
  for (long round = 0; round < rounds; ++round)
#pragma GCC unroll 14
    for (int i = 0; i < at_once; ++i) sums[i] = _mm256_fmadd_ps(sums[i], a, b);
  float sum = 0;
  for (const __m256& one : sums) sum += _mm256_cvtss_f32(one);
  return sum;
}

[[gnu::target("avx512f")]] float with_avx512(long rounds) {
  __m512 sums[at_once];
  for (int i = 0; i < at_once; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 a = _mm512_set1_ps(0.5f), b = _mm512_set1_ps(1.0f);
  for (long round = 0; round < rounds; ++round)
#pragma GCC unroll 14
    for (int i = 0; i < at_once; ++i) sums[i] = _mm512_fmadd_ps(sums[i], a, b);
  float sum = 0;
  for (const __m512& one : sums) sum += _mm512_cvtss_f32(one);
  return sum;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const bool is_avx512 = std::strcmp(arguments[1], "avx512") == 0;
  if (is_avx512 ? !__builtin_cpu_supports("avx512f") : !__builtin_cpu_supports("avx2")) return 3;
  const long rounds = std::atol(arguments[2]) * million;
  const float sum = is_avx512 ? with_avx512(rounds) : with_avx2(rounds);
  return sum > 0 ? 0 : 1;
}
