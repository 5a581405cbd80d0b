// The rows of the vector extension: V 1.0, Zvfh, Zvfbfmin, Zvfbfwma.
#include "isa/instruction.h"

namespace dojo::isa {

std::span<const Row> vector_rows() { return {}; }

}  // namespace dojo::isa
