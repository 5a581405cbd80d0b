// Ways to run a file of random programs: elsewhere, and here.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "oracle.h"
#include "program.h"
#include "shell.h"

namespace dojo::differ {

// The states after all programs of a file; or why there are none.
struct Ended {
  std::vector<State> states;
  std::string died;                // empty if it did not
  std::uint64_t instructions = 0;  // executed, where known
};

struct Way {
  std::string name;
  std::function<Ended(std::span<const std::byte> elf, unsigned vlen_bits)> run;
};

// Keep references to the workshop. Files for Spike use the host interface.
Way under_qemu(const Workshop& workshop);
Way under_spike(const Workshop& workshop, const std::string& spike);

// The whole emulated node. With timing, programs run through the timed path.
// `translated`: as host code from the first run on; otherwise by the instructions' semantics alone.
Way here(std::string name, bool timing, bool translated);

}  // namespace dojo::differ
