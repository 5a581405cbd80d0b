// Test help: launches of guests, and what they leave.
#pragma once

#include <cstring>
#include <string_view>
#include <vector>

#include "system/computer.h"
#include "system/guest_for_tests.h"

namespace dojo::system {

inline LaunchResult launch(Computer& computer, const Program& program, unsigned host_threads = 2,
                           bool timing = true) {
  LaunchOptions options;
  options.host.threads = host_threads;
  options.host.timing = timing;
  return computer.launch(program, 0, 0, options);
}

inline machine::Machine d1() { return machine::read_machine("d1"); }

inline std::uint64_t cycles_by_cause(const LaunchResult& result, std::string_view cause = "cycles.") {
  std::uint64_t sum = 0;
  for (const auto& [key, count] : result.ledger.rows())
    if (key.part == "nodes" && key.event.starts_with(cause)) sum += count;
  return sum;
}

inline std::vector<std::uint64_t> words_at(const Computer& computer, unsigned node, std::uint64_t address,
                                           std::size_t count) {
  std::vector<std::uint64_t> words(count);
  std::memcpy(words.data(), computer.sram(node).data() + address, count * 8);
  return words;
}

inline constexpr std::string_view two_threads = "-Wl,--defsym=__dojo_threads=2",
                                  four_threads = "-Wl,--defsym=__dojo_threads=4";

}  // namespace dojo::system
