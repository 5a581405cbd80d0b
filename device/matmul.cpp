// Matrix products on the matrix unit, and on the vector unit where a product has one row or one column.
//
// c is covered by blocks of up to 2 x 2 tiles of up to 16 x 16 accumulators (mt0 mt4 / mt8 mt12), so that
// every operand row that is loaded feeds two tiles. The tiles of a block have one size; where 16 does not
// divide what is left, the last tile is shifted back over its neighbour, and the accumulators that both hold
// are computed twice with the same result. A step takes `depth` rows of a and b: two in bf16, one in FP32.
// Row 0 of an operand lies in the register named, row 1 four registers on (docs/notes on the matrix unit).
//
// The unit's configuration (tile sizes, element format, vl) is state that the compiler does not see, so
// everything between `configure` and the end of a block is written as instructions.
#include <riscv_vector.h>

#include "dojo.h"

namespace dojo {
namespace {

constexpr size_t tile_edge = 16;

// asm statements that are volatile keep their order; the registers they name are used by nothing else here.
#define OPERATE(text) asm volatile(text ::: "memory")
#define OPERATE_ON(text, operand) asm volatile(text : : "r"(operand) : "memory")

struct Bf16 {
  using Element = bf16;
  static constexpr size_t depth = 2;
  [[gnu::always_inline]] static void configure(size_t rows, size_t columns) {
    asm volatile("sf.vsettnt zero, %1, e16alt, w2\n sf.vsettm zero, %0"
                 :
                 : "r"(rows), "r"(columns)
                 : "vl", "vtype", "memory");
  }
  template <int tile>
  [[gnu::always_inline]] static void load_a(const bf16* first, const bf16* second) {
    if constexpr (tile == 0) {
      OPERATE_ON("vle16.v v0, (%0)", first);
      if (second) OPERATE_ON("vle16.v v4, (%0)", second);
    }
    if constexpr (tile == 1) {
      OPERATE_ON("vle16.v v8, (%0)", first);
      if (second) OPERATE_ON("vle16.v v12, (%0)", second);
    }
  }
  template <int tile>
  [[gnu::always_inline]] static void load_b(const bf16* first, const bf16* second) {
    if constexpr (tile == 0) {
      OPERATE_ON("vle16.v v16, (%0)", first);
      if (second) OPERATE_ON("vle16.v v20, (%0)", second);
    }
    if constexpr (tile == 1) {
      OPERATE_ON("vle16.v v24, (%0)", first);
      if (second) OPERATE_ON("vle16.v v28, (%0)", second);
    }
  }
};

struct Fp32 {
  using Element = float;
  static constexpr size_t depth = 1;
  [[gnu::always_inline]] static void configure(size_t rows, size_t columns) {
    asm volatile("sf.vsettnt zero, %1, e32, w1\n sf.vsettm zero, %0"
                 :
                 : "r"(rows), "r"(columns)
                 : "vl", "vtype", "memory");
  }
  template <int tile>
  [[gnu::always_inline]] static void load_a(const float* row, const float*) {
    if constexpr (tile == 0) OPERATE_ON("vle32.v v0, (%0)", row);
    if constexpr (tile == 1) OPERATE_ON("vle32.v v8, (%0)", row);
  }
  template <int tile>
  [[gnu::always_inline]] static void load_b(const float* row, const float*) {
    if constexpr (tile == 0) OPERATE_ON("vle32.v v16, (%0)", row);
    if constexpr (tile == 1) OPERATE_ON("vle32.v v24, (%0)", row);
  }
};

template <int tile>
[[gnu::always_inline]] void zero_tile() {
  if constexpr (tile == 0) OPERATE("sf.vtzero.t mt0");
  if constexpr (tile == 1) OPERATE("sf.vtzero.t mt4");
  if constexpr (tile == 2) OPERATE("sf.vtzero.t mt8");
  if constexpr (tile == 3) OPERATE("sf.vtzero.t mt12");
}

// The name of row `row` of tile mt(4 tile).
constexpr size_t tile_row(size_t tile, size_t row) { return tile << 29 | row; }

[[gnu::always_inline]] inline void load_tile_row(size_t name, const float* from) {
  asm volatile("sf.vlte32 %0, (%1)" : : "r"(name), "r"(from) : "memory");
}

[[gnu::always_inline]] inline void store_tile_row(size_t name, float* to) {
  asm volatile("sf.vste32 %0, (%1)" : : "r"(name), "r"(to) : "memory");
}

// What a block is of c, and where its operands begin.
template <typename Element>
struct Block {
  const Element *a, *b;
  size_t lda, ldb;
  float* c;
  size_t ldc;
  size_t rows, columns;            // of one tile
  size_t next_rows, next_columns;  // from one tile's origin to the next one's
  size_t k;
};

template <int row_tiles, int column_tiles>
[[gnu::always_inline]] void multiply_loaded() {
  OPERATE("sf.mm.f.f mt0, v0, v16");
  if constexpr (column_tiles == 2) OPERATE("sf.mm.f.f mt4, v0, v24");
  if constexpr (row_tiles == 2) OPERATE("sf.mm.f.f mt8, v8, v16");
  if constexpr (row_tiles == 2 && column_tiles == 2) OPERATE("sf.mm.f.f mt12, v8, v24");
}

// One step: rows k (and k + 1) of a and b into every tile.
template <typename Kind, int row_tiles, int column_tiles, bool square>
[[gnu::always_inline]] inline void step(const Block<typename Kind::Element>& block,
                                        const typename Kind::Element* a, const typename Kind::Element* b,
                                        bool two) {
  const auto* a_second = two ? a + block.lda : nullptr;
  const auto* b_second = two ? b + block.ldb : nullptr;
  if constexpr (!square) OPERATE_ON("sf.vsettn zero, %0", block.rows);
  Kind::template load_a<0>(a, a_second);
  if constexpr (row_tiles == 2)
    Kind::template load_a<1>(a + block.next_rows, two ? a_second + block.next_rows : nullptr);
  if constexpr (!square) OPERATE_ON("sf.vsettn zero, %0", block.columns);
  Kind::template load_b<0>(b, b_second);
  if constexpr (column_tiles == 2)
    Kind::template load_b<1>(b + block.next_columns, two ? b_second + block.next_columns : nullptr);
  multiply_loaded<row_tiles, column_tiles>();
}

template <typename Kind, int row_tiles, int column_tiles, bool square>
void multiply_block(const Block<typename Kind::Element>& block, bool accumulate) {
  Kind::configure(block.rows, block.columns);
  float* const right = block.c + block.next_columns;
  const size_t down = block.next_rows * block.ldc;
  if (accumulate) {
    for (size_t row = 0; row < block.rows; ++row) {
      load_tile_row(tile_row(0, row), block.c + row * block.ldc);
      if constexpr (column_tiles == 2) load_tile_row(tile_row(1, row), right + row * block.ldc);
      if constexpr (row_tiles == 2) load_tile_row(tile_row(2, row), block.c + down + row * block.ldc);
      if constexpr (row_tiles == 2 && column_tiles == 2)
        load_tile_row(tile_row(3, row), right + down + row * block.ldc);
    }
  } else {
    zero_tile<0>();
    if constexpr (column_tiles == 2) zero_tile<1>();
    if constexpr (row_tiles == 2) zero_tile<2>();
    if constexpr (row_tiles == 2 && column_tiles == 2) zero_tile<3>();
  }

  const auto* a = block.a;
  const auto* b = block.b;
  size_t left = block.k;
  if constexpr (Kind::depth == 2) {
    OPERATE_ON("sf.vsettk zero, %0", size_t{2});
    for (; left >= 2; left -= 2, a += 2 * block.lda, b += 2 * block.ldb)
      step<Kind, row_tiles, column_tiles, square>(block, a, b, true);
  }
  if (left != 0) OPERATE_ON("sf.vsettk zero, %0", size_t{1});
  for (; left != 0; --left, a += block.lda, b += block.ldb)
    step<Kind, row_tiles, column_tiles, square>(block, a, b, false);

  for (size_t row = 0; row < block.rows; ++row) {
    store_tile_row(tile_row(0, row), block.c + row * block.ldc);
    if constexpr (column_tiles == 2) store_tile_row(tile_row(1, row), right + row * block.ldc);
    if constexpr (row_tiles == 2) store_tile_row(tile_row(2, row), block.c + down + row * block.ldc);
    if constexpr (row_tiles == 2 && column_tiles == 2)
      store_tile_row(tile_row(3, row), right + down + row * block.ldc);
  }
}

// The next stretch of an edge of length `left`: one tile, or two of one size that cover it together.
struct Stretch {
  size_t covered, tile, next;  // next: 0 for a single tile
};

Stretch stretch(size_t left) {
  if (left >= 2 * tile_edge) return {2 * tile_edge, tile_edge, tile_edge};
  if (left <= tile_edge) return {left, left, 0};
  const size_t tile = (left + 1) / 2;
  return {left, tile, left - tile};
}

template <typename Kind, bool square>
void dispatch(const Block<typename Kind::Element>& block, bool accumulate) {
  if (block.next_rows != 0 && block.next_columns != 0)
    return multiply_block<Kind, 2, 2, square>(block, accumulate);
  if (block.next_rows != 0) return multiply_block<Kind, 2, 1, square>(block, accumulate);
  if (block.next_columns != 0) return multiply_block<Kind, 1, 2, square>(block, accumulate);
  multiply_block<Kind, 1, 1, square>(block, accumulate);
}

template <typename Kind>
void multiply(const typename Kind::Element* a, size_t lda, const typename Kind::Element* b, size_t ldb,
              float* c, size_t ldc, size_t m, size_t n, size_t k, bool accumulate) {
  for (size_t i = 0; i < m;) {
    const Stretch down = stretch(m - i);
    for (size_t j = 0; j < n;) {
      const Stretch right = stretch(n - j);
      const Block<typename Kind::Element> block{
          a + i, b + j, lda, ldb, c + i * ldc + j, ldc, down.tile, right.tile, down.next, right.next, k};
      if (down.tile == right.tile)
        dispatch<Kind, true>(block, accumulate);
      else
        dispatch<Kind, false>(block, accumulate);
      j += right.covered;
    }
    i += down.covered;
  }
}

vfloat32m8_t multiply_add(vfloat32m8_t sum, float scale, const float* row, size_t n) {
  return __riscv_vfmacc_vf_f32m8(sum, scale, __riscv_vle32_v_f32m8(row, n), n);
}

vfloat32m8_t multiply_add(vfloat32m8_t sum, bf16 scale, const bf16* row, size_t n) {
  return __riscv_vfwmaccbf16_vf_f32m8(sum, scale, __riscv_vle16_v_bf16m4(row, n), n);
}

// c[i] = sum over k of matrix[k][i] * vector[k * stride]: one register group of accumulators at a time.
template <typename Element>
void multiply_vector(const Element* matrix, size_t ld, const Element* vector, size_t stride, float* c,
                     ptrdiff_t c_stride, size_t count, size_t k, bool accumulate) {
  const ptrdiff_t c_bytes = c_stride * static_cast<ptrdiff_t>(sizeof(float));
  for (size_t n; count != 0; count -= n, matrix += n, c += static_cast<ptrdiff_t>(n) * c_stride) {
    n = __riscv_vsetvl_e32m8(count);
    vfloat32m8_t sum = !accumulate     ? __riscv_vfmv_v_f_f32m8(0, n)
                       : c_stride == 1 ? __riscv_vle32_v_f32m8(c, n)
                                       : __riscv_vlse32_v_f32m8(c, c_bytes, n);
    for (size_t i = 0; i < k; ++i) sum = multiply_add(sum, vector[i * stride], matrix + i * ld, n);
    if (c_stride == 1)
      __riscv_vse32_v_f32m8(c, sum, n);
    else
      __riscv_vsse32_v_f32m8(c, c_bytes, sum, n);
  }
}

template <typename Kind>
void choose(const typename Kind::Element* a, size_t lda, const typename Kind::Element* b, size_t ldb,
            float* c, size_t ldc, size_t m, size_t n, size_t k, bool accumulate) {
  if (m == 1) return multiply_vector(b, ldb, a, lda, c, 1, n, k, accumulate);
  if (n == 1) return multiply_vector(a, lda, b, ldb, c, static_cast<ptrdiff_t>(ldc), m, k, accumulate);
  multiply<Kind>(a, lda, b, ldb, c, ldc, m, n, k, accumulate);
}

}  // namespace

void matmul(const bf16* a, size_t lda, const bf16* b, size_t ldb, float* c, size_t ldc, size_t m, size_t n,
            size_t k, bool accumulate) {
  choose<Bf16>(a, lda, b, ldb, c, ldc, m, n, k, accumulate);
}

void matmul(const float* a, size_t lda, const float* b, size_t ldb, float* c, size_t ldc, size_t m, size_t n,
            size_t k, bool accumulate) {
  choose<Fp32>(a, lda, b, ldb, c, ldc, m, n, k, accumulate);
}

}  // namespace dojo
