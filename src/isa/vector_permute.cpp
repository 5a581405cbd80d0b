// Elements that change place: slides, gathers, compress, moves between element 0 and scalar registers,
// whole-register moves.
#include <algorithm>

#include "isa/vector_operands.h"
#include "isa/vector_rows.h"

namespace dojo::isa::vector {
namespace {

std::uint64_t vlmax(const Hart& hart) {
  const unsigned elements = hart.vlen_bits / hart.sew;
  return hart.lmul_log2 >= 0 ? elements << hart.lmul_log2 : elements >> -hart.lmul_log2;
}

template <typename F>
void by_sew(const Hart& hart, F f) {
  switch (hart.sew) {
    case 8:
      return f.template operator()<std::uint8_t>();
    case 16:
      return f.template operator()<std::uint16_t>();
    case 32:
      return f.template operator()<std::uint32_t>();
    default:
      return f.template operator()<std::uint64_t>();
  }
}

// vd[i] = from(i) for the active elements from `first` on. `from` sees vs2 as it was.
template <typename T, typename From>
void scatter(Hart& hart, const Decoded* d, std::size_t first, From from) {
  alignas(64) T source[max_group_bytes / sizeof(T)];
  const std::size_t limit = vlmax(hart);
  std::memcpy(source, group(hart, d->rs2), limit * sizeof(T));
  const std::uint8_t* mask = is_masked(d) ? group(hart, 0) : nullptr;
  std::uint8_t* to = group(hart, d->rd);
  for (std::size_t i = std::max<std::size_t>(hart.vstart, first); i < hart.vl; ++i) {
    if (mask != nullptr && !mask_bit(mask, i)) continue;
    const T value = from(source, i);
    std::memcpy(to + i * sizeof(T), &value, sizeof(T));
  }
  hart.vstart = 0;
}

template <First first>
const Decoded* slide_up(Hart& hart, const Decoded* d) {
  const std::uint64_t offset = scalar(hart, d, first, 3);
  by_sew(hart, [&]<typename T>() {
    scatter<T>(hart, d, offset, [&](const T* source, std::size_t i) { return source[i - offset]; });
  });
  return d + 1;
}

template <First first>
const Decoded* slide_down(Hart& hart, const Decoded* d) {
  const std::uint64_t offset = scalar(hart, d, first, 3), limit = vlmax(hart);
  by_sew(hart, [&]<typename T>() {
    scatter<T>(hart, d, 0, [&](const T* source, std::size_t i) {
      return offset < limit && i + offset < limit ? source[i + offset] : T{0};
    });
  });
  return d + 1;
}

template <First first>
const Decoded* slide_one_up(Hart& hart, const Decoded* d) {
  if (first == First::f && (hart.sew == 8 || hart.frm > 4)) return illegal(hart, d);
  const std::uint64_t incoming = scalar(hart, d, first, sew_log2(hart));
  by_sew(hart, [&]<typename T>() {
    scatter<T>(hart, d, 0, [&](const T* source, std::size_t i) {
      return i == 0 ? static_cast<T>(incoming) : source[i - 1];
    });
  });
  return d + 1;
}

template <First first>
const Decoded* slide_one_down(Hart& hart, const Decoded* d) {
  if (first == First::f && (hart.sew == 8 || hart.frm > 4)) return illegal(hart, d);
  const std::uint64_t incoming = scalar(hart, d, first, sew_log2(hart));
  const std::size_t last = hart.vl;
  by_sew(hart, [&]<typename T>() {
    scatter<T>(hart, d, 0, [&](const T* source, std::size_t i) {
      return i + 1 == last ? static_cast<T>(incoming) : source[i + 1];
    });
  });
  return d + 1;
}

// Indices are vs1's elements of width SEW, or 16 bits.
template <bool sixteen>
const Decoded* gather(Hart& hart, const Decoded* d) {
  const unsigned index_width = sixteen ? 1 : sew_log2(hart);
  const std::uint64_t limit = vlmax(hart);
  const std::uint8_t* indices = group(hart, d->rs1);
  by_sew(hart, [&]<typename T>() {
    scatter<T>(hart, d, 0, [&](const T* source, std::size_t i) {
      std::uint64_t index = 0;
      std::memcpy(&index, indices + (i << index_width), std::size_t{1} << index_width);
      return index < limit ? source[index] : T{0};
    });
  });
  return d + 1;
}

template <First first>
const Decoded* gather_one(Hart& hart, const Decoded* d) {
  const std::uint64_t index = scalar(hart, d, first, 3), limit = vlmax(hart);
  by_sew(hart, [&]<typename T>() {
    scatter<T>(hart, d, 0,
               [&](const T* source, std::size_t) { return index < limit ? source[index] : T{0}; });
  });
  return d + 1;
}

const Decoded* compress(Hart& hart, const Decoded* d) {
  if (hart.vstart != 0) return illegal(hart, d);
  const std::size_t bytes = hart.sew / 8;
  std::size_t next = 0;
  for (std::size_t i = 0; i < hart.vl; ++i)
    if (mask_bit(group(hart, d->rs1), i))
      std::memcpy(group(hart, d->rd) + next++ * bytes, group(hart, d->rs2) + i * bytes, bytes);
  return d + 1;
}

// --- Element 0 and scalar registers

const Decoded* element_to_x(Hart& hart, const Decoded* d) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, group(hart, d->rs2), hart.sew / 8);
  const unsigned unused = 64 - hart.sew;
  hart.set_x(d->rd, static_cast<std::uint64_t>(static_cast<std::int64_t>(bits << unused) >> unused));
  hart.vstart = 0;
  return d + 1;
}

