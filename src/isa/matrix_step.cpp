// How a step goes: the operands' rows stand in FP32; groups of four rows of the tile go through the host's
// registers, each with all its products; a group that ends in a NaN is left as it was and done again by
// `rows_with_nan`, which knows the canonical NaN and the flags that hosts do not raise.
#include "isa/matrix_step.h"

#include <cmath>
#include <limits>

#include "isa/float_host.h"
#include "isa/matrix_lanes.h"

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

// What a kind of tile is made of: the kind of its rows, whether they are full, and how many products go to
// each element.
template <typename RowKind, bool is_narrow, unsigned products>
struct Kind {
  using Row = RowKind;
  static constexpr bool narrow = is_narrow;
  static constexpr unsigned depth = products;
};

// Elements from tn on are zeros in the registers, which raise no flag as long as A is finite.
template <typename Kind>
typename Kind::Row load(const float* from, const typename Kind::Row::Below& columns) {
  const auto row = Kind::Row::load(from);
  if constexpr (Kind::narrow) return columns.kept(row);
  return row;
}

template <typename Kind>
void store(const typename Kind::Row& row, float* to, const typename Kind::Row::Below& columns) {
  if constexpr (Kind::narrow)
    columns.store(row, to);
  else
    row.store(to);
}

// A NaN stays one from product to product, so it need not become canonical before the end.
template <typename Kind>
[[gnu::noinline]] void rows_with_nan(float* tile, const MatrixOperands& o, unsigned first, unsigned last,
                                     std::uint8_t& flags) {
  using Row = typename Kind::Row;
  const typename Row::Below columns(o.tn);
  for (unsigned m = first; m < last; ++m) {
    Row sum = load<Kind>(tile + m * tile_edge, columns);
    for (unsigned k = 0; k < Kind::depth; ++k) {
      const Row b = load<Kind>(o.b[k].data(), columns);
      const float a = o.a[k][m];
      if ((std::isinf(a) && b.any_zero()) || (a == 0.0f && b.any_infinity())) flags |= invalid;
      sum.add_product(a, b);
    }
    store<Kind>(sum.canonical(), tile + m * tile_edge, columns);
  }
}

// Some rows of a tile at once, so that the host has that many independent sums: `tile` and `a` begin at the
// first of them. False if a NaN came out and nothing was stored.
template <typename Kind, unsigned height>
[[gnu::always_inline]] inline bool multiply_rows(float* tile, const float* a, const typename Kind::Row* b,
                                                 const typename Kind::Row::Below& columns) {
  std::array<typename Kind::Row, height> sums;
  for (unsigned r = 0; r < height; ++r) sums[r] = load<Kind>(tile + r * tile_edge, columns);
  for (unsigned k = 0; k < Kind::depth; ++k)
    for (unsigned r = 0; r < height; ++r) sums[r].add_product(a[k * tile_edge + r], b[k]);
  if (Kind::Row::any_nan(sums)) [[unlikely]]
    return false;
  for (unsigned r = 0; r < height; ++r) store<Kind>(sums[r], tile + r * tile_edge, columns);
  return true;
}

// A narrow tile's rows whose elements of A are not all finite are left to the definition.
template <typename Kind, unsigned height>
[[gnu::noinline]] void rows_by_other_ways(float* tile, const MatrixOperands& o, std::size_t m,
                                          std::uint8_t& flags) {
  unsigned not_finite = 0;
  for (unsigned k = 0; k < Kind::depth; ++k) not_finite |= Kind::Row::not_finite(o.a[k].data()) >> m;
  const auto first = static_cast<unsigned>(m);
  if (Kind::narrow && (not_finite & ((1u << height) - 1)) != 0)
    rows_defined(tile, o, first, first + height, flags);
  else
    rows_with_nan<Kind>(tile, o, first, first + height, flags);
}

template <typename Kind>
unsigned left_to_definition(const MatrixOperands& o) {
  unsigned found = 0;
  if constexpr (Kind::narrow)
    for (unsigned k = 0; k < Kind::depth; ++k) found |= Kind::Row::not_finite(o.a[k].data());
  return found;
}

template <typename Kind>
[[gnu::noinline]] void tile_of(float* tile, const MatrixOperands& o, std::uint8_t& flags) {
  using Row = typename Kind::Row;
  const typename Row::Below columns(o.tn);
  Row b[Kind::depth];
  for (unsigned k = 0; k < Kind::depth; ++k) b[k] = load<Kind>(o.b[k].data(), columns);
  const unsigned defined = left_to_definition<Kind>(o);
  const float* a = o.a[0].data();
  const std::size_t tm = o.tm;
  std::size_t m = o.first;
  for (; m + 4 <= tm; m += 4)
    if ((defined >> m & 15) != 0 || !multiply_rows<Kind, 4>(tile + m * tile_edge, a + m, b, columns))
        [[unlikely]]
      rows_by_other_ways<Kind, 4>(tile, o, m, flags);
  for (; m < tm; ++m)
    if ((defined >> m & 1) != 0 || !multiply_rows<Kind, 1>(tile + m * tile_edge, a + m, b, columns))
        [[unlikely]]
      rows_by_other_ways<Kind, 1>(tile, o, m, flags);
}

template <typename Row, bool narrow>
void by_depth(float* tile, const MatrixOperands& o, std::uint8_t& flags) {
  switch (o.tk) {
    case 1:
      return tile_of<Kind<Row, narrow, 1>>(tile, o, flags);
    case 2:
      return tile_of<Kind<Row, narrow, 2>>(tile, o, flags);
    case 3:
      return tile_of<Kind<Row, narrow, 3>>(tile, o, flags);
    default:
      return tile_of<Kind<Row, narrow, 4>>(tile, o, flags);
  }
}

// Without products nothing may be looked at: even a comparison of a signalling NaN raises a flag.
template <template <unsigned> typename Row>
void any_tile(float* tile, const MatrixOperands& o, std::uint8_t& flags) {
  if (o.tk == 0 || o.tn == 0) return;
  if (o.tn == tile_edge) return by_depth<Row<tile_edge>, false>(tile, o, flags);
  if (o.tn > 8) return by_depth<Row<tile_edge>, true>(tile, o, flags);
  o.tn == Row<8>::width ? by_depth<Row<8>, false>(tile, o, flags) : by_depth<Row<8>, true>(tile, o, flags);
}

}  // namespace

void matrix_step(float* tile, const MatrixOperands& operands, std::uint8_t& hart_flags) {
  any_tile<lanes::Row>(tile, operands, hart_flags);
}

void matrix_step_nearest(float* tile, const MatrixOperands& operands, std::uint8_t& hart_flags) {
  const RoundingScope nearest(rne);
  any_tile<lanes::Row>(tile, operands, hart_flags);
}

void matrix_step_portable(float* tile, const MatrixOperands& operands, std::uint8_t& hart_flags) {
  const RoundingScope nearest(rne);
  any_tile<lanes::Portable>(tile, operands, hart_flags);
}

void matrix_step_defined(float* tile, const MatrixOperands& operands, std::uint8_t& hart_flags) {
  const RoundingScope nearest(rne);
  rows_defined(tile, operands, operands.first, operands.tm, hart_flags);
}

}  // namespace dojo::isa
