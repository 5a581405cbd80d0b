#include "oracle.h"

#include "isa/extensions.h"

namespace dojo::differ {

bool knows(Oracle oracle, std::string_view extension) {
  switch (oracle) {
    case Oracle::qemu:
      return isa::is_in_qemu(extension);
    case Oracle::spike:
      return isa::is_in_spike(extension);
    default:
      return true;
  }
}

// qemu 7.2 crashes on the rtz conversions, and lets ctzw count beyond 32. Where no element is active, Spike
// adds nothing to vfredusum's scalar, and so makes a canonical NaN of a NaN; the specification leaves it
// open.
bool knows(Oracle oracle, const isa::Row& row) {
  const auto contains = [&](std::string_view part) {
    return row.mnemonic.find(part) != std::string_view::npos;
  };
  const bool wrong_in_qemu = contains(".rtz.") || row.mnemonic == "ctzw";
  if (oracle == Oracle::qemu && wrong_in_qemu) return false;
  if (oracle == Oracle::spike && contains("redusum")) return false;
  return knows(oracle, row.extension);
}

}  // namespace dojo::differ
