// Values in f registers, and which rounding mode an instruction has.
#pragma once

#include "isa/float_format.h"
#include "isa/hart.h"

namespace dojo::isa {

// Narrow values live in f registers with all higher bits set; anything else reads as NaN.
template <typename F>
typename F::Bits read(const Hart& h, unsigned r) {
  constexpr unsigned width = 8 * sizeof(typename F::Bits);
  if constexpr (width < 64)
    if (h.f[r] >> width != ~std::uint64_t{0} >> width) return F::nan;
  return static_cast<typename F::Bits>(h.f[r]);
}
template <typename F>
void write(Hart& h, unsigned r, typename F::Bits bits) {
  constexpr unsigned width = 8 * sizeof(typename F::Bits);
  std::uint64_t boxed = bits;
  if constexpr (width < 64) boxed |= ~std::uint64_t{0} << width;
  h.f[r] = boxed;
}

inline unsigned rounding_mode(const Hart& h, const Decoded* d) {
  return d->mode == dynamic ? h.frm : d->mode;
}

}  // namespace dojo::isa
