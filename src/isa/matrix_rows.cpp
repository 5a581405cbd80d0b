// The rows of XSfmm 0.6 (SiFive's matrix extension) for 16 x 16 tiles with FP32 and INT32 accumulators, and
// for 8 x 8 tiles in FP64.
// docs/matrix.md is its page.
//
// A tile register mt<i> names 256 bytes of tile state; a tile of 32-bit elements takes four of them (mt0,
// mt4, mt8, mt12), one of 16-bit or 64-bit elements two. Rows of a tile lie one after another.
#include <algorithm>
#include <array>
#include <bit>

#include "isa/matrix_double.h"
#include "isa/matrix_operands.h"
#include "isa/matrix_step.h"
#include "isa/matrix_widen.h"
#include "isa/vector_config.h"
#include "isa/vector_copy.h"
#include "isa/vector_operands.h"

namespace dojo::isa {
namespace {

using vector::illegal;

// Whether mt<tile> may hold elements of this width.
bool tile_is_legal(unsigned tile, unsigned width) {
  const unsigned edge = effective_tile_edge(width, 1);
  return tile % (edge * edge * width / 8 / tile_register_bytes) == 0;
}

// --- Configuration

// sf.vsettn, sf.vsettm, sf.vsettk change one extent of a matrix configuration; elsewhere they make vtype
// illegal.
template <typename Set>
const Decoded* set_extent(Hart& hart, const Decoded* d, Set set) {
  const std::uint64_t requested = hart.x[d->rs1];
  std::uint64_t granted = 0;
  if (is_matrix_configuration(hart)) {
    granted = set(requested);
  } else {
    set_vtype(hart, ~std::uint64_t{0});
    hart.vl = 0;
  }
  hart.vstart = 0;
  hart.set_x(d->rd, granted);
  return proceed(hart, d);
}

const Decoded* set_tn(Hart& hart, const Decoded* d) {
  return set_extent(
      hart, d, [&](std::uint64_t wanted) { return hart.vl = std::min(wanted, vector_length_limit(hart)); });
}

const Decoded* set_tm(Hart& hart, const Decoded* d) {
  return set_extent(hart, d, [&](std::uint64_t wanted) {
    const std::uint64_t tm = std::min(wanted, vector_length_limit(hart));
    set_vtype(hart, (hart.vtype & ~(std::uint64_t{0x3fff} << 16)) | tm << 16);
    return tm;
  });
}

const Decoded* set_tk(Hart& hart, const Decoded* d) {
  return set_extent(hart, d, [&](std::uint64_t wanted) {
    const std::uint64_t tk = std::min<std::uint64_t>(wanted, tile_k_max(hart.tile_widen));
    set_vtype(hart, (hart.vtype & ~(std::uint64_t{7} << 11)) | tk << 11);
    return tk;
  });
}

// --- Moves: a row or column of a tile, named by a tile subset specifier in an x register

struct Slice {
  std::uint8_t* first = nullptr;  // nullptr: no such slice
  std::size_t stride = 0;         // bytes from element to element
};

// Specifier: index in bits 23:0, pattern (0 row, 1 column) in 26:24, tile register in 30:27.
Slice slice_of(Hart& hart, std::uint64_t specifier, unsigned width) {
  const unsigned edge = effective_tile_edge(width, 1), tile = specifier >> 27 & 15,
                 pattern = specifier >> 24 & 7;
  const auto index = static_cast<unsigned>(specifier & 0xffffff);
  const std::size_t element = width / 8, row = edge * element;
  if (!is_matrix_configuration(hart) || !tile_is_legal(tile, width) || index >= edge || pattern > 1 ||
      hart.vl > edge)
    return {};
  return pattern == 0 ? Slice{tile_bytes(hart, tile) + index * row, element}
                      : Slice{tile_bytes(hart, tile) + index * element, row};
}

// Copies vl elements, those before vstart excepted.
void copy_slice(Hart& hart, std::uint8_t* to, std::size_t to_stride, const std::uint8_t* from,
                std::size_t from_stride, std::size_t element) {
  if (hart.vl > hart.vstart) {
    if (to_stride == element && from_stride == element)
      vector::copy_row(to + hart.vstart * element, from + hart.vstart * element,
                       (hart.vl - hart.vstart) * element);
    else
      for (std::size_t i = hart.vstart; i < hart.vl; ++i)
        std::memcpy(to + i * to_stride, from + i * from_stride, element);
  }
  hart.vstart = 0;
}

// A slice that memory refuses as a whole: the elements before the one that traps are done.
template <unsigned width, bool store>
const Decoded* slice_until_fault(Hart& hart, const Decoded* d, const Slice& slice) {
  constexpr std::size_t bytes = width / 8;
  for (; hart.vstart < hart.vl; ++hart.vstart) {
    const std::uint64_t address = hart.x[d->rs1] + hart.vstart * bytes;
    std::byte* memory = store ? hart.memory.writable(address, bytes) : hart.memory.readable(address, bytes);
    if (memory == nullptr)
      return store ? hart.raise_store_fault(d, address) : hart.raise_load_fault(d, address);
    std::uint8_t* element = slice.first + hart.vstart * slice.stride;
    store ? std::memcpy(memory, element, bytes) : std::memcpy(element, memory, bytes);
  }
  hart.vstart = 0;
  return proceed(hart, d);
}

template <unsigned width, bool store>
const Decoded* access_slice(Hart& hart, const Decoded* d) {
  constexpr std::size_t bytes = width / 8;
  const Slice slice = slice_of(hart, hart.x[d->rs2], width);
  if (slice.first == nullptr) return illegal(hart, d);
  const std::uint64_t address = hart.x[d->rs1];
  std::byte* whole =
      store ? hart.memory.writable(address, hart.vl * bytes) : hart.memory.readable(address, hart.vl * bytes);
  if (whole == nullptr) return slice_until_fault<width, store>(hart, d, slice);
  auto* memory = reinterpret_cast<std::uint8_t*>(whole);
  store ? copy_slice(hart, memory, bytes, slice.first, slice.stride, bytes)
        : copy_slice(hart, slice.first, slice.stride, memory, bytes, bytes);
  return proceed(hart, d);
}

constexpr VectorOperands into_vector = {.vd = scaled(0)}, from_vector = {.vs2 = scaled(0)};

const Decoded* move_to_vector(Hart& hart, const Decoded* d) {
  const Slice slice = slice_of(hart, hart.x[d->rs1], hart.sew);
  if (slice.first == nullptr || !vector::is_legal(hart, d, into_vector)) return illegal(hart, d);
  copy_slice(hart, vector::group(hart, d->rd), hart.sew / 8, slice.first, slice.stride, hart.sew / 8);
  return d + 1;
}

const Decoded* move_from_vector(Hart& hart, const Decoded* d) {
  const Slice slice = slice_of(hart, hart.x[d->rs1], hart.sew);
  if (slice.first == nullptr || !vector::is_legal(hart, d, from_vector)) return illegal(hart, d);
  copy_slice(hart, slice.first, slice.stride, vector::group(hart, d->rs2), hart.sew / 8, hart.sew / 8);
  return d + 1;
}

const Decoded* zero_tile(Hart& hart, const Decoded* d) {
  const unsigned tile = d->word >> 8 & 15, width = hart.sew * hart.tile_widen;
  if (!is_matrix_configuration(hart) || !tile_is_legal(tile, width)) return illegal(hart, d);
  const std::size_t row = effective_tile_edge(width, 1) * width / 8;
  for (unsigned m = 0; m < hart.tile_m; ++m)
    std::memset(tile_bytes(hart, tile) + m * row, 0, hart.vl * (width / 8));
  return d + 1;
}

// Tile state costs nothing to keep, so giving it up keeps it.
const Decoded* discard_tiles(Hart&, const Decoded* d) { return d + 1; }

// --- Steps

const Decoded* multiply_float(Hart& hart, const Decoded* d) {
  if (hart.sew == 32) return run_matrix_step<32>(hart, d, Fp32(), Fp32());
  if (hart.sew == 64) return multiply_double(hart, d);
  return hart.altfmt ? run_matrix_step<16>(hart, d, Brain(), Brain())
                     : run_matrix_step<16>(hart, d, Fp16(), Fp16());
}

template <typename A, typename B>
const Decoded* multiply_fp8(Hart& hart, const Decoded* d) {
  return run_matrix_step<8>(hart, d, A(), B());
}

// Products and sums modulo 2^32.
template <typename A, typename B>
const Decoded* multiply_integer(Hart& hart, const Decoded* d) {
  if (!step_is_legal<8>(hart, d)) return illegal(hart, d);
  auto* tile = reinterpret_cast<vector::u32*>(tile_bytes(hart, d->word >> 8 & 15));
  const auto tn = static_cast<unsigned>(hart.vl);
  for (unsigned k = 0; k < hart.tile_k; ++k) {
    const std::uint8_t* a = operand_row<8>(hart, d->rs2, k);
    const std::uint8_t* b = operand_row<8>(hart, d->rs1, k);
    for (unsigned m = 0; m < hart.tile_m; ++m) {
      const int scale = static_cast<A>(a[m]);
      for (unsigned n = 0; n < tn; ++n)
        tile[m * tile_edge + n] += static_cast<std::uint32_t>(scale * static_cast<int>(static_cast<B>(b[n])));
    }
  }
  return d + 1;
}

constexpr auto no = Operand::none;
constexpr auto xr = Operand::x_read;
constexpr auto xw = Operand::x_write;
constexpr auto vr = Operand::v_read;
constexpr auto vw = Operand::v_write;
constexpr auto tw = Operand::t_write;
constexpr auto ta = Operand::t_read_write;
constexpr std::uint16_t sets = ends_block | writes_vtype;

constexpr VectorOperands slice_operands(unsigned width) {
  return {.vd = {Extent::tile_slice, static_cast<std::int8_t>(std::countr_zero(width) - 3)},
          .access = AccessPattern::unit_stride};
}

// clang-format off
#define TILE_SET(WORD, TEXT)     {"sf.vsettnt", WORD, 0xfff0707f, "rd, rs1, " TEXT, "XSfmm", Unit::vector_config, xw, xr, no, no, sets, set_vtype_and_length}
#define TILE_MULTIPLY(NAME, MATCH, MASK, PROPERTIES, EXECUTE) \
  {NAME, MATCH, MASK, "mt, vs2, vs1", "XSfmm", Unit::matrix, ta, vr, vr, no, PROPERTIES, EXECUTE, step_operands}
#define TILE_LOAD(WIDTH, MATCH) \
  {"sf.vlte" #WIDTH, MATCH, 0xfe007fff, "rs2, (rs1)", "XSfmm", Unit::vector_load, no, xr, xr, no, reads_memory, (access_slice<WIDTH, false>), slice_operands(WIDTH)}
#define TILE_STORE(WIDTH, MATCH) \
  {"sf.vste" #WIDTH, MATCH, 0xfe007fff, "rs2, (rs1)", "XSfmm", Unit::vector_store, no, xr, xr, no, writes_memory, (access_slice<WIDTH, true>), slice_operands(WIDTH)}

constexpr Row rows[] = {
  TILE_SET(0x20007057, "e8, w1"),    TILE_SET(0x40007057, "e8, w2"),    TILE_SET(0x60007057, "e8, w4"),
  TILE_SET(0x20807057, "e16, w1"),   TILE_SET(0x40807057, "e16, w2"),   TILE_SET(0x60807057, "e16, w4"),
  TILE_SET(0x30807057, "e16alt, w1"), TILE_SET(0x50807057, "e16alt, w2"), TILE_SET(0x70807057, "e16alt, w4"),
  TILE_SET(0x21007057, "e32, w1"),   TILE_SET(0x41007057, "e32, w2"),   TILE_SET(0x21807057, "e64, w1"),
  // mnemonic       match       mask        syntax        extension unit                 rd  rs1 rs2 rs3 properties     execute
  {"sf.vsettn",   0x84007057, 0xfff0707f, "rd, rs1",    "XSfmm", Unit::vector_config, xw, xr, no, no, sets,          set_tn},
  {"sf.vsettm",   0x84107057, 0xfff0707f, "rd, rs1",    "XSfmm", Unit::vector_config, xw, xr, no, no, sets,          set_tm},
  {"sf.vsettk",   0x84207057, 0xfff0707f, "rd, rs1",    "XSfmm", Unit::vector_config, xw, xr, no, no, sets,          set_tk},
  TILE_LOAD(8, 0x12007007),
  TILE_LOAD(16, 0x32007007),
  TILE_LOAD(32, 0x52007007),
  TILE_LOAD(64, 0x72007007),
  TILE_STORE(8, 0x12007027),
  TILE_STORE(16, 0x32007027),
  TILE_STORE(32, 0x52007027),
  TILE_STORE(64, 0x72007027),
  {"sf.vtmv.v.t", 0x43f06057, 0xfff0707f, "vd, rs1",    "XSfmm", Unit::matrix_move,   vw, xr, no, no, 0,             move_to_vector, into_vector},
  {"sf.vtmv.t.v", 0x5e006057, 0xfe007fff, "rs1, vs2",   "XSfmm", Unit::matrix_move,   no, xr, vr, no, 0,             move_from_vector, from_vector},
  {"sf.vtzero.t", 0x43e06057, 0xfffff0ff, "mt",         "XSfmm", Unit::matrix_move,   tw, no, no, no, 0,             zero_tile},
  {"sf.vtdiscard", 0x43c06057, 0xffffffff, "",          "XSfmm", Unit::matrix_move,   no, no, no, no, 0,             discard_tiles},
  TILE_MULTIPLY("sf.mm.f.f",       0xf2001077, 0xfe0071ff, raises_flags, multiply_float),
  TILE_MULTIPLY("sf.mm.e5m2.e5m2", 0xfa001077, 0xfe0073ff, raises_flags, (multiply_fp8<E5m2, E5m2>)),
  TILE_MULTIPLY("sf.mm.e5m2.e4m3", 0xfa0010f7, 0xfe0073ff, raises_flags, (multiply_fp8<E5m2, E4m3>)),
  TILE_MULTIPLY("sf.mm.e4m3.e5m2", 0xfe001077, 0xfe0073ff, raises_flags, (multiply_fp8<E4m3, E5m2>)),
  TILE_MULTIPLY("sf.mm.e4m3.e4m3", 0xfe0010f7, 0xfe0073ff, raises_flags, (multiply_fp8<E4m3, E4m3>)),
  TILE_MULTIPLY("sf.mm.u.u",       0xf2000077, 0xfe0073ff, 0, (multiply_integer<std::uint8_t, std::uint8_t>)),
  TILE_MULTIPLY("sf.mm.s.u",       0xf6000077, 0xfe0073ff, 0, (multiply_integer<std::int8_t, std::uint8_t>)),
  TILE_MULTIPLY("sf.mm.u.s",       0xf20000f7, 0xfe0073ff, 0, (multiply_integer<std::uint8_t, std::int8_t>)),
  TILE_MULTIPLY("sf.mm.s.s",       0xf60000f7, 0xfe0073ff, 0, (multiply_integer<std::int8_t, std::int8_t>)),
};
// clang-format on

}  // namespace

std::span<const Row> matrix_rows() { return rows; }

}  // namespace dojo::isa
