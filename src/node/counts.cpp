#include "node/counts.h"

namespace dojo::node {

namespace {

// clang-format off
constexpr std::string_view events[] = {
    // By unit, in the order of isa::Unit.
    "instructions.alu",         "instructions.multiply", "instructions.divide",        "instructions.branch",
    "instructions.load",        "instructions.store",    "instructions.atomic",        "instructions.float",
    "instructions.float",       "instructions.vector_config", "instructions.simd",     "instructions.simd",
    "instructions.vector_load", "instructions.vector_store",  "instructions.matrix",   "instructions.matrix",
    "instructions.transfer",    "instructions.system",
    "sram.read_bytes", "sram.write_bytes", "matrix.macs", "simd.busy_cycles",
    "cycles.issue", "cycles.dependency", "cycles.unit", "cycles.sram",
};
// clang-format on
static_assert(std::size(events) == Counts::first_cause + causes);

}  // namespace

std::string_view event_of(std::size_t index) {
  return index < std::size(events) ? events[index] : std::string_view{};
}

}  // namespace dojo::node
