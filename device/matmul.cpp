// Matrix products on the matrix unit, and on the vector unit where a product has one row or one column.
//
// c is covered by blocks of up to four tiles of up to 16 x 16 accumulators: 2 x 2 where c is wide both ways,
// so that every operand row that is loaded feeds two tiles, else 1 x 4 or 4 x 1, or what is left. The tiles
// of a block have one size; where 16 does not divide what is left, the last tile is shifted back over its
// neighbour, and the accumulators that both hold are computed twice with the same result.
//
// A step takes `depth` rows of a and b: two in bf16, one in FP32. Each operand (the tiles of a, then those of
// b) has a register, a step's second row lies four registers further on, and odd steps use the registers that
// follow. So the rows of the next step are loaded between the multiplications of this one; with four tiles
// the matrix unit never waits.
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

// Where the rows of tile mt(4 tile) are and belong: the specifier of its next row, and that row's place in c.
struct TileCursor {
  size_t specifier;
  float* row;
};

// Moves a row between tile and c, and goes on to the next row.
[[gnu::always_inline]] inline void load_tile_row(TileCursor& at, size_t stride_bytes) {
  asm volatile("sf.vlte32 %0, (%1)\n\taddi %0, %0, 1\n\tadd %1, %1, %2"
               : "+r"(at.specifier), "+r"(at.row)
               : "r"(stride_bytes)
               : "memory");
}

[[gnu::always_inline]] inline void store_tile_row(TileCursor& at, size_t stride_bytes) {
  asm volatile("sf.vste32 %0, (%1)\n\taddi %0, %0, 1\n\tadd %1, %1, %2"
               : "+r"(at.specifier), "+r"(at.row)
               : "r"(stride_bytes)
               : "memory");
}

// Loads a row of an operand and moves on to the row of the step after next. The addition comes after the
// load, so that no access waits for its address.
#define LOAD_ROW(instruction, to, from, bytes) \
  asm volatile(instruction " v%1, (%0)\n\tadd %0, %0, %2" : "+r"(from) : "i"(to), "r"(bytes) : "memory")

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
  [[gnu::always_inline]] static void load_row(const bf16*& from, size_t bytes) {
    LOAD_ROW("vle16.v", to, from, bytes);
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
  [[gnu::always_inline]] static void load_row(const float*& from, size_t bytes) {
    LOAD_ROW("vle32.v", to, from, bytes);
  }
};
#undef LOAD_ROW

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
  static_assert(tiles <= 4);

  // The register of an operand. The matrix unit names operands by groups of eight; a fifth one shares the
  // first one's group.
  static constexpr int register_of(int operand) { return operand < 4 ? 8 * operand : 2; }

  // The tile of a (of b) whose next rows are loaded after multiplication i, or -1: first those that are
  // needed first.
  static constexpr int a_after(int i) {
    if (tiles == 4 && row_tiles == 2) return i == 0 ? 0 : i == 3 ? 1 : -1;
    return i < row_tiles ? i : -1;
  }
  static constexpr int b_after(int i) {
    if (tiles == 4 && row_tiles == 2) return i == 1 ? 0 : i == 2 ? 1 : -1;
    return i < column_tiles ? i : -1;
  }

  // Where the operands' next rows lie: the tiles of a, then those of b; of each the first and the second row
  // of a step.
  struct Cursor {
    const Element* first[operands];
    const Element* second[operands];
    size_t bytes[2];  // from a step to the next one, in a and in b

    [[gnu::always_inline]] explicit Cursor(const Block<Element>& block)
        : bytes{Kind::depth * block.lda * sizeof(Element), Kind::depth * block.ldb * sizeof(Element)} {
      for (int i = 0; i < operands; ++i) {
        first[i] =
            i < row_tiles ? block.a + i * block.next_rows : block.b + (i - row_tiles) * block.next_columns;
        second[i] = first[i] + (i < row_tiles ? block.lda : block.ldb);
      }
    }
  };

  template <int i, int parity, bool whole>
  [[gnu::always_inline]] static void load(Cursor& at) {
    constexpr int to = register_of(i) + parity, of_b = i >= row_tiles;
    Kind::template load_row<to>(at.first[i], at.bytes[of_b]);
    if constexpr (whole && Kind::depth == 2) Kind::template load_row<to + 4>(at.second[i], at.bytes[of_b]);
  }

  template <int i, int parity>
  [[gnu::always_inline]] static void multiply() {
    multiply_tile<i, register_of(i / column_tiles) + parity,
                  register_of(row_tiles + i % column_tiles) + parity>();
  }

  template <int parity, bool whole>
  [[gnu::always_inline]] static void load_a(const Block<Element>& block, Cursor& at) {
    if constexpr (!square) set_length(block.rows);
    load<0, parity, whole>(at);
    if constexpr (row_tiles > 1) load<1, parity, whole>(at);
    if constexpr (row_tiles > 2) load<2, parity, whole>(at);
    if constexpr (row_tiles > 3) load<3, parity, whole>(at);
    if constexpr (!square) set_length(block.columns);
  }

  template <int parity, bool whole>
  [[gnu::always_inline]] static void load_all(const Block<Element>& block, Cursor& at) {
    load_a<parity, whole>(block, at);
    load<row_tiles, parity, whole>(at);
    if constexpr (column_tiles > 1) load<row_tiles + 1, parity, whole>(at);
    if constexpr (column_tiles > 2) load<row_tiles + 2, parity, whole>(at);
    if constexpr (column_tiles > 3) load<row_tiles + 3, parity, whole>(at);
  }

  template <int parity>
  [[gnu::always_inline]] static void multiply_all() {
    multiply<0, parity>();
    if constexpr (tiles > 1) multiply<1, parity>();
    if constexpr (tiles > 2) multiply<2, parity>();
    if constexpr (tiles > 3) multiply<3, parity>();
  }

  template <int i, int parity>
  [[gnu::always_inline]] static void multiply_and_load(Cursor& at) {
    multiply<i, parity>();
    if constexpr (square && a_after(i) >= 0) load<a_after(i), 1 - parity, true>(at);
    if constexpr (b_after(i) >= 0) load<row_tiles + b_after(i), 1 - parity, true>(at);
  }

  // Multiplies the rows loaded before and loads the next ones between the multiplications; those of a before
  // them if vl must change.
  template <int parity>
  [[gnu::always_inline]] static void step(const Block<Element>& block, Cursor& at) {
    if constexpr (!square) load_a<1 - parity, true>(block, at);
    multiply_and_load<0, parity>(at);
    if constexpr (tiles > 1) multiply_and_load<1, parity>(at);
    if constexpr (tiles > 2) multiply_and_load<2, parity>(at);
    if constexpr (tiles > 3) multiply_and_load<3, parity>(at);
  }

  [[gnu::always_inline]] static void multiply_depth(const Block<Element>& block) {
    Cursor at(block);
    size_t steps = block.k / Kind::depth;
    if (steps != 0) {
      set_depth(Kind::depth);
      load_all<0, true>(block, at);
      for (; steps > 2; steps -= 2) {
        step<0>(block, at);
        step<1>(block, at);
      }
      if (steps == 2) {
        step<0>(block, at);
        multiply_all<1>();
      } else {
        multiply_all<0>();
      }
    }
    if (block.k % Kind::depth != 0) {
      set_depth(1);
      load_all<0, false>(block, at);
      multiply_all<0>();
    }
  }

  template <int i>
  [[gnu::always_inline]] static TileCursor tile_of_c(const Block<Element>& block) {
    return {static_cast<size_t>(i) << 29,
            block.c + i / column_tiles * block.next_rows * block.ldc + i % column_tiles * block.next_columns};
  }

  // `move` a row of every tile, row after row.
  template <typename Move>
  [[gnu::always_inline]] static void for_each_row(const Block<Element>& block, Move move) {
    const size_t stride = block.ldc * sizeof(float);
    TileCursor at0 = tile_of_c<0>(block), at1 = tile_of_c<1>(block), at2 = tile_of_c<2>(block),
               at3 = tile_of_c<3>(block);
#pragma clang loop unroll_count(tiles == 4 ? 4 : 1)
    for (size_t row = 0; row < block.rows; ++row) {
      move(at0, stride);
      if constexpr (tiles > 1) move(at1, stride);
      if constexpr (tiles > 2) move(at2, stride);
      if constexpr (tiles > 3) move(at3, stride);
    }
  }

  [[gnu::noinline]] static void run(const Block<Element>& whole_block, bool accumulate) {
    const Block<Element> block = whole_block;  // known to this function alone: stays in registers
    Kind::configure(block.rows, block.columns);
    if (accumulate) {
      for_each_row(block, load_tile_row);
    } else {
      zero_tile<0>();
      if constexpr (tiles > 1) zero_tile<1>();
      if constexpr (tiles > 2) zero_tile<2>();
      if constexpr (tiles > 3) zero_tile<3>();
    }
    multiply_depth(block);
    for_each_row(block, store_tile_row);
  }
};

