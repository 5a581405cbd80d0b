// Number formats, and exact conversion between them.
//
// Everything is described by a FormatSpec; bf16, fp16, OFP8 and Tesla's CFloat8 / CFloat16 (source: "A Guide to Tesla's Configurable
// Floating Point Formats & Arithmetic", the white paper) are constants of it. Values travel as FP32, of which each narrower format is a subset.
#pragma once

#include <cstdint>
#include <string_view>

namespace dojo::numerics {

enum class Format : std::uint8_t {
  fp32, bf16, fp16,
  cfloat8_143, cfloat8_152,   // 6-bit bias kept outside the number
  cfloat16_shp, cfloat16_uhp,
  e4m3, e5m2,                 // OFP8, for XSfmm
  u8, i32,                    // integers: exact values, no rounding rules beyond saturation
};

std::string_view name(Format format);       // "bf16", "cfloat8_143"...
unsigned storage_bytes(Format format);      // 4, 2 or 1

}  // namespace dojo::numerics
