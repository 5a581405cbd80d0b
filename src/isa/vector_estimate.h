// The 7-bit estimates of vfrec7 and vfrsqrt7 (V 1.0, sections 13.9 and 13.10), for any IEEE format.
#pragma once

#include <cstdint>

namespace dojo::isa::vector {

// `bits`: a number of `width` bits with `fraction_bits` of fraction. Results are defined to the bit. Only an
// overflowing reciprocal depends on the rounding mode. Raised flags are added.
std::uint64_t reciprocal_estimate(std::uint64_t bits, unsigned fraction_bits, unsigned width,
                                  unsigned rounding, std::uint8_t& flags);
std::uint64_t inverse_root_estimate(std::uint64_t bits, unsigned fraction_bits, unsigned width,
                                    unsigned rounding, std::uint8_t& flags);

}  // namespace dojo::isa::vector
