// Matrix products on the matrix unit, and on the vector unit where a product has one row or one column.
//
// c is covered by blocks of up to 2 x 2 tiles of up to 16 x 16 accumulators (mt0 mt4 / mt8 mt12), so that
// every operand row that is loaded feeds two tiles. The tiles of a block have one size; where 16 does not
// divide what is left, the last tile is shifted back over its neighbour, and the accumulators that both hold
// are computed twice with the same result.
//
// A step takes `depth` rows of a and b: two in bf16, one in FP32. Tile 0 and 1 of a lie in v0 and v8, of b in
// v16 and v24, a step's second row four registers further on; odd steps use the registers that follow. So the
// rows of the next step are loaded between the multiplications of this one, and the matrix unit never waits.
//
// The unit's configuration (tile sizes, element format, vl) is state that the compiler does not see, so
// everything between `configure` and the end of a block is written as instructions.
#include <riscv_vector.h>

#include "dojo.h"

namespace dojo {
namespace {

constexpr size_t tile_edge = 16;

// asm statements that are volatile keep their order; nothing else here uses vector registers.
[[gnu::always_inline]] inline void set_length(size_t length) {
  asm volatile("sf.vsettn zero, %0" : : "r"(length) : "vl", "memory");
}

[[gnu::always_inline]] inline void set_depth(size_t depth) {
  asm volatile("sf.vsettk zero, %0" : : "r"(depth) : "memory");
}

template <int tile>
[[gnu::always_inline]] inline void zero_tile() {
  asm volatile("sf.vtzero.t mt%0" : : "i"(4 * tile) : "memory");
}

template <int tile, int a, int b>
[[gnu::always_inline]] inline void multiply_tile() {
  asm volatile("sf.mm.f.f mt%0, v%1, v%2" : : "i"(4 * tile), "i"(a), "i"(b) : "memory");
}

// The specifier of a row of tile mt(4 tile).
constexpr size_t tile_row(size_t tile, size_t row) { return tile << 29 | row; }

[[gnu::always_inline]] inline void load_tile_row(size_t specifier, const float* from) {
  asm volatile("sf.vlte32 %0, (%1)" : : "r"(specifier), "r"(from) : "memory");
}

[[gnu::always_inline]] inline void store_tile_row(size_t specifier, float* to) {
  asm volatile("sf.vste32 %0, (%1)" : : "r"(specifier), "r"(to) : "memory");
}

struct Bf16 {
  using Element = bf16;
  static constexpr size_t depth = 2;

  [[gnu::always_inline]] static void configure(size_t rows, size_t columns) {
    asm volatile("sf.vsettnt zero, %1, e16alt, w2\n\tsf.vsettm zero, %0"
                 :
                 : "r"(rows), "r"(columns)
                 : "vl", "vtype", "memory");
  }
  template <int to>
  [[gnu::always_inline]] static void load_row(const bf16* from) {
    asm volatile("vle16.v v%1, (%0)" : : "r"(from), "i"(to) : "memory");
  }
  template <int to>
  [[gnu::always_inline]] static void load_rows(const bf16* from, size_t stride) {
    load_row<to>(from);
    load_row<to + 4>(from + stride);
  }
};

struct Fp32 {
  using Element = float;
  static constexpr size_t depth = 1;

  [[gnu::always_inline]] static void configure(size_t rows, size_t columns) {
    asm volatile("sf.vsettnt zero, %1, e32, w1\n\tsf.vsettm zero, %0"
                 :
                 : "r"(rows), "r"(columns)
                 : "vl", "vtype", "memory");
  }
  template <int to>
  [[gnu::always_inline]] static void load_row(const float* from) {
    asm volatile("vle32.v v%1, (%0)" : : "r"(from), "i"(to) : "memory");
  }
  template <int to>
  [[gnu::always_inline]] static void load_rows(const float* from, size_t) {
    load_row<to>(from);
  }
};

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

// The instructions of a block of row_tiles x column_tiles tiles; `square`: a tile has as many rows as
// columns, so that vl need not change between rows of a and of b.
template <typename Kind, int row_tiles, int column_tiles, bool square>
struct Kernel {
  using Element = typename Kind::Element;

  static constexpr int tiles = row_tiles * column_tiles, operands = row_tiles + column_tiles;
  static constexpr int tile_of(int i) { return i / column_tiles * 2 + i % column_tiles; }

  // Operand i: the tiles of a, then those of b.
  template <int i, int parity, bool whole>
  [[gnu::always_inline]] static void load(const Block<Element>& block, const Element* a, const Element* b) {
    constexpr bool of_a = i < row_tiles;
    constexpr int tile = of_a ? i : i - row_tiles;
    constexpr int to = (of_a ? 0 : 16) + 8 * tile + parity;
    const Element* from = of_a ? a + tile * block.next_rows : b + tile * block.next_columns;
    if constexpr (whole)
      Kind::template load_rows<to>(from, of_a ? block.lda : block.ldb);
    else
      Kind::template load_row<to>(from);
  }

