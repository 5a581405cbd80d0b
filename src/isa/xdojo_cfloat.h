// Xdojo's arithmetic on Tesla's configurable floats: converts from and to FP32, and the CFloat8 matrix step.
//
// A convert's descriptor (rs1): bias in bits 5:0; format in bits 11:8 (0 CFloat8_1_4_3, 1 CFloat8_1_5_2, 2
// CFloat16 SHP, 3 CFloat16 UHP, 4 bf16); bit 16 rounds stochastically instead of to nearest even; bit 17
// takes denormals as the white paper prints them. SEW must be the format's width; the FP32 side has EEW = 32.
// Other bits and formats are illegal.
//
// Stochastic rounding: element i draws word i % 4 of philox(dj_srkey, dj_srcounter + i / 4), and the
// instruction then adds ceil(vl / 4) to dj_srcounter: a loop over an array gives each element the same draw
// whatever the vector length, if all but the last vl are multiples of 4. Invalid, overflow and underflow of
// the white paper set NV, OF and UF.
//
// CSR dj_cfloat, for dj.mm.cf: bits 7:0 describe A, bits 15:8 B: bias in 5:0, bit 6 the format (0 or 1
// above), bit 7 printed denormals.
#pragma once

#include "isa/instruction.h"

namespace dojo::isa {

struct Hart;

// The FP32 side, whatever SEW is.
constexpr OperandGroup singles = fixed_width(2);
constexpr VectorOperands from_singles = {.vd = scaled(0), .vs2 = singles},
                         to_singles = {.vd = singles, .vs2 = scaled(0)};

const Decoded* narrow_to_cfloat(Hart& hart, const Decoded* d);   // dj.vfncvt.cf.f, from_singles
const Decoded* widen_from_cfloat(Hart& hart, const Decoded* d);  // dj.vfwcvt.f.cf, to_singles
const Decoded* multiply_cfloat(Hart& hart, const Decoded* d);    // dj.mm.cf

}  // namespace dojo::isa
