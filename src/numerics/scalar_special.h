// Functions of probability, computed in double.
#pragma once

#include "numerics/scalar_double.h"

namespace dojo::scalar {

// 1 - erf x, exact far out, too. For a = |x| a polynomial in (a - 3) / (a + 3) is (1 + 2 a) e^(a^2) erfc a,
// as Shepherd and Laframboise found (Mathematics of Computation 36, 1981); beyond a = 10.1 FP32 knows only 0.
inline float erfc(float x) {
  const double magnitude = absolute(x), a = magnitude > 10.3 ? 10.3 : magnitude;
  const double p =
      polynomial((a - 3.0) / (a + 3.0), 3.430210174434385e-05, 0.0001298528161492549, -0.00012513955115017728,
                 -0.0007920180321977957, 0.001892451414134764, 0.0025338959954526235, -0.023770463089534476,
                 0.06830736684160335, -0.11927373008046004, 0.12964519790970114, -0.04756229030550163,
                 -0.13562110679852069, 1.2530080582387246);
  const double right = p / (1.0 + 2.0 * a) * power_of_two(a * a * -log2_e).value();
  return static_cast<float>(x < 0.0f ? 2.0 - right : right);
}

}  // namespace dojo::scalar
