#include "isa/scalar_tables.h"
namespace dojo::isa {
std::span<const Row> float_rows() { return {}; }
}  // namespace dojo::isa
