#include <vector>

#include "isa/scalar_tables.h"

namespace dojo::isa {

std::span<const Row> scalar_rows() {
  static const std::vector<Row> rows = [] {
    std::vector<Row> all;
    for (const auto table : {base_rows(), bit_rows(), atomic_rows(), cache_rows(), csr_rows(), machine_rows(),
                             float_rows(), zfa_rows()})
      all.insert(all.end(), table.begin(), table.end());
    return all;
  }();
  return rows;
}

}  // namespace dojo::isa
