#include "machine/rates.h"

namespace dojo::machine {

double simulated_seconds(const Machine& machine, std::uint64_t cycles) {
  return static_cast<double>(cycles) / (machine.node.clock_ghz * 1e9);
}

double matrix_utilisation(const Machine& machine, unsigned nodes, const Ledger& ledger,
                          std::uint64_t cycles) {
  if (cycles == 0) return 0;
  const double peak = static_cast<double>(cycles) * nodes * static_cast<double>(machine.node.matrix_macs);
  return static_cast<double>(ledger.total(event_of(Counter::multiply_adds))) / peak;
}

double simd_utilisation(unsigned nodes, const Ledger& ledger, std::uint64_t cycles) {
  if (cycles == 0) return 0;
  const double all = static_cast<double>(cycles) * nodes;
  return static_cast<double>(ledger.total(event_of(Counter::simd_busy))) / all;
}

}  // namespace dojo::machine
