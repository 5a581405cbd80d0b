// Matrix steps on FP32 tiles in the configuration that the translation is for: bf16 and fp8 operands, whole
// rows, to nearest even. docs/matrix.md gives the arithmetic; groups of rows that end in a NaN are left to
// the meaning, as are steps with operands that are no numbers.
#include <algorithm>
#include <array>

#include "translate/emitters.h"

namespace dojo::translate {
namespace {

using isa::Decoded;
using W = BlockWriter;

constexpr unsigned edge = isa::tile_edge, row_bytes = 4 * edge;
constexpr Vec numbered(unsigned i) { return static_cast<Vec>(i); }

struct Step {
  unsigned tile, rows, depth;
};

// The step's shape, if all its columns are there and its operands lie where they may.
bool find_step(const W& w, const Decoded& d, unsigned sew_log2, Step& step) {
  const std::uint64_t vtype = w.vectors.vtype;
  const unsigned most = 4u >> sew_log2, widen = most == 4 ? 3 : 2;
  const unsigned misplaced = (8 - 8 / most) | ((1u << (vtype & 7)) - 1);
  step = {.tile = d.word >> 8 & 15,
          .rows = static_cast<unsigned>(vtype >> 16 & 0x3fff),
          .depth = static_cast<unsigned>(vtype >> 11 & 7)};
  return vtype >> 63 == 0 && (vtype >> 3 & 7) == sew_log2 && (vtype >> 9 & 3) == widen &&
         w.vectors.vl == edge && step.rows != 0 && step.rows <= edge && step.depth != 0 &&
         step.depth <= most && (step.tile & 3) == 0 && ((d.rs1 | d.rs2) & misplaced) == 0;
}

void check_rounding(W& w, Label& not_nearest) {
  w.as.load(1, false, W::scratch, W::frm());
  w.as.test(Width::word, W::scratch, W::scratch);
  w.as.jump_if(If::not_equal, not_nearest);
}

// Row r of the tile goes through the registers 2 i and 2 i + 1 with all its products. `a`(row, k) leaves an
// element of A in every element of a register and names it; row k of B is in the registers `b` + 2 k and
// next.
template <typename A>
void multiply(W& w, const Step& step, unsigned at_once, unsigned b, Vec found, Vec other, A a) {
  std::array<Label, edge> not_numbers;
  for (unsigned first = 0; first < step.rows; first += at_once) {
    const unsigned count = std::min(at_once, step.rows - first);
    for (unsigned i = 0; i < 2 * count; ++i)
      w.as.load_vector(numbered(i), w.tile(step.tile, first + i / 2, 32 * (i % 2)));
    for (unsigned k = 0; k < step.depth; ++k)
      for (unsigned i = 0; i < count; ++i) {
        const Vec element = a(first + i, k);
        for (unsigned half = 0; half < 2; ++half)
          w.as.vector(1, 2, 0xb8, numbered(2 * i + half), element, numbered(b + 2 * k + half));  // fma
      }
    check_numbers(w, 2 * count, found, other, not_numbers[first]);
    for (unsigned i = 0; i < 2 * count; ++i)
      w.as.store_vector(w.tile(step.tile, first + i / 2, 32 * (i % 2)), numbered(i));
  }
  for (unsigned first = 0; first < step.rows; first += at_once) w.meaning_at(not_numbers[first], first);
}

// bf16 is FP32's upper half.
bool multiply_brain(W& w, const Decoded& d) {
  constexpr unsigned registers_apart = 4, b = 10;
  constexpr Vec upper{9}, element{8}, found{14}, other{15};
  Step step;
  if ((w.vectors.vtype >> 8 & 1) == 0 || !find_step(w, d, 1, step)) return false;
  Label not_nearest;
  check_rounding(w, not_nearest);
  w.as.vector(1, 1, 0x76, upper, upper, upper);  // equal: all ones
  w.as.shift_left(4, upper, upper, 16);
  for (unsigned k = 0; k < step.depth; ++k)
    for (unsigned half = 0; half < 2; ++half) {
      const Vec row = numbered(b + 2 * k + half);
      w.as.widen_words(row, w.v(d.rs1 + k * registers_apart, 16 * half));
      w.as.shift_left(4, row, row, 16);
    }
  multiply(w, step, 4, b, found, other, [&](unsigned row, unsigned k) {
    // Together with the two bytes before it, which is where FP32's lower half is.
    Place place = w.v(d.rs2 + k * registers_apart, 2 * row);
    place.displacement -= 2;
    w.as.spread(4, element, place);
    w.as.vector(1, 1, 0xdb, element, element, upper);  // and
    return element;
  });
  w.meaning_at(not_nearest);
  return true;
}

// Sign, exponent, fraction of 8 bits.
struct Format {
  bool e4m3;  // otherwise e5m2
  // Codes with these bits set are infinity or NaN.
  std::uint8_t special() const { return e4m3 ? 0x7f : 0x7c; }
};

void spread_byte(W& w, Vec to, std::uint8_t value) {
  w.as.set(W::scratch, value);
  w.as.move_to_vector(Width::word, to, W::scratch);
  w.as.spread(1, to, to);
}

// Jumps to `special` if an element of these rows is no number.
void check_codes(W& w, unsigned first_register, unsigned apart, unsigned depth, Format format,
                 Label& special) {
  constexpr Vec bits{0}, codes{1}, found{2};
  spread_byte(w, bits, format.special());
  for (unsigned k = 0; k < depth; ++k) {
    const Vec to = k == 0 ? found : codes;
    w.as.load_vector(to, w.v(first_register + k * apart), true);
    w.as.vector(1, 1, 0xdb, to, to, bits);                     // and
    w.as.vector(1, 1, 0x74, to, to, bits);                     // equal, by bytes
    if (k != 0) w.as.vector(1, 1, 0xeb, found, found, codes);  // or
  }
  // The upper halves are zeros, which are no special codes.
  w.as.test_any(found);
  w.as.jump_if(If::not_equal, special);
}

// Eight codes to FP32 by way of FP16: e5m2 is its upper byte; e4m3's exponent has another bias, which is an
// exact power of two, and its sign must stand one place further up.
void widen_codes(W& w, Vec to, Place from, Format format, Vec mask, Vec scale) {
  w.as.widen_bytes(format.e4m3, to, from);
  w.as.shift_left(2, to, to, format.e4m3 ? 7 : 8);
  if (format.e4m3) w.as.vector(1, 1, 0xdb, to, to, mask);  // and
  w.as.widen_halves(to, to);
  if (format.e4m3) w.as.vector(0, 1, 0x59, to, to, scale);  // times
}

Emit multiply_codes(Format a, Format b) {
  return [=](W& w, const Decoded& d) {
    constexpr unsigned registers_apart = 2, b_registers = 8;
    constexpr Vec mask{0}, scale{1}, wide{2}, element{7}, found{6}, other{7};
    Step step;
    if (!find_step(w, d, 0, step)) return false;
    Label by_meaning;
    check_rounding(w, by_meaning);
    check_codes(w, d.rs2, registers_apart, step.depth, a, by_meaning);
    check_codes(w, d.rs1, registers_apart, step.depth, b, by_meaning);
    w.as.set(W::scratch, 0xbfffbfff);
    w.as.move_to_vector(Width::word, mask, W::scratch);
    w.as.spread(4, mask, mask);
    w.as.set(W::scratch, 0x43800000);  // 256
    w.as.move_to_vector(Width::word, scale, W::scratch);
    w.as.spread(4, scale, scale);
    for (unsigned k = 0; k < step.depth; ++k)
      for (unsigned half = 0; half < 2; ++half) {
        widen_codes(w, wide, w.v(d.rs2 + k * registers_apart, 8 * half), a, mask, scale);
        w.as.store_vector(W::buffer(row_bytes * k + 32 * half), wide);
        widen_codes(w, numbered(b_registers + 2 * k + half), w.v(d.rs1 + k * registers_apart, 8 * half), b,
                    mask, scale);
      }
    multiply(w, step, 3, b_registers, found, other, [&](unsigned row, unsigned k) {
      w.as.spread(4, element, W::buffer(row_bytes * k + 4 * row));
      return element;
    });
    w.meaning_at(by_meaning);
    return true;
  };
}

}  // namespace

std::span<const Emitter> matrix_emitters() {
  constexpr Format e4m3{true}, e5m2{false};
  static const Emitter table[] = {
      {"sf.mm.f.f", multiply_brain},
      {"sf.mm.e5m2.e5m2", multiply_codes(e5m2, e5m2)},
      {"sf.mm.e5m2.e4m3", multiply_codes(e5m2, e4m3)},
      {"sf.mm.e4m3.e5m2", multiply_codes(e4m3, e5m2)},
      {"sf.mm.e4m3.e4m3", multiply_codes(e4m3, e4m3)},
  };
  return table;
}

}  // namespace dojo::translate