const Decoded* element_to_f(Hart& hart, const Decoded* d) {
  if (hart.sew == 8 || hart.frm > 4) return illegal(hart, d);
  std::uint64_t bits = ~std::uint64_t{0};
  std::memcpy(&bits, group(hart, d->rs2), hart.sew / 8);
  hart.f[d->rd] = bits;
  hart.vstart = 0;
  return d + 1;
}

template <First first>
const Decoded* scalar_to_element(Hart& hart, const Decoded* d) {
  if (first == First::f && (hart.sew == 8 || hart.frm > 4)) return illegal(hart, d);
  const std::uint64_t bits = scalar(hart, d, first, sew_log2(hart));
  if (hart.vstart < hart.vl) std::memcpy(group(hart, d->rd), &bits, hart.sew / 8);
  hart.vstart = 0;
  return d + 1;
}

// --- Whole registers, whatever vl says

const Decoded* move_registers(Hart& hart, const Decoded* d) {
  const unsigned registers = d->rs1 + 1u;
  const std::size_t first = hart.vstart * (hart.sew / 8), bytes = std::size_t{registers} * hart.vlen_bits / 8;
  if (first < bytes) std::memmove(group(hart, d->rd) + first, group(hart, d->rs2) + first, bytes - first);
  hart.vstart = 0;
  return d + 1;
}

constexpr Row with_rd(Row row, Operand rd, std::string_view syntax) {
  row.rd = rd;
  row.syntax = syntax;
  return row;
}

template <int log2>
constexpr Row whole(std::string_view mnemonic) {
  constexpr VectorOperands moved = {.vd = whole_registers(log2), .vs2 = whole_registers(log2)};
  return with_vm(unary(mnemonic, 0x27, ivi, (1u << log2) - 1, handler<moved, move_registers>), 1, "vd, vs2");
}

// Upwards and gathered, no element of the result may stand where a source still does.
constexpr VectorOperands upwards = {.vd = scaled(0),
                                    .vs2 = scaled(0),
                                    .order = Order::permuting,
                                    .apart = true},
                         downwards = {.vd = scaled(0), .vs2 = scaled(0), .order = Order::permuting};
constexpr VectorOperands gathered(OperandGroup indices) {
  return {.vd = scaled(0), .vs2 = scaled(0), .vs1 = indices, .order = Order::gathering, .apart = true};
}
constexpr VectorOperands compressed = {
    .vd = scaled(0), .vs2 = scaled(0), .vs1 = mask_bits, .order = Order::permuting, .apart = true};
constexpr VectorOperands from_element = {.vs2 = element_0()}, to_element = {.vd = element_0()};

// clang-format off
constexpr Row rows[] = {
  arithmetic("vslideup.vx",       0x0e, ivx, handler<upwards, slide_up<First::x>>),
  with_syntax(arithmetic("vslideup.vi",   0x0e, ivi, handler<upwards, slide_up<First::uimm>>), "vd, vs2, uimm5, vm"),
  arithmetic("vslidedown.vx",     0x0f, ivx, handler<downwards, slide_down<First::x>>),
  with_syntax(arithmetic("vslidedown.vi", 0x0f, ivi, handler<downwards, slide_down<First::uimm>>), "vd, vs2, uimm5, vm"),
  arithmetic("vslide1up.vx",      0x0e, mvx, handler<upwards, slide_one_up<First::x>>),
  arithmetic("vslide1down.vx",    0x0f, mvx, handler<downwards, slide_one_down<First::x>>),
  arithmetic("vfslide1up.vf",     0x0e, fvf, handler<upwards, slide_one_up<First::f>>),
  arithmetic("vfslide1down.vf",   0x0f, fvf, handler<downwards, slide_one_down<First::f>>),
  arithmetic("vrgather.vv",       0x0c, ivv, handler<gathered(scaled(0)), gather<false>>),
  arithmetic("vrgatherei16.vv",   0x0e, ivv, handler<gathered(fixed_width(1)), gather<true>>),
  arithmetic("vrgather.vx",       0x0c, ivx, handler<gathered({}), gather_one<First::x>>),
  with_syntax(arithmetic("vrgather.vi",   0x0c, ivi, handler<gathered({}), gather_one<First::uimm>>), "vd, vs2, uimm5, vm"),
  with_vm(arithmetic("vcompress.vm", 0x17, mvv, handler<compressed, compress>), 1, "vd, vs2, vs1"),
  with_rd(with_vm(unary("vmv.x.s",  0x10, mvv, 0, handler<from_element, element_to_x>), 1, ""), Operand::x_write, "rd, vs2"),
  with_rd(with_vm(unary("vfmv.f.s", 0x10, fvv, 0, handler<from_element, element_to_f>), 1, ""), Operand::f_write, "fd, vs2"),
  with_vm(without_vs2(arithmetic("vmv.s.x",  0x10, mvx, handler<to_element, scalar_to_element<First::x>>)), 1, "vd, rs1"),
  with_vm(without_vs2(arithmetic("vfmv.s.f", 0x10, fvf, handler<to_element, scalar_to_element<First::f>>)), 1, "vd, fs1"),
  whole<0>("vmv1r.v"), whole<1>("vmv2r.v"), whole<2>("vmv4r.v"), whole<3>("vmv8r.v"),
};
// clang-format on

}  // namespace

std::span<const Row> permute_rows() { return rows; }

}  // namespace dojo::isa::vector
