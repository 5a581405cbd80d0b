// Where the cycles of a launch went, by address of the instruction; summed over all threads of all nodes.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "machine/events.h"

namespace dojo::system {

struct ProfileEntry {
  std::uint64_t instructions = 0;
  std::array<std::uint64_t, machine::causes> cycles{};  // by machine::Cause

  std::uint64_t& of(machine::Cause cause) { return cycles[static_cast<std::size_t>(cause)]; }
  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t of_cause : cycles) sum += of_cause;
    return sum;
  }
  void operator+=(const ProfileEntry& other) {
    instructions += other.instructions;
    for (std::size_t i = 0; i < cycles.size(); ++i) cycles[i] += other.cycles[i];
  }
};

// Waits for the network lie at the transfer that waited, idle cycles where the thread ended. The sum of all
// cycles is the number of threads times the launch's cycles.
using Profile = std::map<std::uint64_t, ProfileEntry>;

}  // namespace dojo::system
