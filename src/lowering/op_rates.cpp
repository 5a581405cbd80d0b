#include "lowering/op_rates.h"

#include <algorithm>

#include "lowering/access.h"

namespace dojo::lowering {

double points_per_cycle(const graph::StructuredOp& op, const std::vector<std::int64_t>& size, bool narrow) {
  if (!is_contraction(op)) return 16.0 / (2.0 + static_cast<double>(op.body.nodes.size()));
  std::int64_t rows[2] = {1, 1}, chain = 1;
  for (std::size_t a = 0; a < op.box.size(); ++a) {
    const bool in0 = reaches(op.in[0], a), in1 = reaches(op.in[1], a);
    if (graph::is_chain_axis(op, a)) chain *= size[a];
    if (!graph::is_chain_axis(op, a) && in0 != in1) rows[in0 ? 0 : 1] *= size[a];
  }
  if (rows[0] * rows[1] * chain < 4096 || std::max(rows[0], rows[1]) < 8 || chain < 4) return 2;
  const auto filled = [](std::int64_t n) {
    const std::int64_t edges = (n + 15) / 16 * 16;
    return static_cast<double>(n) / static_cast<double>(edges);
  };
  return (narrow ? 100 : 12) * filled(rows[0]) * filled(rows[1]);
}

}  // namespace dojo::lowering
