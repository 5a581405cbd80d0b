// The rows of all vector extensions. Each file of this family holds its own.
#include <vector>

#include "isa/vector_operands.h"

namespace dojo::isa {

std::span<const Row> vector_rows() {
  static const std::vector<Row> rows = [] {
    std::vector<Row> all;
    for (const auto part :
         {vector::config_rows(), vector::memory_rows(), vector::integer_rows(), vector::wide_rows(),
          vector::bits_rows(), vector::fixed_rows(), vector::float_rows(), vector::convert_rows(),
          vector::reduction_rows(), vector::mask_rows(), vector::permute_rows()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return rows;
}

}  // namespace dojo::isa
