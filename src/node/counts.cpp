#include "node/counts.h"

namespace dojo::node {

namespace {

using machine::Counter;

// clang-format off
constexpr std::string_view instructions[] = {  // by unit, in the order of isa::Unit
    "instructions.alu",         "instructions.multiply", "instructions.divide",        "instructions.branch",
    "instructions.load",        "instructions.store",    "instructions.atomic",        "instructions.float",
    "instructions.float",       "instructions.vector_config", "instructions.simd",     "instructions.simd",
    "instructions.vector_load", "instructions.vector_store",  "instructions.matrix",   "instructions.matrix",
    "instructions.transfer",    "instructions.system",
};
// clang-format on
static_assert(std::size(instructions) == units);

constexpr Counter counters[] = {Counter::sram_read, Counter::sram_written, Counter::multiply_adds,
                                Counter::simd_busy};  // from Counts::read_bytes on
static_assert(units + std::size(counters) == Counts::first_cause);

}  // namespace

std::string_view event_of(std::size_t index) {
  if (index < units) return instructions[index];
  if (index < Counts::first_cause) return machine::event_of(counters[index - units]).key;
  if (index < Counts::first_cause + causes) return machine::cause_events[index - Counts::first_cause].key;
  return {};
}

}  // namespace dojo::node
