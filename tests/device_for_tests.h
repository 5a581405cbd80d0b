// Programs for the device library's tests: built from a body, run to their end, looked at through SRAM.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>

#include "base/random.h"
#include "machine/machine.h"
#include "system/computer.h"
#include "system/program.h"
#include "toolchain/toolchain.h"

namespace dojo::device_tests {

// Node programs and tests meet at fixed addresses of the persistent region.
constexpr std::uint64_t table_address = 0x20000, shared_begin = table_address, shared_end = 0x130000;

inline system::Program build(const std::string& name, const std::string& body) {
  const std::string text = "#include \"dojo.h\"\nusing namespace dojo;\n" + body;
  return system::Program::parse(toolchain::build_program({{name, text}}), name);
}

// Runs to the end without a trap; the nodes' exit code must be 0.
inline system::LaunchResult run(system::Computer& computer, const system::Program& program,
                                bool timing = false) {
  system::LaunchOptions options;
  options.host.timing = timing;
  options.max_instructions = 2'000'000'000;
  system::LaunchResult result = computer.launch(program, shared_begin, shared_end, options);
  EXPECT_EQ(result.outcome, system::Outcome::finished);
  EXPECT_EQ(result.exit_code, 0);
  for (const system::Stranded& stranded : result.stranded)
    ADD_FAILURE() << "node " << stranded.node << ": " << stranded.reason << " at " << stranded.symbol << " "
                  << stranded.disassembly;
  return result;
}

template <typename T>
T* at(system::Computer& computer, unsigned node, std::uint64_t address) {
  return reinterpret_cast<T*>(computer.sram(node).data() + address);
}

// Floats that are ordinary for the most part, with zeros, infinities, subnormals and a NaN now and then.
inline float probe(Random& random) {
  switch (random.below(200)) {
    case 0:
      return std::bit_cast<float>(random.bits());
    case 1:
      return random.below(2) ? 0.0f : -0.0f;
    case 2:
      return std::bit_cast<float>(static_cast<std::uint32_t>(random.below(1 << 23)));
    case 3:
      return random.below(20) ? 1.0f : INFINITY;
    default:
      return static_cast<float>(random.normal());
  }
}

inline std::uint32_t canonical_bits(float value) {
  return std::isnan(value) ? 0x7fc00000u : std::bit_cast<std::uint32_t>(value);
}

}  // namespace dojo::device_tests
