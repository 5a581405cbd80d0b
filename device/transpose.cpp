// Transposition through the tiles of the matrix unit: rows go in, columns come out, a row or column per
// instruction, where a strided access would take a cycle for every element.
#include "dojo.h"

namespace dojo {
namespace {

constexpr size_t edge = 16, by_columns = size_t{1} << 24;

constexpr size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

[[gnu::always_inline]] inline void set_length(size_t length) {
  asm volatile("sf.vsettn zero, %0" : : "r"(length) : "vl", "memory");
}

// A slice of a tile, and the next one's specifier and place in memory.
#define MOVE_SLICE(instruction, specifier, place, bytes)                   \
  asm volatile(instruction " %0, (%1)\n\taddi %0, %0, 1\n\tadd %1, %1, %2" \
               : "+r"(specifier), "+r"(place)                              \
               : "r"(bytes)                                                \
               : "memory")

struct Halves {
  using Element = bf16;
  static constexpr size_t tiles = 8, tile_step = size_t{2} << 27;
  [[gnu::always_inline]] static void configure() {
    asm volatile("sf.vsettnt zero, %0, e16alt, w1" : : "r"(edge) : "vl", "vtype", "memory");
  }
  [[gnu::always_inline]] static void load(size_t& specifier, const Element*& place, size_t bytes) {
    MOVE_SLICE("sf.vlte16", specifier, place, bytes);
  }
  [[gnu::always_inline]] static void store(size_t& specifier, Element*& place, size_t bytes) {
    MOVE_SLICE("sf.vste16", specifier, place, bytes);
  }
};

struct Words {
  using Element = float;
  static constexpr size_t tiles = 4, tile_step = size_t{4} << 27;
  [[gnu::always_inline]] static void configure() {
    asm volatile("sf.vsettnt zero, %0, e32, w1" : : "r"(edge) : "vl", "vtype", "memory");
  }
  [[gnu::always_inline]] static void load(size_t& specifier, const Element*& place, size_t bytes) {
    MOVE_SLICE("sf.vlte32", specifier, place, bytes);
  }
  [[gnu::always_inline]] static void store(size_t& specifier, Element*& place, size_t bytes) {
    MOVE_SLICE("sf.vste32", specifier, place, bytes);
  }
};
#undef MOVE_SLICE

// As many tiles as there are at a time, so that the wait between loads and stores comes seldom.
// `load_tile` loads a tile's rows from `row` on.
template <typename Kind, typename LoadTile>
void transpose_with(typename Kind::Element* to, size_t to_stride, size_t rows, size_t columns,
                    LoadTile load_tile) {
  using Element = typename Kind::Element;
  const size_t to_bytes = to_stride * sizeof(Element);
  Kind::configure();
  for (size_t row = 0; row < rows; row += edge) {
    const size_t height = smaller(edge, rows - row);
    for (size_t column = 0; column < columns; column += Kind::tiles * edge) {
      const size_t width = smaller(Kind::tiles * edge, columns - column);
      for (size_t tile = 0; tile * edge < width; ++tile) {
        set_length(smaller(edge, width - tile * edge));
        load_tile(tile * Kind::tile_step, row, height, column + tile * edge);
      }
      set_length(height);
      Element* place = to + column * to_stride + row;
      for (size_t tile = 0; tile * edge < width; ++tile) {
        size_t specifier = tile * Kind::tile_step | by_columns;
        const size_t end = specifier + smaller(edge, width - tile * edge);
#pragma clang loop unroll(disable)
        for (; specifier + 4 <= end;) {
          Kind::store(specifier, place, to_bytes);
          Kind::store(specifier, place, to_bytes);
          Kind::store(specifier, place, to_bytes);
          Kind::store(specifier, place, to_bytes);
        }
#pragma clang loop unroll(disable)
        while (specifier < end) Kind::store(specifier, place, to_bytes);
      }
    }
  }
}

template <typename Kind>
void transpose_even(typename Kind::Element* to, size_t to_stride, const typename Kind::Element* from,
                    size_t from_stride, size_t rows, size_t columns) {
  using Element = typename Kind::Element;
  const size_t from_bytes = from_stride * sizeof(Element);
  const auto load_tile = [=](size_t specifier, size_t row, size_t height, size_t column) {
    const Element* place = from + row * from_stride + column;
    const size_t end = specifier + height;
#pragma clang loop unroll(disable)
    for (; specifier + 4 <= end;) {
      Kind::load(specifier, place, from_bytes);
      Kind::load(specifier, place, from_bytes);
      Kind::load(specifier, place, from_bytes);
      Kind::load(specifier, place, from_bytes);
    }
#pragma clang loop unroll(disable)
    while (specifier < end) Kind::load(specifier, place, from_bytes);
  };
  transpose_with<Kind>(to, to_stride, rows, columns, load_tile);
}

template <typename Kind>
void transpose_listed(typename Kind::Element* to, size_t to_stride, const typename Kind::Element* from,
                      const int32_t* lines, size_t rows, size_t columns) {
  const auto load_tile = [=](size_t specifier, size_t row, size_t height, size_t column) {
#pragma clang loop unroll_count(4)
    for (size_t i = 0; i < height; ++i) {
      const typename Kind::Element* place = from + lines[row + i] + column;
      Kind::load(specifier, place, 0);
    }
  };
  transpose_with<Kind>(to, to_stride, rows, columns, load_tile);
}

}  // namespace

void transpose(bf16* to, size_t to_stride, const bf16* from, size_t from_stride, size_t rows,
               size_t columns) {
  transpose_even<Halves>(to, to_stride, from, from_stride, rows, columns);
}

void transpose(float* to, size_t to_stride, const float* from, size_t from_stride, size_t rows,
               size_t columns) {
  transpose_even<Words>(to, to_stride, from, from_stride, rows, columns);
}

void transpose(bf16* to, size_t to_stride, const bf16* from, const int32_t* lines, size_t rows,
               size_t columns) {
  transpose_listed<Halves>(to, to_stride, from, lines, rows, columns);
}

void transpose(float* to, size_t to_stride, const float* from, const int32_t* lines, size_t rows,
               size_t columns) {
  transpose_listed<Words>(to, to_stride, from, lines, rows, columns);
}

}  // namespace dojo
