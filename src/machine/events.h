// What is counted of a machine at work: the events of the ledger (docs/notes/004), each said once.
//
// A new counter is a row here and the place that counts it; a new cause of waiting a Cause, its row and the
// place that knows of it. Reports, tables and the note's list loop over the rows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dojo::machine {

inline constexpr std::string_view hbm_part = "hbm";  // stands for hbm.0, hbm.1, ... by interface processor

struct Event {
  std::string_view part;  // of the ledger's keys
  std::string_view key, unit;
  std::string_view meaning;   // what is counted
  std::string_view reported;  // as a report calls it; empty: reports leave it to the ledger
};

// Why a cycle of a thread passed. Exactly one per thread and cycle.
enum class Cause : std::uint8_t { issue, dependency, unit, sram, network, synchronisation, idle };

// By Cause. The first four are the pipelines' own; the rest follows from when messages were sent and arrive.
inline constexpr std::size_t pipeline_causes = 4;
inline constexpr std::array<Event, 7> cause_events = {{
    {"nodes", "cycles.issue", "cycles", "at least one instruction issued", "instructions issued"},
    {"nodes", "cycles.dependency", "cycles", "waiting for a result", "waiting for a result"},
    {"nodes", "cycles.unit", "cycles", "waiting for a busy unit", "waiting for a unit"},
    {"nodes", "cycles.sram", "cycles", "waiting for a port of the SRAM", "waiting for SRAM"},
    {"nodes", "cycles.network", "cycles",
     "blocked in a wait while a transfer to it is in flight, or in quiet", "waiting for network"},
    {"nodes", "cycles.synchronisation", "cycles", "blocked in a wait before the sender issued",
     "synchronisation"},
    {"nodes", "cycles.idle", "cycles", "asleep, or ended before the launch did", "finished early"},
}};
inline constexpr std::size_t causes = cause_events.size();

constexpr const Event& event_of(Cause cause) { return cause_events[static_cast<std::size_t>(cause)]; }

// The cause alone, as tables have it: "issue".
constexpr std::string_view name_of(const Event& cause) {
  return cause.key.substr(std::string_view("cycles.").size());
}

// What moved, and where; "bytes" of these are the traffic of a report. The first four a thread counts by
// itself.
enum class Counter : std::uint8_t {
  sram_read,
  sram_written,
  multiply_adds,
  simd_busy,
  put,
  got,
  packet_hops,
  byte_hops,
  hbm_read,
  hbm_written,
};

// By Counter.
inline constexpr std::size_t thread_counters = 4;
inline constexpr std::array<Event, 10> counter_events = {{
    {"nodes", "sram.read_bytes", "bytes", "of loads", "SRAM read"},
    {"nodes", "sram.write_bytes", "bytes", "of stores", "SRAM written"},
    {"nodes", "matrix.macs", "multiply-adds", "useful ones of the matrix unit", ""},
    {"nodes", "simd.busy_cycles", "cycles", "of the SIMD pipe; FP32 tiles take it, too", ""},
    {"nodes", "network.put_bytes", "bytes", "of puts, to nodes and HBM", "put to other nodes"},
    {"nodes", "network.get_bytes", "bytes", "of gets", "got from other nodes and HBM"},
    {"mesh", "mesh.packet_hops", "packets x links", "under the op of the thread that asked", ""},
    {"mesh", "mesh.byte_hops", "bytes x links", "under the op of the thread that asked",
     "mesh, bytes x hops"},
    {hbm_part, "hbm.read_bytes", "bytes", "of gets", "HBM read"},
    {hbm_part, "hbm.write_bytes", "bytes", "of puts", "HBM written"},
}};
inline constexpr std::size_t counters = counter_events.size();

constexpr const Event& event_of(Counter counter) { return counter_events[static_cast<std::size_t>(counter)]; }

// So much of each kind of event.
template <typename Kind, std::size_t kinds>
struct Counted {
  std::array<std::uint64_t, kinds> value{};

  std::uint64_t& of(Kind kind) { return value[static_cast<std::size_t>(kind)]; }
  std::uint64_t of(Kind kind) const { return value[static_cast<std::size_t>(kind)]; }
  void operator+=(const Counted& other) {
    for (std::size_t i = 0; i < kinds; ++i) value[i] += other.value[i];
  }
  bool operator==(const Counted&) const = default;
};
using Counters = Counted<Counter, counters>;
using CyclesByCause = Counted<Cause, causes>;

}  // namespace dojo::machine