  template <int i, int parity>
  [[gnu::always_inline]] static void multiply() {
    multiply_tile<tile_of(i), 8 * (i / column_tiles) + parity, 16 + 8 * (i % column_tiles) + parity>();
  }

  template <int parity, bool whole>
  [[gnu::always_inline]] static void load_all(const Block<Element>& block, const Element* a,
                                              const Element* b) {
    if constexpr (!square) set_length(block.rows);
    load<0, parity, whole>(block, a, b);
    if constexpr (row_tiles == 2) load<1, parity, whole>(block, a, b);
    if constexpr (!square) set_length(block.columns);
    load<row_tiles, parity, whole>(block, a, b);
    if constexpr (column_tiles == 2) load<row_tiles + 1, parity, whole>(block, a, b);
  }

  template <int parity>
  [[gnu::always_inline]] static void multiply_all() {
    multiply<0, parity>();
    if constexpr (tiles > 1) multiply<1, parity>();
    if constexpr (tiles > 2) multiply<2, parity>();
    if constexpr (tiles > 3) multiply<3, parity>();
  }

  // Multiplies the rows loaded before and loads the next ones, at a and b, between the multiplications.
  template <int parity>
  [[gnu::always_inline]] static void step(const Block<Element>& block, const Element* a, const Element* b) {
    constexpr int next = 1 - parity;
    if constexpr (!square || tiles == 1) {
      load_all<next, true>(block, a, b);
      multiply_all<parity>();
      return;
    }
    multiply<0, parity>();
    load<0, next, true>(block, a, b);
    multiply<1, parity>();
    load<1, next, true>(block, a, b);
    if constexpr (tiles > 2) multiply<2, parity>();
    load<2, next, true>(block, a, b);
    if constexpr (tiles > 2) multiply<3, parity>();
    if constexpr (operands > 3) load<3, next, true>(block, a, b);
  }

  [[gnu::always_inline]] static void multiply_depth(const Block<Element>& block) {
    const Element* a = block.a;
    const Element* b = block.b;
    const size_t a_step = Kind::depth * block.lda, b_step = Kind::depth * block.ldb;
    size_t steps = block.k / Kind::depth;
    if (steps != 0) {
      set_depth(Kind::depth);
      load_all<0, true>(block, a, b);
      for (; steps > 2; steps -= 2) {
        step<0>(block, a += a_step, b += b_step);
        step<1>(block, a += a_step, b += b_step);
      }
      if (steps == 2) {
        step<0>(block, a += a_step, b += b_step);
        multiply_all<1>();
      } else {
        multiply_all<0>();
      }
      a += a_step;
      b += b_step;
    }
    if (block.k % Kind::depth != 0) {
      set_depth(1);
      load_all<0, false>(block, a, b);
      multiply_all<0>();
    }
  }

  template <int i>
  [[gnu::always_inline]] static float* tile_of_c(const Block<Element>& block) {
    return block.c + i / column_tiles * block.next_rows * block.ldc + i % column_tiles * block.next_columns;
  }

  [[gnu::noinline]] static void run(const Block<Element>& block, bool accumulate) {
    Kind::configure(block.rows, block.columns);
    float* c0 = tile_of_c<0>(block);
    float* c1 = tile_of_c<1>(block);
    float* c2 = tile_of_c<2>(block);
    float* c3 = tile_of_c<3>(block);
    if (accumulate) {
      for (size_t row = 0; row < block.rows; ++row) {
        load_tile_row(tile_row(0, row), c0 + row * block.ldc);
        if constexpr (tiles > 1) load_tile_row(tile_row(tile_of(1), row), c1 + row * block.ldc);
        if constexpr (tiles > 2) load_tile_row(tile_row(tile_of(2), row), c2 + row * block.ldc);
        if constexpr (tiles > 3) load_tile_row(tile_row(tile_of(3), row), c3 + row * block.ldc);
      }
    } else {
      zero_tile<0>();
      if constexpr (tiles > 1) zero_tile<tile_of(1)>();
      if constexpr (tiles > 2) zero_tile<tile_of(2)>();
      if constexpr (tiles > 3) zero_tile<tile_of(3)>();
    }
    multiply_depth(block);
    for (size_t row = 0; row < block.rows; ++row) {
      store_tile_row(tile_row(0, row), c0 + row * block.ldc);
      if constexpr (tiles > 1) store_tile_row(tile_row(tile_of(1), row), c1 + row * block.ldc);
      if constexpr (tiles > 2) store_tile_row(tile_row(tile_of(2), row), c2 + row * block.ldc);
      if constexpr (tiles > 3) store_tile_row(tile_row(tile_of(3), row), c3 + row * block.ldc);
    }
  }
};

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
    return Kernel<Kind, 2, 2, square>::run(block, accumulate);
  if (block.next_rows != 0) return Kernel<Kind, 2, 1, square>::run(block, accumulate);
  if (block.next_columns != 0) return Kernel<Kind, 1, 2, square>::run(block, accumulate);
  Kernel<Kind, 1, 1, square>::run(block, accumulate);
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
