// What a thread did, as counts: the ledger's events of docs/notes/004 that one thread can produce by itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "isa/instruction.h"
#include "machine/events.h"

namespace dojo::node {

using machine::Cause, machine::Counter;
constexpr std::size_t causes = machine::pipeline_causes;

constexpr std::size_t units = static_cast<std::size_t>(isa::Unit::system) + 1;

// One flat row of counters, so that adding a block's counts is a handful of host vector additions.
struct alignas(32) Counts {
  static constexpr std::size_t first_cause = units + machine::thread_counters;
  static constexpr std::size_t size = (first_cause + causes + 3) / 4 * 4;
  std::array<std::uint64_t, size> value{};

  std::uint64_t& of(isa::Unit unit) { return value[static_cast<std::size_t>(unit)]; }
  std::uint64_t& of(Counter counter) { return value[units + static_cast<std::size_t>(counter)]; }
  std::uint64_t& of(Cause cause) { return value[first_cause + static_cast<std::size_t>(cause)]; }
  std::uint64_t of(isa::Unit unit) const { return value[static_cast<std::size_t>(unit)]; }
  std::uint64_t of(Counter counter) const { return value[units + static_cast<std::size_t>(counter)]; }
  std::uint64_t of(Cause cause) const { return value[first_cause + static_cast<std::size_t>(cause)]; }
  std::uint64_t cycles() const {
    return of(Cause::issue) + of(Cause::dependency) + of(Cause::unit) + of(Cause::sram);
  }
  void operator+=(const Counts& other) {
    for (std::size_t i = 0; i < size; ++i) value[i] += other.value[i];
  }
  void add(const Counts& other, std::uint64_t times) {
    for (std::size_t i = 0; i < size; ++i) value[i] += other.value[i] * times;
  }
  bool operator==(const Counts&) const = default;
};

// The key of the ledger event that counter `index` belongs to; empty for padding. Several units may share an
// event.
std::string_view event_of(std::size_t index);

}  // namespace dojo::node
