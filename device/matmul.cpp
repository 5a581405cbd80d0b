// Matrix products on the matrix unit.
//
// c is covered by blocks of up to four tiles of 16 x 16 accumulators: R down and C across, R * C <= 4. A row
// of an operand is loaded as whole registers, so that one instruction brings what R (or C) tiles need of it
// and neither vl nor the tiles' shape matters to it. The unit takes the first 16 elements of a register; a
// register holds 32 in bf16, so the tiles of a block lie 32 apart there, and a second block fills the gaps.
// What a load brings from behind the end of a row goes only into accumulators that are never stored.
//
// A step takes `depth` rows of a and of b: two in bf16, one in FP32; a step's second row lies four registers
// above the first. Three steps have registers of their own, so that the rows of the step after next are
// loaded between the multiplications of this one; with four tiles the matrix unit never waits.
//
// The unit's configuration (tile sizes, element format, vl) is state that the compiler does not see, so
// everything between `configure` and the end of a block is written as instructions.
#include "dojo.h"

namespace dojo {
namespace {

constexpr size_t tile_edge = 16, register_bytes = 64;

// asm statements that are volatile keep their order; nothing else here uses vector registers.
[[gnu::always_inline]] inline void set_columns(size_t columns) {
  asm volatile("sf.vsettn zero, %0" : : "r"(columns) : "vl", "memory");
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

// Whole registers `to`...: one for each of `tiles`, rounded up to a power of two.
template <int to, int tiles>
[[gnu::always_inline]] inline void load_registers(const void* from) {
  if constexpr (tiles == 1) asm volatile("vl1re16.v v%0, (%1)" : : "i"(to), "r"(from) : "memory");
  if constexpr (tiles == 2) asm volatile("vl2re16.v v%0, (%1)" : : "i"(to), "r"(from) : "memory");
  if constexpr (tiles >= 3) asm volatile("vl4re16.v v%0, (%1)" : : "i"(to), "r"(from) : "memory");
}

// Moves a row between a tile and c, and goes on to the next row of both: the tile's is named by `specifier`.
[[gnu::always_inline]] inline void load_tile_row(size_t& specifier, float*& row, size_t stride_bytes) {
  asm volatile("sf.vlte32 %0, (%1)\n\taddi %0, %0, 1\n\tadd %1, %1, %2"
               : "+r"(specifier), "+r"(row)
               : "r"(stride_bytes)
               : "memory");
}

[[gnu::always_inline]] inline void store_tile_row(size_t& specifier, float*& row, size_t stride_bytes) {
  asm volatile("sf.vste32 %0, (%1)\n\taddi %0, %0, 1\n\tadd %1, %1, %2"
               : "+r"(specifier), "+r"(row)
               : "r"(stride_bytes)
               : "memory");
}

struct Bf16 {
  using Element = bf16;
  static constexpr size_t depth = 2, spread = register_bytes / sizeof(Element);

  [[gnu::always_inline]] static void configure(size_t rows, size_t columns) {
    asm volatile("sf.vsettnt zero, %1, e16alt, w2\n\tsf.vsettm zero, %0"
                 :
                 : "r"(rows), "r"(columns)
                 : "vl", "vtype", "memory");
  }
};

struct Fp32 {
  using Element = float;
  static constexpr size_t depth = 1, spread = register_bytes / sizeof(Element);

  [[gnu::always_inline]] static void configure(size_t rows, size_t columns) {
    asm volatile("sf.vsettnt zero, %1, e32, w1\n\tsf.vsettm zero, %0"
                 :
                 : "r"(rows), "r"(columns)
                 : "vl", "vtype", "memory");
  }
};

// Where the rows of an operand are: at a fixed distance from each other.
template <typename Element>
struct EvenRows {
  const Element* next;
  size_t stride;

  [[gnu::always_inline]] void start() {}
  template <int which>
  [[gnu::always_inline]] const Element* take() {
    const Element* row = next;
    next += stride;
    return row;
  }
  EvenRows from(size_t element) const { return {next + element, stride}; }
};

// ... or at places that a table names. The table is read a step ahead of its use, and over its end by a step.
template <typename Element, int depth>
struct ListedRows {
  const Element* base;
  const int32_t* places;
  long ahead[2] = {0, 0};

  [[gnu::always_inline]] void start() {
    for (int row = 0; row < depth; ++row) ahead[row] = places[row];
  }
  template <int which>
  [[gnu::always_inline]] const Element* take() {
    const Element* row = base + ahead[which];
    ahead[which] = places[depth + which];
    if constexpr (which + 1 == depth) places += depth;
    return row;
  }
  ListedRows from(size_t element) const { return {base + element, places}; }
};

template <typename Element, typename RowsOfB>
struct Block {
  EvenRows<Element> a;
  RowsOfB b;
  float* c;
  size_t ldc;
  size_t rows, columns;  // of c from here on
  size_t k;
};

constexpr size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

// The instructions of a block of R x C tiles.
template <typename Kind, typename RowsOfB, int R, int C>
struct Kernel {
  using Element = typename Kind::Element;
  using Operands = Block<Element, RowsOfB>;
  static constexpr int tiles = R * C;
  static_assert(tiles <= 4);

  // An operand of one row of tiles takes one register a row, so three steps fit into one group of eight.
  static constexpr int first_of_a(int stage) {
    if (R == 1) return stage;
    if (C == 1) return 8 + 8 * stage;
    return stage == 2 ? 24 : 2 * stage;
  }
  static constexpr int first_of_b(int stage) {
    if (R == 1) return 8 + 8 * stage;
    if (C == 1) return stage;
    return stage == 2 ? 16 : 8 + 2 * stage;
  }

  template <int stage, int which>
  [[gnu::always_inline]] static void load_a(Operands& at) {
    load_registers<first_of_a(stage) + 4 * which, R>(at.a.template take<which>());
  }
  template <int stage, int which>
  [[gnu::always_inline]] static void load_b(Operands& at) {
    load_registers<first_of_b(stage) + 4 * which, C>(at.b.template take<which>());
  }

  template <int stage>
  [[gnu::always_inline]] static void load(Operands& at) {
    load_b<stage, 0>(at);
    if constexpr (Kind::depth == 2) load_b<stage, 1>(at);
    load_a<stage, 0>(at);
    if constexpr (Kind::depth == 2) load_a<stage, 1>(at);
  }

  template <int tile, int stage>
  [[gnu::always_inline]] static void multiply_one() {
    if constexpr (tile < tiles)
      multiply_tile<tile, first_of_a(stage) + tile / C, first_of_b(stage) + tile % C>();
  }

  template <int stage>
  [[gnu::always_inline]] static void multiply() {
    multiply_one<0, stage>();
    multiply_one<1, stage>();
    multiply_one<2, stage>();
    multiply_one<3, stage>();
  }

  // Multiplies what stands in `stage` and loads the step after next between the multiplications, the longest
  // loads first.
  template <int stage>
  [[gnu::always_inline]] static void step(Operands& at) {
    constexpr int next = (stage + 2) % 3;
    multiply_one<0, stage>();
    load_b<next, 0>(at);
    multiply_one<1, stage>();
    if constexpr (Kind::depth == 2) load_b<next, 1>(at);
    multiply_one<2, stage>();
    load_a<next, 0>(at);
    multiply_one<3, stage>();
    if constexpr (Kind::depth == 2) load_a<next, 1>(at);
  }

  [[gnu::always_inline]] static void multiply_depth(Operands& at) {
    size_t left = at.k / Kind::depth;
    at.b.start();
    if (left != 0) {
      set_depth(Kind::depth);
      load<0>(at);
      if (left > 1) load<1>(at);
      for (; left >= 5; left -= 3) {
        step<0>(at);
        step<1>(at);
        step<2>(at);
      }
      if (left >= 3)
        step<0>(at);
      else
        multiply<0>();
      if (left == 4)
        step<1>(at);
      else if (left > 1)
        multiply<1>();
      if (left >= 3) multiply<2>();
      if (left == 4) multiply<0>();
    }
    if (at.k % Kind::depth != 0) {
      set_depth(1);
      load_b<0, 0>(at);
      load_a<0, 0>(at);
      multiply<0>();
    }
  }

  // `move` for the rows of every tile, as far as c has them.
  template <typename Move>
  [[gnu::always_inline]] static void move_tiles(const Operands& block, Move move) {
    const size_t stride = block.ldc * sizeof(float);
    for (size_t tile = 0; tile < tiles; ++tile) {
      const size_t down = tile / C * Kind::spread, across = tile % C * Kind::spread;
      set_columns(smaller(tile_edge, block.columns - across));
      float* row = block.c + down * block.ldc + across;
      size_t specifier = tile << 29;
      const size_t end = specifier + smaller(tile_edge, block.rows - down);
#pragma clang loop unroll(disable)
      for (; specifier + 4 <= end;) {
        move(specifier, row, stride);
        move(specifier, row, stride);
        move(specifier, row, stride);
        move(specifier, row, stride);
      }
#pragma clang loop unroll(disable)
      while (specifier < end) move(specifier, row, stride);
    }
  }

  [[gnu::noinline]] static void run(const Operands& block, bool accumulate) {
    Operands at = block;  // known to this function alone: stays in registers
    const size_t columns = smaller(tile_edge, at.columns);
    Kind::configure(smaller(tile_edge, at.rows), columns);
    if (accumulate) {
      move_tiles(at, load_tile_row);
      set_columns(columns);
    } else {
      zero_tile<0>();
      if constexpr (tiles > 1) zero_tile<1>();
      if constexpr (tiles > 2) zero_tile<2>();
      if constexpr (tiles > 3) zero_tile<3>();
    }
    multiply_depth(at);
    move_tiles(at, store_tile_row);
  }
};

// Tiles that lie `spread` apart and begin inside `extent`, four at most.
size_t tiles_in(size_t extent, size_t spread) { return smaller(4, (extent + spread - 1) / spread); }

template <typename Kind, typename RowsOfB>
void dispatch(const Block<typename Kind::Element, RowsOfB>& block, size_t down, size_t across,
              bool accumulate) {
  switch (4 * down + across) {
    case 4 * 1 + 1:
      return Kernel<Kind, RowsOfB, 1, 1>::run(block, accumulate);
    case 4 * 1 + 2:
      return Kernel<Kind, RowsOfB, 1, 2>::run(block, accumulate);
    case 4 * 1 + 3:
      return Kernel<Kind, RowsOfB, 1, 3>::run(block, accumulate);
    case 4 * 1 + 4:
      return Kernel<Kind, RowsOfB, 1, 4>::run(block, accumulate);
    case 4 * 2 + 1:
      return Kernel<Kind, RowsOfB, 2, 1>::run(block, accumulate);
    case 4 * 2 + 2:
      return Kernel<Kind, RowsOfB, 2, 2>::run(block, accumulate);
    case 4 * 3 + 1:
      return Kernel<Kind, RowsOfB, 3, 1>::run(block, accumulate);
    default:
      return Kernel<Kind, RowsOfB, 4, 1>::run(block, accumulate);
  }
}

// Blocks of columns, the two that share registers after each other; in each, blocks of rows in the same way.
// A last row of tiles that c does not fill goes alone, with fewer rows.
template <typename Kind, typename RowsOfB>
void multiply(const typename Kind::Element* a, size_t lda, const RowsOfB& b, float* c, size_t ldc, size_t m,
              size_t n, size_t k, bool accumulate) {
  constexpr size_t spread = Kind::spread;
  for (size_t j = 0; j < n; j += (j + tile_edge) % spread == 0 ? 3 * spread + tile_edge : tile_edge) {
    const size_t across = tiles_in(n - j, spread), most = 4 / across;
    const auto block = [&](size_t i, size_t down) {
      dispatch<Kind>(
          Block<typename Kind::Element, RowsOfB>{
              {a + i, lda}, b.from(j), c + i * ldc + j, ldc, m - i, n - j, k},
          down, across, accumulate);
    };
    for (size_t i = 0; i < m;
         i += (i + tile_edge) % spread == 0 ? (most - 1) * spread + tile_edge : tile_edge) {
      const size_t down = smaller(most, tiles_in(m - i, spread)), last = (down - 1) * spread;
      if (down > 1 && m - i - last < tile_edge) {
        block(i, down - 1);
        block(i + last, 1);
      } else {
        block(i, down);
      }
    }
  }
}

}  // namespace

void matmul(const bf16* a, size_t lda, const bf16* b, size_t ldb, float* c, size_t ldc, size_t m, size_t n,
            size_t k, bool accumulate) {
  multiply<Bf16>(a, lda, EvenRows<bf16>{b, ldb}, c, ldc, m, n, k, accumulate);
}

void matmul(const float* a, size_t lda, const float* b, size_t ldb, float* c, size_t ldc, size_t m, size_t n,
            size_t k, bool accumulate) {
  multiply<Fp32>(a, lda, EvenRows<float>{b, ldb}, c, ldc, m, n, k, accumulate);
}

void matmul_listed(const bf16* a, size_t lda, const bf16* b, const int32_t* rows, float* c, size_t ldc,
                   size_t m, size_t n, size_t k, bool accumulate) {
  multiply<Bf16>(a, lda, ListedRows<bf16, Bf16::depth>{b, rows}, c, ldc, m, n, k, accumulate);
}

void matmul_listed(const float* a, size_t lda, const float* b, const int32_t* rows, float* c, size_t ldc,
                   size_t m, size_t n, size_t k, bool accumulate) {
  multiply<Fp32>(a, lda, ListedRows<float, Fp32::depth>{b, rows}, c, ldc, m, n, k, accumulate);
}

}  // namespace dojo
