// Matrix steps on FP32 tiles in the configuration that the translation is for: bf16 and fp8 operands, whole
// rows, to nearest even. docs/matrix.md gives the arithmetic; groups of rows that end in a NaN take the slow
// path, as do steps with operands that are no numbers.
//
// The rows of B are widened to FP32 in registers. So are those of A, into a buffer that is multiplied by one
// element at a time. A row of a tile is one vector of AVX-512, two of AVX2.
#include <algorithm>
#include <array>
#include <vector>

#include "isa/vector_legality.h"
#include "translate/emitters.h"
#include "translate/tile_shape.h"

namespace dojo::translate {
namespace {

using isa::Decoded;
using W = CodeWriter;

constexpr VectorOp fused_add{1, 2, 0xb8}, bit_and{1, 1, 0xdb}, largest_byte{1, 1, 0xde},
    equal_bytes{1, 1, 0x74}, product{0, 1, 0x59};
constexpr VectorOp shift_words{1, 1, 0x71}, shift_doubles{1, 1, 0x72};
constexpr unsigned shift_left = 6;

struct MatrixStep {
  unsigned tile, rows, depth;
  unsigned a, b;  // vector registers of the first rows
  unsigned element_bytes, registers_apart;

  unsigned a_row(unsigned k) const { return a + k * registers_apart; }
  unsigned b_row(unsigned k) const { return b + k * registers_apart; }
  unsigned operand_bytes() const { return edge * element_bytes; }
};

// The step's shape, if all its columns are there and its operands lie where they may.
bool find_step(const W& w, const Decoded& d, unsigned sew_log2, MatrixStep& step) {
  const std::uint64_t vtype = w.vectors().vtype;
  const unsigned most = 4u >> sew_log2, widen = most == 4 ? 3 : 2;
  const isa::VectorOperands& operands = d.row->vector;
  const auto type = isa::ElementType::of(vtype);
  step = {.tile = d.word >> 8 & 15,
          .rows = static_cast<unsigned>(vtype >> 16 & 0x3fff),
          .depth = static_cast<unsigned>(vtype >> 11 & 7),
          .a = d.rs2,
          .b = d.rs1,
          .element_bytes = 1u << sew_log2,
          .registers_apart = 8 / most};
  const bool reserved = sew_log2 != 1 && (vtype >> 8 & 1) != 0;
  return vtype >> 63 == 0 && !reserved && (vtype >> 3 & 7) == sew_log2 && (vtype >> 9 & 3) == widen &&
         w.vectors().vl == edge && step.rows != 0 && step.rows <= edge && step.depth != 0 &&
         step.depth <= most && (step.tile & 3) == 0 &&
         isa::vector::group_is_legal(d.rs2, operands.vs2, type) &&
         isa::vector::group_is_legal(d.rs1, operands.vs1, type);
}

// Operands that do not begin with a piece are in the hart from now on, for who reads them there.
void write_back_operands(W& w, const MatrixStep& step) {
  for (unsigned k = 0; k < step.depth; ++k)
    for (const unsigned r : {step.a_row(k), step.b_row(k)}) {
      if (w.first_piece(r)) continue;
      w.write_back(r * w.vlen_bits / 8 / w.piece_bytes(), 1);
    }
}

// Where an operand's row is held, if it is.
std::optional<Vec> held_operand(W& w, unsigned r) {
  const auto first = w.first_piece(r);
  if (w.as.has_masks()) return w.piece(*first);
  return first ? w.held_piece(*first) : std::nullopt;
}

// Part `part` of an operand's row, for instructions that widen it: where it is held (AVX2: brought down to
// the lowest bytes, by way of `to`), or in the hart.
RegMem operand_part(W& w, const MatrixStep& step, Vec to, unsigned r, unsigned part) {
  const auto held = held_operand(w, r);
  if (!held) return w.v(r, part * step.operand_bytes() / 2);
  if (w.as.has_masks() || part == 0) return *held;
  step.element_bytes == 2 ? w.as.upper_half(to, *held) : w.as.upper_quarter(to, *held);
  return to;
}

// What the buffer is named after. Widening e5m2's signalling NaN raises a flag.
enum Contents : std::uint8_t { unbuffered, brain, e4m3_codes };

// Vectors that make up a row of FP32.
unsigned parts(const W& w) { return row_bytes / w.piece_bytes(); }

Mem buffered_element(unsigned row, unsigned k) { return W::buffer(row_bytes * k + 4 * row); }

// Multiplies the elements of A, which lie in the buffer, and the rows of B, `parts` registers each.
void multiply(W& w, const MatrixStep& step, const std::vector<Vec>& b) {
  const unsigned in_row = parts(w), at_once = w.as.has_masks() ? 8 : step.depth <= 2 ? 4 : 3;
  const Vec element = W::scratch_vector;
  std::vector<Vec> sums(at_once * in_row);
  for (Vec& sum : sums) sum = w.fresh();
  for (unsigned first = 0; first < step.rows; first += at_once) {
    const unsigned count = std::min(at_once, step.rows - first);
    for (unsigned i = 0; i < count * in_row; ++i)
      w.as.load_vector(sums[i], w.tile(step.tile, first + i / in_row, w.piece_bytes() * (i % in_row)));
    for (unsigned k = 0; k < step.depth; ++k)
      for (unsigned i = 0; i < count; ++i) {
        if (w.as.has_masks()) {
          w.as.vector_spread(fused_add, sums[i], b[k], buffered_element(first + i, k));
          continue;
        }
        w.as.spread(4, element, buffered_element(first + i, k));
        for (unsigned part = 0; part < in_row; ++part)
          w.as.vector(fused_add, sums[i * in_row + part], element, b[k * in_row + part]);
      }
    check_numbers(w, {sums.data(), count * in_row}, 4, [&]() -> Label& { return w.slow_path(first); });
    for (unsigned i = 0; i < count * in_row; ++i)
      w.as.store_vector(w.tile(step.tile, first + i / in_row, w.piece_bytes() * (i % in_row)), sums[i]);
  }
}

// Widens the rows of A into the buffer by widen(to, register, part), unless it holds them since the step
// before. What that needs of `format` raises no flags, so it may come before all jumps to the slow
// path: whichever way is taken, the next step finds the rows.
template <typename Widen>
void buffer_rows_of_a(W& w, const MatrixStep& step, unsigned format, const Widen& widen) {
  W::Buffered buffered{.name = std::uint64_t{format} << 16 | step.depth << 8 | step.a};
  if (w.is_buffered(buffered.name)) return;
  for (unsigned k = 0; k < step.depth; ++k)
    for (unsigned part = 0; part < parts(w); ++part) {
      widen(W::scratch_vector, step.a_row(k), part);
      w.as.store_vector(W::buffer(row_bytes * k + w.piece_bytes() * part), W::scratch_vector);
    }
  if (format == unbuffered) return w.set_buffered(std::nullopt);
  for (unsigned k = 0; k < step.depth; ++k) {
    const auto piece = w.first_piece(step.a_row(k));
    if (!piece) return w.set_buffered(std::nullopt);
    buffered.pieces[buffered.count++] = *piece;
  }
  w.set_buffered(buffered);
}

template <typename Widen>
std::vector<Vec> rows_of_b(W& w, const MatrixStep& step, const Widen& widen) {
  std::vector<Vec> b;
  for (unsigned k = 0; k < step.depth; ++k)
    for (unsigned part = 0; part < parts(w); ++part) widen(b.emplace_back(w.fresh()), step.b_row(k), part);
  return b;
}

void spread_number(W& w, unsigned bytes, Vec to, std::uint32_t value) {
  w.as.set(W::scratch, value);
  w.as.move_to_vector(Width::word, W::scratch_vector, W::scratch);
  w.as.spread(bytes, to, W::scratch_vector);
}

// bf16 is FP32's upper half.
bool multiply_brain(W& w, const Decoded& d) {
  MatrixStep step;
  if ((w.vectors().vtype >> 8 & 1) == 0 || !find_step(w, d, 1, step)) return false;
  write_back_operands(w, step);
  const auto widen = [&](Vec to, unsigned r, unsigned part) {
    w.as.widen_words(to, operand_part(w, step, to, r, part));
    w.as.vector_shift(shift_doubles, shift_left, to, to, 16);
  };
  buffer_rows_of_a(w, step, brain, widen);
  check_rounding(w);
  multiply(w, step, rows_of_b(w, step, widen));
  return true;
}

// Sign, exponent, fraction of 8 bits.
struct Format {
  bool e4m3;  // otherwise e5m2
  // Codes with these bits set are infinity or NaN.
  std::uint8_t special() const { return e4m3 ? 0x7f : 0x7c; }
};

// Takes the slow path if an element of these rows is no number: if all special bits are set in one of them,
// they are the largest of their kind.
void check_codes(W& w, const MatrixStep& step, unsigned first_register, Format format) {
  const Vec bits = w.fresh(), largest = w.fresh(), codes = W::scratch_vector;
  spread_number(w, 1, bits, format.special());
  for (unsigned k = 0; k < step.depth; ++k) {
    const unsigned r = first_register + k * step.registers_apart;
    const Vec to = k == 0 ? largest : codes;
    if (const auto held = held_operand(w, r)) {
      w.as.vector(bit_and, to, *held, bits);
    } else {
      w.as.load_part(to, w.v(r), step.operand_bytes());
      w.as.vector(bit_and, to, to, bits);
    }
    if (k != 0) w.as.vector(largest_byte, largest, largest, codes);
  }
  if (w.as.has_masks()) {
    w.as.set(W::scratch, (1u << edge) - 1);
    w.as.set_mask(Mask::k3, W::scratch);
    w.as.compare_equal_bytes(Mask::k2, largest, bits, Mask::k3);
    w.as.test_mask(64, Mask::k2);
  } else {
    w.as.vector(equal_bytes, largest, largest, bits);
    w.as.test_any_low(largest);
  }
  w.as.jump_if(Condition::not_equal, w.slow_path());
  w.release(bits);
  w.release(largest);
}

Emit multiply_codes(Format a, Format b) {
  return [=](W& w, const Decoded& d) {
    MatrixStep step;
    if (!find_step(w, d, 0, step)) return false;
    write_back_operands(w, step);
    // Codes become FP16: e5m2 is its upper byte; e4m3's exponent has another bias, which is an exact power of
    // two, and its sign must stand one place further up.
    const bool any_e4m3 = a.e4m3 || b.e4m3;
    const Vec mask = any_e4m3 ? w.fresh() : Vec{}, scale = any_e4m3 ? w.fresh() : Vec{};
    if (any_e4m3) {
      spread_number(w, 4, mask, 0xbfffbfff);
      spread_number(w, 4, scale, 0x43800000);  // 256
    }
    const auto widen_from = [&](Format format) {
      return std::function([&w, &step, mask, scale, format](Vec to, unsigned r, unsigned part) {
        w.as.widen_bytes(format.e4m3, to, operand_part(w, step, to, r, part));
        w.as.vector_shift(shift_words, shift_left, to, to, format.e4m3 ? 7 : 8);
        if (format.e4m3) w.as.vector(bit_and, to, to, mask);
        w.as.widen_halves(to, to);
        if (format.e4m3) w.as.vector(product, to, to, scale);
      });
    };
    const unsigned format = a.e4m3 ? e4m3_codes : unbuffered;
    if (a.e4m3) buffer_rows_of_a(w, step, format, widen_from(a));
    check_rounding(w);
    check_codes(w, step, step.a, a);
    check_codes(w, step, step.b, b);
    if (!a.e4m3) buffer_rows_of_a(w, step, format, widen_from(a));
    const std::vector<Vec> rows = rows_of_b(w, step, widen_from(b));
    if (any_e4m3) {
      w.release(mask);
      w.release(scale);
    }
    multiply(w, step, rows);
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
