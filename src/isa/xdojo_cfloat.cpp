#include "isa/xdojo_cfloat.h"

#include <array>
#include <cmath>
#include <optional>

#include "base/random.h"
#include "isa/float_host.h"
#include "isa/matrix_operands.h"
#include "numerics/convert.h"
#include "numerics/format.h"

namespace dojo::isa {
namespace {

using numerics::FormatSpec;

struct Descriptor {
  FormatSpec spec;
  bool stochastic;
};

std::optional<Descriptor> descriptor_of(std::uint64_t bits) {
  constexpr std::uint64_t known = 0x30f3f;
  if ((bits & ~known) != 0) return {};
  const int bias = static_cast<int>(bits & 0x3f);
  Descriptor descriptor{numerics::bf16, (bits >> 16 & 1) != 0};
  switch (bits >> 8 & 15) {
    case 0:
      descriptor.spec = numerics::cfloat8_143(bias);
      break;
    case 1:
      descriptor.spec = numerics::cfloat8_152(bias);
      break;
    case 2:
      descriptor.spec = numerics::cfloat16_shp(bias);
      break;
    case 3:
      descriptor.spec = numerics::cfloat16_uhp();
      break;
    case 4:
      break;
    default:
      return {};
  }
  if ((bits >> 17 & 1) != 0) descriptor.spec.denormals = numerics::Denormals::printed;
  return descriptor;
}

// The descriptor, if the configuration suits it and the registers.
std::optional<Descriptor> legal_descriptor(const Hart& hart, const Decoded* d,
                                           const VectorOperands& operands) {
  if (hart.sew > 16 || !vector::is_legal(hart, d, operands)) return {};
  const auto descriptor = descriptor_of(hart.x[d->rs1]);
  return descriptor && descriptor->spec.bits() == hart.sew ? descriptor : std::nullopt;
}

std::uint8_t guest_flags(std::uint8_t flags) {
  return static_cast<std::uint8_t>(((flags & numerics::flag_invalid) != 0 ? invalid : 0) |
                                   ((flags & numerics::flag_overflow) != 0 ? overflow : 0) |
                                   ((flags & numerics::flag_underflow) != 0 ? underflow : 0));
}

// The formats' own arithmetic runs on the host's floats, whose mode and flags may be the hart's just now.
class OwnFloats {
public:
  OwnFloats() : before_(_mm_getcsr()) { _mm_setcsr(mxcsr_for(rne)); }
  ~OwnFloats() { _mm_setcsr(before_); }
  OwnFloats(const OwnFloats&) = delete;
  OwnFloats& operator=(const OwnFloats&) = delete;

private:
  unsigned before_;
};

template <typename Code>
[[gnu::noinline]] void narrow_elements(Hart& hart, const Decoded* d, const Descriptor& descriptor) {
  const vector::Active active(hart, d);
  std::array<float, vector::max_elements / 4> source;
  std::memcpy(source.data(), vector::group(hart, d->rs2), hart.vl * 4);
  std::uint8_t* to = vector::group(hart, d->rd);
  PhiloxBlock draws{};
  for (std::size_t i = 0; i < hart.vl; ++i) {
    if (descriptor.stochastic && i % 4 == 0)
      draws = philox(hart.stochastic_key, hart.stochastic_counter + i / 4);
    if (!active[i]) continue;
    const auto rounding =
        descriptor.stochastic ? numerics::Rounding::with(draws[i % 4]) : numerics::Rounding::nearest_even();
    const numerics::Rounded rounded = numerics::round(source[i], descriptor.spec, rounding);
    hart.fflags |= guest_flags(rounded.flags);
    const auto code = static_cast<Code>(rounded.code);
    std::memcpy(to + i * sizeof(Code), &code, sizeof(Code));
  }
  if (descriptor.stochastic) hart.stochastic_counter += (hart.vl + 3) / 4;
}

// CFloat8 values at bias 0; another bias is an exact power of two.
using Table = std::array<float, 256>;
Table table_of(FormatSpec spec, numerics::Denormals denormals) {
  spec.denormals = denormals;
  Table table;
  for (unsigned code = 0; code < 256; ++code) table[code] = numerics::widen(code, spec);
  return table;
}

const Table& table_for(unsigned format_and_denormals) {
  using enum numerics::Denormals;
  static const std::array<Table, 4> tables = {
      table_of(numerics::cfloat8_143(0), gradual), table_of(numerics::cfloat8_152(0), gradual),
      table_of(numerics::cfloat8_143(0), printed), table_of(numerics::cfloat8_152(0), printed)};
  return tables[format_and_denormals];
}

// Exact, whichever way: a table for 8 bits, arithmetic for 16.
void widen_codes(const Descriptor& descriptor, const std::uint8_t* codes, float* values, std::size_t count) {
  const unsigned format = (descriptor.spec.exponent_bits == 5 ? 1u : 0u) |
                          (descriptor.spec.denormals == numerics::Denormals::printed ? 2u : 0u);
  const Table& table = table_for(format);
  const float scale = std::ldexp(1.0f, -descriptor.spec.bias);
  for (std::size_t i = 0; i < count; ++i) values[i] = table[codes[i]] * scale;
}
void widen_codes(const Descriptor& descriptor, const std::uint16_t* codes, float* values, std::size_t count) {
  numerics::from_codes({codes, count}, descriptor.spec, {values, count});
}

template <typename Code>
[[gnu::noinline]] void widen_elements(Hart& hart, const Decoded* d, const Descriptor& descriptor) {
  const vector::Active active(hart, d);
  std::array<Code, vector::max_elements / 4> codes;
  std::array<float, vector::max_elements / 4> values;
  std::memcpy(codes.data(), vector::group(hart, d->rs2), hart.vl * sizeof(Code));
  widen_codes(descriptor, codes.data(), values.data(), hart.vl);
  std::uint8_t* to = vector::group(hart, d->rd);
  for (std::size_t i = 0; i < hart.vl; ++i)
    if (active[i]) std::memcpy(to + i * 4, &values[i], 4);
}

}  // namespace

const Decoded* narrow_to_cfloat(Hart& hart, const Decoded* d) {
  const auto descriptor = legal_descriptor(hart, d, from_singles);
  if (!descriptor) return vector::illegal(hart, d);
  const OwnFloats own;
  hart.sew == 8 ? narrow_elements<std::uint8_t>(hart, d, *descriptor)
                : narrow_elements<std::uint16_t>(hart, d, *descriptor);
  hart.vstart = 0;
  return d + 1;
}

const Decoded* widen_from_cfloat(Hart& hart, const Decoded* d) {
  const auto descriptor = legal_descriptor(hart, d, to_singles);
  if (!descriptor) return vector::illegal(hart, d);
  const OwnFloats own;
  hart.sew == 8 ? widen_elements<std::uint8_t>(hart, d, *descriptor)
                : widen_elements<std::uint16_t>(hart, d, *descriptor);
  hart.vstart = 0;
  return d + 1;
}

const Decoded* multiply_cfloat(Hart& hart, const Decoded* d) {
  const auto widen = [&](unsigned control) {
    return
        [&table = table_for(control >> 6 & 3), scale = std::ldexp(1.0f, -static_cast<int>(control & 0x3f))](
            const std::uint8_t* from, float* to) {
          for (unsigned i = 0; i < tile_edge; ++i) to[i] = table[from[i]] * scale;
        };
  };
  return run_matrix_step<8>(hart, d, widen(static_cast<unsigned>(hart.cfloat_control & 0xff)),
                            widen(static_cast<unsigned>(hart.cfloat_control >> 8 & 0xff)));
}

}  // namespace dojo::isa
