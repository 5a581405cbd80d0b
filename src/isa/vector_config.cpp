#include "isa/vector_config.h"

#include <algorithm>

#include "isa/vector_operands.h"

namespace dojo::isa {
namespace {

constexpr unsigned max_element_bits = 64;

void set_vill(Hart& hart) {
  hart.vtype = vill_bit;
  hart.vill = true;
  hart.altfmt = false;
  hart.sew = 8;
  hart.lmul_log2 = 0;
  hart.tile_widen = hart.tile_m = hart.tile_k = 0;
}

void grant(Hart& hart, std::uint64_t vtype, unsigned sew, int lmul_log2) {
  hart.vtype = vtype;
  hart.vill = false;
  hart.sew = static_cast<std::uint16_t>(sew);
  hart.lmul_log2 = static_cast<std::int8_t>(lmul_log2);
  hart.altfmt = (vtype >> 8 & 1) != 0;
  hart.tile_widen = static_cast<std::uint8_t>((vtype >> 9 & 3) == 0 ? 0 : 1u << ((vtype >> 9 & 3) - 1));
  hart.tile_k = static_cast<std::uint8_t>(vtype >> 11 & 7);
  hart.tile_m = static_cast<std::uint8_t>(vtype >> 16 & 0x3fff);
}

// altfmt may stand beside any SEW: clang 22 leaves it set when it goes on from a step on bf16 to loads and
// stores (LLVM's pull request 191960). What has no use for it does not look at it.
void set_plain_vtype(Hart& hart, std::uint64_t vtype) {
  const unsigned sew = 8u << (vtype >> 3 & 7);
  const int lmul = static_cast<int>((vtype & 7) ^ 4) - 4;
  const bool exists = vtype >> 9 == 0 && sew <= max_element_bits && lmul != -4 &&
                      (lmul >= 0 || sew <= max_element_bits >> -lmul);
  exists ? grant(hart, vtype, sew, lmul) : set_vill(hart);
}

// LMUL follows: as many registers as a row of the tile needs at this SEW. Policies read as agnostic.
void set_matrix_vtype(Hart& hart, std::uint64_t vtype) {
  const unsigned sew = 8u << (vtype >> 3 & 7), widen = 1u << ((vtype >> 9 & 3) - 1);
  const unsigned edge = effective_tile_edge(sew, widen);
  constexpr std::uint64_t known = 0x3fff3fff;
  const bool exists = (vtype & ~known) == 0 && sew <= max_element_bits && sew * widen <= max_element_bits &&
                      (vtype >> 11 & 7) <= tile_k_max(widen) && (vtype >> 16 & 0x3fff) <= edge;
  if (!exists) return set_vill(hart);
  int lmul = 0;
  while (hart.vlen_bits << lmul < edge * sew) ++lmul;
  grant(hart, (vtype & ~std::uint64_t{7}) | 0xc0u | static_cast<unsigned>(lmul), sew, lmul);
}

const Decoded* finish(Hart& hart, const Decoded* d, std::uint64_t requested_length) {
  hart.vl = std::min(requested_length, vector_length_limit(hart));
  hart.vstart = 0;
  hart.set_x(d->rd, hart.vl);
  return proceed(hart, d);
}

// rs1 = x0 asks for as much as there is, or with rd = x0 as well for what vl holds.
std::uint64_t requested(const Hart& hart, const Decoded* d) {
  if (d->rs1 != 0) return hart.x[d->rs1];
  return d->rd != 0 ? ~std::uint64_t{0} : hart.vl;
}

const Decoded* vsetivli(Hart& hart, const Decoded* d) {
  set_vtype(hart, d->word >> 20 & 0x3ff);
  return finish(hart, d, d->rs1);
}

const Decoded* vsetvl(Hart& hart, const Decoded* d) {
  const std::uint64_t length = requested(hart, d);
  set_vtype(hart, hart.x[d->rs2]);
  return finish(hart, d, length);
}

constexpr std::uint16_t sets = ends_block | writes_vtype;
constexpr auto no = Operand::none;
constexpr auto xw = Operand::x_write;
constexpr auto xr = Operand::x_read;

// clang-format off
constexpr Row rows[] = {
  {"vsetvli",  0x00007057, 0x8000707f, "rd, rs1, vtypei",     "V", Unit::vector_config, xw, xr, no, no, sets, set_vtype_and_length},
  {"vsetivli", 0xc0007057, 0xc000707f, "rd, zimm5, vtypei10", "V", Unit::vector_config, xw, no, no, no, sets, vsetivli},
  {"vsetvl",   0x80007057, 0xfe00707f, "rd, rs1, rs2",        "V", Unit::vector_config, xw, xr, xr, no, sets, vsetvl},
};
// clang-format on

}  // namespace

void set_vtype(Hart& hart, std::uint64_t vtype) {
  if (vtype == hart.vtype) return;
  (vtype >> 9 & 3) == 0 ? set_plain_vtype(hart, vtype) : set_matrix_vtype(hart, vtype);
}

std::uint64_t vector_length_limit(const Hart& hart) {
  if (hart.vill) return 0;
  if (hart.tile_widen != 0) return effective_tile_edge(hart.sew, hart.tile_widen);
  const unsigned elements = hart.vlen_bits / hart.sew;
  return hart.lmul_log2 >= 0 ? elements << hart.lmul_log2 : elements >> -hart.lmul_log2;
}

const Decoded* set_vtype_and_length(Hart& hart, const Decoded* d) {
  const std::uint64_t length = requested(hart, d);
  set_vtype(hart, d->word >> 20 & 0x7ff);
  return finish(hart, d, length);
}

namespace vector {
std::span<const Row> config_rows() { return rows; }
}  // namespace vector

}  // namespace dojo::isa
