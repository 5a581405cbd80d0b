#include "isa/matrix_step.h"

#include <immintrin.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "isa/float_host.h"

namespace dojo::isa {
namespace {

// RISC-V's fma of one element: as IEEE 754, with the canonical NaN, and inf * 0 invalid even if the addend is
// a quiet NaN.
float fused(float a, float b, float c, std::uint8_t& flags) {
  const float sum = std::fma(a, b, c);
  if (!std::isnan(sum)) return sum;
  if ((std::isinf(a) && b == 0.0f) || (a == 0.0f && std::isinf(b))) flags |= invalid;
  return std::numeric_limits<float>::quiet_NaN();
}

[[gnu::noinline]] void rows_defined(float* tile, const MatrixOperands& o, unsigned first, unsigned last,
                                    std::uint8_t& flags) {
  for (unsigned m = first; m < last; ++m)
    for (unsigned n = 0; n < o.tn; ++n) {
      float sum = tile[m * tile_edge + n];
      for (unsigned k = 0; k < o.tk; ++k) sum = fused(o.a[k][m], o.b[k][n], sum, flags);
      tile[m * tile_edge + n] = sum;
    }
}

#if defined(__AVX512F__)

struct Lanes {
  __m512 v;
  static Lanes load(const float* p) { return {_mm512_loadu_ps(p)}; }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  void clear_from(unsigned n) { v = _mm512_maskz_mov_ps(static_cast<__mmask16>((1u << n) - 1), v); }
  void store_below(unsigned n, float* p) const {
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), v);
  }
  void add_product(float a, const Lanes& b) { v = _mm512_fmadd_ps(_mm512_set1_ps(a), b.v, v); }
  bool has_nan() const { return _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q) != 0; }
};

#elif defined(__AVX2__) && defined(__FMA__)

struct Lanes {
  __m256 low, high;
  static Lanes load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  void store(float* p) const {
    _mm256_storeu_ps(p, low);
    _mm256_storeu_ps(p + 8, high);
  }
  // All ones in lanes below n - 8 * half.
  static __m256 below(unsigned n, int half) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n) - 8 * half), lane));
  }
  void clear_from(unsigned n) {
    low = _mm256_and_ps(low, below(n, 0));
    high = _mm256_and_ps(high, below(n, 1));
  }
  // The other elements are written back as they are: faster than a masked store, and the tile is the hart's
  // alone.
  void store_below(unsigned n, float* p) const {
    const Lanes before = load(p);
    _mm256_storeu_ps(p, _mm256_blendv_ps(before.low, low, below(n, 0)));
    _mm256_storeu_ps(p + 8, _mm256_blendv_ps(before.high, high, below(n, 1)));
  }
  void add_product(float a, const Lanes& b) {
    const __m256 all = _mm256_set1_ps(a);
    low = _mm256_fmadd_ps(all, b.low, low);
    high = _mm256_fmadd_ps(all, b.high, high);
  }
  bool has_nan() const {
    return _mm256_movemask_ps(_mm256_or_ps(_mm256_cmp_ps(low, low, _CMP_UNORD_Q),
                                           _mm256_cmp_ps(high, high, _CMP_UNORD_Q))) != 0;
  }
};

#else

struct Lanes {
  std::array<float, tile_edge> v;
  static Lanes load(const float* p) {
    Lanes lanes;
    for (unsigned n = 0; n < tile_edge; ++n) lanes.v[n] = p[n];
    return lanes;
  }
  void store(float* p) const {
    for (unsigned n = 0; n < tile_edge; ++n) p[n] = v[n];
  }
  void clear_from(unsigned n) {
    for (; n < tile_edge; ++n) v[n] = 0.0f;
  }
  void store_below(unsigned count, float* p) const {
    for (unsigned n = 0; n < count; ++n) p[n] = v[n];
  }
  void add_product(float a, const Lanes& b) {
    for (unsigned n = 0; n < tile_edge; ++n) v[n] = std::fma(a, b.v[n], v[n]);
  }
  bool has_nan() const {
    for (float x : v)
      if (std::isnan(x)) return true;
    return false;
  }
};

#endif

// `height` rows at once, so that the host has that many independent sums. Rows that end in a NaN are left to
// the definition: only it knows the canonical NaN and every flag.
// A narrow tile computes on zeros from tn on, which raise no flag as long as A is finite.
template <unsigned height, bool narrow>
void full_rows(float* tile, const MatrixOperands& o, unsigned m, std::uint8_t& flags) {
  std::array<Lanes, height> sums;
  for (unsigned r = 0; r < height; ++r) {
    sums[r] = Lanes::load(tile + (m + r) * tile_edge);
    if constexpr (narrow) sums[r].clear_from(o.tn);
  }
  for (unsigned k = 0; k < o.tk; ++k) {
    Lanes b = Lanes::load(o.b[k].data());
    if constexpr (narrow) b.clear_from(o.tn);
    for (unsigned r = 0; r < height; ++r) sums[r].add_product(o.a[k][m + r], b);
  }
  bool has_nan = false;
  for (const Lanes& sum : sums) has_nan |= sum.has_nan();
  if (has_nan) return rows_defined(tile, o, m, m + height, flags);
  for (unsigned r = 0; r < height; ++r) {
    float* row = tile + (m + r) * tile_edge;
    narrow ? sums[r].store_below(o.tn, row) : sums[r].store(row);
  }
}

template <bool narrow>
[[gnu::noinline]] void whole_tile(float* tile, const MatrixOperands& o, std::uint8_t& flags) {
  unsigned m = 0;
  for (; m + 4 <= o.tm; m += 4) full_rows<4, narrow>(tile, o, m, flags);
  for (; m < o.tm; ++m) full_rows<1, narrow>(tile, o, m, flags);
}

bool finite(const MatrixOperands& o) {
  for (unsigned k = 0; k < o.tk; ++k)
    for (unsigned m = 0; m < o.tm; ++m)
      if ((std::bit_cast<std::uint32_t>(o.a[k][m]) & 0x7f800000) == 0x7f800000) return false;
  return true;
}

[[gnu::noinline]] void narrow_tile(float* tile, const MatrixOperands& o, std::uint8_t& flags) {
  finite(o) ? whole_tile<true>(tile, o, flags) : rows_defined(tile, o, 0, o.tm, flags);
}

// Without products nothing may be looked at: even a comparison of a signalling NaN raises a flag.
[[gnu::noinline]] void any_tile(float* tile, const MatrixOperands& o, std::uint8_t& flags) {
  if (o.tk == 0 || o.tn == 0) return;
  o.tn == tile_edge ? whole_tile<false>(tile, o, flags) : narrow_tile(tile, o, flags);
}

}  // namespace

void matrix_step(float* tile, const MatrixOperands& operands, std::uint8_t& hart_flags) {
  if ((_mm_getcsr() & 0x6000u) == 0) return any_tile(tile, operands, hart_flags);
  const RoundingScope nearest(rne);
  any_tile(tile, operands, hart_flags);
}

void matrix_step_defined(float* tile, const MatrixOperands& operands, std::uint8_t& hart_flags) {
  const RoundingScope nearest(rne);
  rows_defined(tile, operands, 0, operands.tm, hart_flags);
}

}  // namespace dojo::isa
