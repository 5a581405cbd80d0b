// Multiply-adds of FP32 elements by whole host vectors.
#pragma once

#include <immintrin.h>

#include <cstddef>

namespace dojo::isa::vector {

// How a multiply-add takes its operands: c is the destination, b vs2, a vs1 or one number for all.
struct MultiplyAdd {
  bool accumulate;  // a * b + c, otherwise a * c + b
  bool negate_product, negate_addend;
  bool one_a;
};

// From element 0 on, as far as there are whole host vectors and until a result is a NaN, which needs more
// care: returns how many elements are done. Flags go to MXCSR; a group of elements that was given up is
// untouched, but may have raised those flags that computing it again will raise.
#if defined(__AVX2__) && defined(__FMA__)

template <MultiplyAdd kind>
[[gnu::always_inline]] inline __m256 fused_vector(const float* c, const float* b, __m256 a) {
  const __m256 factor = _mm256_loadu_ps(kind.accumulate ? b : c);
  const __m256 addend = _mm256_loadu_ps(kind.accumulate ? c : b);
  if constexpr (kind.negate_product)
    return kind.negate_addend ? _mm256_fnmsub_ps(a, factor, addend) : _mm256_fnmadd_ps(a, factor, addend);
  else
    return kind.negate_addend ? _mm256_fmsub_ps(a, factor, addend) : _mm256_fmadd_ps(a, factor, addend);
}

template <MultiplyAdd kind>
std::size_t fused_without_nan(float* c, const float* b, const float* a, std::size_t count) {
  constexpr std::size_t width = 8;
  const __m256 all = _mm256_set1_ps(*a);
  const auto at = [&](std::size_t i) {
    return fused_vector<kind>(c + i, b + i, kind.one_a ? all : _mm256_loadu_ps(a + i));
  };
  const auto unordered = [](__m256 x, __m256 y) { return _mm256_cmp_ps(x, y, _CMP_UNORD_Q); };
  std::size_t i = 0;
  for (; i + 4 * width <= count; i += 4 * width) {
    const __m256 s0 = at(i), s1 = at(i + width), s2 = at(i + 2 * width), s3 = at(i + 3 * width);
    if (_mm256_movemask_ps(_mm256_or_ps(unordered(s0, s1), unordered(s2, s3))) != 0) [[unlikely]]
      return i;
    _mm256_storeu_ps(c + i, s0);
    _mm256_storeu_ps(c + i + width, s1);
    _mm256_storeu_ps(c + i + 2 * width, s2);
    _mm256_storeu_ps(c + i + 3 * width, s3);
  }
  for (; i + width <= count; i += width) {
    const __m256 sum = at(i);
    if (_mm256_movemask_ps(unordered(sum, sum)) != 0) [[unlikely]]
      return i;
    _mm256_storeu_ps(c + i, sum);
  }
  return i;
}

#else

template <MultiplyAdd>
std::size_t fused_without_nan(float*, const float*, const float*, std::size_t) {
  return 0;
}

#endif

}  // namespace dojo::isa::vector
