// The input gradient of a convolution as sums instead of a scatter.
//
// An op of the form out[.., s*o + d*k + c, ..] += a[.., o, ..] * b[.., k, ..] adds products to elements that
// other points reach, too. Solved for the element h = s*u + p (p = 0, 1... s - 1), only those k matter for
// which s divides p - d*k - c, and o follows from u and k: so each remainder p is a plain sum over the k it
// has, and a convolution of its own. This changes the order in which an element's products are added: what it
// becomes stands in the lowered program as any other step.
#pragma once

#include <vector>

#include "lowering/lowered.h"

namespace dojo::lowering {

// The step, or the steps that together replace it: each writes the elements that its points reach.
std::vector<ComputeStep> gather_form(const LoweredProgram& program, const ComputeStep& step);

}  // namespace dojo::lowering
