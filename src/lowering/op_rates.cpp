#include "lowering/op_rates.h"

#include <algorithm>

#include "lowering/access.h"

namespace dojo::lowering {
namespace {

constexpr double share_of_hbm = 0.9;  // of what is published, that is to be had
constexpr double moved_sums = 0.5;    // cycles for a sum of a product on its way out of the matrix unit
constexpr double transposed = 3.2;    // elements a cycle that are put into the order of a panel

// The matrix unit works on tiles of 16 x 16; everything else is vectors.
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
  return (narrow ? 210 : 13) * filled(rows[0]) * filled(rows[1]);
}

// Points of the box that an access tells apart.
double elements_of(const graph::StructuredOp& op, const graph::Access& access,
                   const std::vector<std::int64_t>& size) {
  double count = 1;
  for (std::size_t a = 0; a < op.box.size(); ++a)
    if (reaches(access, a)) count *= static_cast<double>(size[a]);
  return count;
}

// Whether the elements of an operand that lie next to each other follow each other along the chain: the
// matrix unit wants them across it.
bool lies_along_chain(const graph::StructuredOp& op, const graph::Access& access) {
  for (std::size_t a = 0; a < op.box.size(); ++a)
    if (graph::is_chain_axis(op, a) && !access.map.empty() && access.map.back().coefficients[a] != 0)
      return true;
  return false;
}

}  // namespace

double compute_cycles(const graph::StructuredOp& op, const std::vector<std::int64_t>& size, bool narrow) {
  double points = 1;
  for (const std::int64_t extent : size) points *= static_cast<double>(extent);
  double cycles = start_of_a_kernel + points / points_per_cycle(op, size, narrow);
  if (!is_contraction(op)) return cycles;
  for (const graph::Access& access : op.in)
    if (lies_along_chain(op, access)) cycles += elements_of(op, access, size) / transposed;
  return cycles + moved_sums * elements_of(op, op.out, size);
}

double hbm_bytes_per_cycle(const machine::Machine& machine) {
  const double memories = static_cast<double>(machine.interface.count) * machine.interface.hbm_gb_per_s /
                          machine.node.clock_ghz,
               edge = static_cast<double>(machine.mesh.rows * machine.mesh.link_bytes_per_cycle);
  return share_of_hbm * std::min(memories, edge);
}

}  // namespace dojo::lowering
