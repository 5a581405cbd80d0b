// The step on tiles of 64-bit elements (XSfmm64a64f): sf.mm.f.f under e64, w1. docs/matrix.md is its page.
#pragma once

#include "isa/hart.h"

namespace dojo::isa {

// C[m][n] = fma(A[m], B[n], C[m][n]) in FP64 for m < tm, n < tn, if tk is 1: rounded to nearest even, NaN
// results canonical, IEEE flags. Traps if SEW is not 64, or mt no tile of such elements.
const Decoded* multiply_double(Hart& hart, const Decoded* d);

}  // namespace dojo::isa
