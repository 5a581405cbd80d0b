// The tiles of 32-bit elements that matrix instructions are translated for.
#pragma once

#include "isa/hart.h"

namespace dojo::translate {

constexpr unsigned edge = isa::tile_edge, row_bytes = 4 * edge;

}  // namespace dojo::translate