// The next stretch of an edge of length `left`: tiles of one size that cover it together, `next` from one
// origin to the next.
struct Stretch {
  size_t tiles, covered, tile, next;
};

Stretch stretch(size_t left, bool four) {
  if (four && left >= 4 * tile_edge) return {4, 4 * tile_edge, tile_edge, tile_edge};
  if (left >= 2 * tile_edge) return {2, 2 * tile_edge, tile_edge, tile_edge};
  if (left <= tile_edge) return {1, left, left, 0};
  const size_t tile = (left + 1) / 2;
  return {2, left, tile, left - tile};
}

template <typename Kind, bool square>
void dispatch(const Block<typename Kind::Element>& block, size_t row_tiles, size_t column_tiles,
              bool accumulate) {
  switch (4 * row_tiles + column_tiles) {
    case 4 * 2 + 2:
      return Kernel<Kind, 2, 2, square>::run(block, accumulate);
    case 4 * 1 + 4:
      return Kernel<Kind, 1, 4, square>::run(block, accumulate);
    case 4 * 4 + 1:
      return Kernel<Kind, 4, 1, square>::run(block, accumulate);
    case 4 * 1 + 2:
      return Kernel<Kind, 1, 2, square>::run(block, accumulate);
    case 4 * 2 + 1:
      return Kernel<Kind, 2, 1, square>::run(block, accumulate);
    default:
      return Kernel<Kind, 1, 1, square>::run(block, accumulate);
  }
}

template <typename Kind>
void multiply(const typename Kind::Element* a, size_t lda, const typename Kind::Element* b, size_t ldb,
              float* c, size_t ldc, size_t m, size_t n, size_t k, bool accumulate) {
  for (size_t i = 0; i < m;) {
    const Stretch down = stretch(m - i, n <= tile_edge);
    for (size_t j = 0; j < n;) {
      const Stretch right = stretch(n - j, down.tiles == 1);
      const Block<typename Kind::Element> block{
          a + i, b + j, lda, ldb, c + i * ldc + j, ldc, down.tile, right.tile, down.next, right.next, k};
      if (down.tile == right.tile)
        dispatch<Kind, true>(block, down.tiles, right.tiles, accumulate);
      else
        dispatch<Kind, false>(block, down.tiles, right.tiles, accumulate);
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
