#include "isa/matrix_double.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "isa/float_host.h"
#include "isa/matrix_operands.h"

namespace dojo::isa {
namespace {

constexpr unsigned width = 64, edge = effective_tile_edge(width, 1);
constexpr unsigned tile_units = edge * edge * width / 8 / tile_register_bytes;

double element(const std::uint8_t* from, unsigned index) {
  double value;
  std::memcpy(&value, from + index * sizeof value, sizeof value);
  return value;
}

// RISC-V's fma: the canonical NaN, and inf * 0 invalid even if the addend is a quiet NaN.
double fused(double a, double b, double c, std::uint8_t& flags) {
  const double sum = std::fma(a, b, c);
  if (!std::isnan(sum)) return sum;
  if ((std::isinf(a) && b == 0.0) || (a == 0.0 && std::isinf(b))) flags |= invalid;
  return std::numeric_limits<double>::quiet_NaN();
}

// Apart, so that no arithmetic leaves the rounding mode around the call.
[[gnu::noinline]] void multiply_tile(Hart& hart, const Decoded* d) {
  const std::uint8_t *a = vector::group(hart, d->rs2), *b = vector::group(hart, d->rs1);
  std::uint8_t* tile = tile_bytes(hart, d->word >> 8 & 15);
  for (unsigned m = 0; m < hart.tile_m; ++m)
    for (unsigned n = 0; n < hart.vl; ++n) {
      std::uint8_t* place = tile + (m * edge + n) * sizeof(double);
      const double sum = fused(element(a, m), element(b, n), element(place, 0), hart.fflags);
      std::memcpy(place, &sum, sizeof sum);
    }
}

}  // namespace

const Decoded* multiply_double(Hart& hart, const Decoded* d) {
  const bool legal = !hart.vill && hart.tile_widen == 1 && hart.sew == width && !hart.altfmt &&
                     (d->word >> 8 & 15) % tile_units == 0 &&
                     vector::groups_are_legal(d, step_operands, vector::element_type(hart));
  if (!legal) return vector::illegal(hart, d);
  if (hart.tile_k != 0) {
    const RoundingScope nearest(rne);
    multiply_tile(hart, d);
  }
  return d + 1;
}

}  // namespace dojo::isa
