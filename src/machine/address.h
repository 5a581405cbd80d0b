// Which byte of the whole machine: the memory it is in, and where there (docs/notes/001). And how what
// belongs to many is spread over several HBMs.
#pragma once

#include <cstdint>

namespace dojo::machine {

// A memory that the fabric reaches: a node's SRAM by the node's logical index, or the HBM of an interface
// processor. Half of the 24 bits are for nodes, over all dies: an ExaPOD has 1,062,000.
using Endpoint = std::uint32_t;
constexpr Endpoint first_interface = 0x800000;
constexpr bool is_interface(Endpoint endpoint) { return endpoint >= first_interface; }
constexpr Endpoint endpoint_of_interface(unsigned interface) { return first_interface + interface; }
constexpr unsigned interface_of(Endpoint endpoint) { return endpoint - first_interface; }

struct GlobalAddress {
  static constexpr unsigned offset_bits = 40;

  Endpoint endpoint = 0;
  std::uint64_t offset = 0;

  static constexpr GlobalAddress of(std::uint64_t word) {
    return {static_cast<Endpoint>(word >> offset_bits), word & ((std::uint64_t{1} << offset_bits) - 1)};
  }
  constexpr std::uint64_t word() const { return std::uint64_t{endpoint} << offset_bits | offset; }
};

struct HbmPlace {
  unsigned interface = 0;
  std::uint64_t offset = 0;

  constexpr std::uint64_t global() const {
    return GlobalAddress{endpoint_of_interface(interface), offset}.word();
  }
};

// Of items of `bytes` each, spread so that reading them keeps every interface processor busy: item p lies in
// HBM p % interfaces, behind those that come before it there. device/dojo.h has the same as hbm_share().
constexpr HbmPlace hbm_share(std::uint64_t item, unsigned interfaces, std::uint64_t begin,
                             std::uint64_t bytes) {
  return {static_cast<unsigned>(item % interfaces), begin + item / interfaces * bytes};
}

}  // namespace dojo::machine
