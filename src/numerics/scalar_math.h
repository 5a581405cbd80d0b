// The elementary functions in FP32, defined once for host and node.
//
// Both sides compile this text (without contraction of a * b + c, with IEEE division and square root) and get
// the same bits for every argument that is not a NaN; a NaN gives a NaN. No branches, tables or library
// calls, so a loop over any of them becomes vector code. Largest errors, in units in the last place of the
// result, over the FP32 arguments (measured by scalar_math_test.cpp, exhaustively with DOJO_EXHAUSTIVE=1):
//
//     exp 1.0   log 1.0   tanh 2.0   sigmoid 2.5   erf 1.5   atan 2.5
//     reciprocal_sqrt 1.5   reciprocal 0.5   sqrt 0.5
//     floor, trunc, fmod 0   all others, which are computed in double and rounded once: 0.51
#pragma once

#include "numerics/scalar_arithmetic.h"
#include "numerics/scalar_exponential.h"
#include "numerics/scalar_random.h"
#include "numerics/scalar_single.h"
#include "numerics/scalar_special.h"
#include "numerics/scalar_trigonometric.h"
