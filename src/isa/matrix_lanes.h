// A row of a tile, or its first half, in host registers: the arithmetic of the matrix unit, once for each
// kind of host vector. All kinds give the same bits and raise the same exceptions; Portable is the plainest.
//
// A kind of row has
//   width                            elements it holds: those from there on do not exist for it
//   load, store                      all elements
//   Below                            the elements before n; `kept` makes the others zero, `store` leaves them
//   add_product(a, b)                each element becomes fma(a, b, element)
//   any_nan(rows)                    whether any element of these rows is a NaN; no signalling one may be
//   there canonical                        every NaN becomes the canonical one any_zero, any_infinity of no
//   signalling NaN, or one that raises its flag anyway not_finite(from)                 bit m: from[m] is
//   infinity or NaN, of tile_edge elements
#pragma once

#include <immintrin.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "isa/hart.h"

namespace dojo::isa::lanes {

constexpr std::uint32_t exponent_mask = 0x7f800000, canonical_nan = 0x7fc00000;

template <unsigned elements>
struct Portable {
  static constexpr unsigned width = elements;
  std::array<float, width> v;

  struct Below {
    unsigned n;
    explicit Below(unsigned count) : n(count) {}
    Portable kept(Portable row) const {
      for (unsigned i = n; i < width; ++i) row.v[i] = 0.0f;
      return row;
    }
    void store(const Portable& row, float* to) const {
      for (unsigned i = 0; i < n; ++i) to[i] = row.v[i];
    }
  };

  static Portable load(const float* from) {
    Portable row;
    for (unsigned i = 0; i < width; ++i) row.v[i] = from[i];
    return row;
  }
  void store(float* to) const {
    for (unsigned i = 0; i < width; ++i) to[i] = v[i];
  }
  void add_product(float a, const Portable& b) {
    for (unsigned i = 0; i < width; ++i) v[i] = std::fma(a, b.v[i], v[i]);
  }
  template <std::size_t count>
  static bool any_nan(const std::array<Portable, count>& rows) {
    for (const Portable& row : rows)
      for (const float x : row.v)
        if (std::isnan(x)) return true;
    return false;
  }
  Portable canonical() const {
    Portable row = *this;
    for (float& x : row.v)
      if (std::isnan(x)) x = std::bit_cast<float>(canonical_nan);
    return row;
  }
  bool any_magnitude(std::uint32_t wanted) const {
    for (const float x : v)
      if ((std::bit_cast<std::uint32_t>(x) & 0x7fffffff) == wanted) return true;
    return false;
  }
  bool any_zero() const { return any_magnitude(0); }
  bool any_infinity() const { return any_magnitude(exponent_mask); }
  static unsigned not_finite(const float* from) {
    unsigned found = 0;
    for (unsigned m = 0; m < tile_edge; ++m)
      found |= static_cast<unsigned>((std::bit_cast<std::uint32_t>(from[m]) & exponent_mask) == exponent_mask)
               << m;
    return found;
  }
};

#if defined(__AVX2__) && defined(__FMA__)

template <unsigned elements>
struct Avx2 {
  static constexpr unsigned width = elements, parts = width / 8;
  __m256 v[parts];

  struct Below {
    __m256 mask[parts];  // all ones in the elements before n
    explicit Below(unsigned n) {
      const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
      for (unsigned p = 0; p < parts; ++p)
        mask[p] = _mm256_castsi256_ps(
            _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n) - static_cast<int>(8 * p)), lane));
    }
    Avx2 kept(Avx2 row) const {
      for (unsigned p = 0; p < parts; ++p) row.v[p] = _mm256_and_ps(row.v[p], mask[p]);
      return row;
    }
    // The other elements are written back as they are: faster than a masked store, and the tile is the hart's
    // alone.
    void store(const Avx2& row, float* to) const {
      for (unsigned p = 0; p < parts; ++p)
        _mm256_storeu_ps(to + 8 * p, _mm256_blendv_ps(_mm256_loadu_ps(to + 8 * p), row.v[p], mask[p]));
    }
  };

  static Avx2 load(const float* from) {
    Avx2 row;
    for (unsigned p = 0; p < parts; ++p) row.v[p] = _mm256_loadu_ps(from + 8 * p);
    return row;
  }
  void store(float* to) const {
    for (unsigned p = 0; p < parts; ++p) _mm256_storeu_ps(to + 8 * p, v[p]);
  }
  void add_product(float a, const Avx2& b) {
    const __m256 all = _mm256_set1_ps(a);
    for (unsigned p = 0; p < parts; ++p) v[p] = _mm256_fmadd_ps(all, b.v[p], v[p]);
  }
  // One comparison looks at two vectors.
  template <std::size_t count>
  static bool any_nan(const std::array<Avx2, count>& rows) {
    constexpr std::size_t vectors = count * parts;
    __m256 found = _mm256_setzero_ps();
    for (std::size_t i = 0; i < vectors; i += 2) {
      const __m256 x = rows[i / parts].v[i % parts];
      const __m256 y = i + 1 < vectors ? rows[(i + 1) / parts].v[(i + 1) % parts] : x;
      found = _mm256_or_ps(found, _mm256_cmp_ps(x, y, _CMP_UNORD_Q));
    }
    return _mm256_movemask_ps(found) != 0;
  }
  Avx2 canonical() const {
    Avx2 row;
    for (unsigned p = 0; p < parts; ++p)
      row.v[p] = _mm256_blendv_ps(v[p], _mm256_castsi256_ps(_mm256_set1_epi32(canonical_nan)),
                                  _mm256_cmp_ps(v[p], v[p], _CMP_UNORD_Q));
    return row;
  }
  bool any_magnitude(std::uint32_t wanted) const {
    int found = 0;
    for (unsigned p = 0; p < parts; ++p) {
      const __m256i magnitude = _mm256_and_si256(_mm256_castps_si256(v[p]), _mm256_set1_epi32(0x7fffffff));
      found |=
          _mm256_movemask_epi8(_mm256_cmpeq_epi32(magnitude, _mm256_set1_epi32(static_cast<int>(wanted))));
    }
    return found != 0;
  }
  bool any_zero() const { return any_magnitude(0); }
  bool any_infinity() const { return any_magnitude(exponent_mask); }
  static unsigned not_finite(const float* from) {
    const __m256i exponent = _mm256_set1_epi32(exponent_mask);
    const auto half = [&](const float* eight) {
      const __m256i bits = _mm256_castps_si256(_mm256_loadu_ps(eight));
      const __m256i full = _mm256_cmpeq_epi32(_mm256_and_si256(bits, exponent), exponent);
      return static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(full)));
    };
    return half(from) | half(from + 8) << 8;
  }
};

#endif

#if defined(__AVX512F__)

// Always a whole row: half a register costs as much as a whole one.
struct Avx512 {
  static constexpr unsigned width = tile_edge;
  __m512 v;

  struct Below {
    __mmask16 mask;
    explicit Below(unsigned n) : mask(static_cast<__mmask16>((1u << n) - 1)) {}
    Avx512 kept(const Avx512& row) const { return {_mm512_maskz_mov_ps(mask, row.v)}; }
    void store(const Avx512& row, float* to) const { _mm512_mask_storeu_ps(to, mask, row.v); }
  };

  static Avx512 load(const float* from) { return {_mm512_loadu_ps(from)}; }
  void store(float* to) const { _mm512_storeu_ps(to, v); }
  void add_product(float a, const Avx512& b) { v = _mm512_fmadd_ps(_mm512_set1_ps(a), b.v, v); }
  template <std::size_t count>
  static bool any_nan(const std::array<Avx512, count>& rows) {
    unsigned found = 0;
    for (std::size_t i = 0; i < count; i += 2)
      found |= _mm512_cmp_ps_mask(rows[i].v, rows[i + 1 < count ? i + 1 : i].v, _CMP_UNORD_Q);
    return found != 0;
  }
  Avx512 canonical() const {
    return {_mm512_mask_mov_ps(v, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q),
                               _mm512_castsi512_ps(_mm512_set1_epi32(canonical_nan)))};
  }
  bool any_magnitude(std::uint32_t wanted) const {
    const __m512i magnitude = _mm512_and_si512(_mm512_castps_si512(v), _mm512_set1_epi32(0x7fffffff));
    return _mm512_cmpeq_epi32_mask(magnitude, _mm512_set1_epi32(static_cast<int>(wanted))) != 0;
  }
  bool any_zero() const { return any_magnitude(0); }
  bool any_infinity() const { return any_magnitude(exponent_mask); }
  static unsigned not_finite(const float* from) {
    const __m512i exponent = _mm512_set1_epi32(exponent_mask);
    return _mm512_cmpeq_epi32_mask(_mm512_and_si512(_mm512_castps_si512(_mm512_loadu_ps(from)), exponent),
                                   exponent);
  }
};

template <unsigned>
using Row = Avx512;
#elif defined(__AVX2__) && defined(__FMA__)
template <unsigned elements>
using Row = Avx2<elements>;
#else
template <unsigned elements>
using Row = Portable<elements>;
#endif

}  // namespace dojo::isa::lanes
