#include "node/counts.h"

namespace dojo::node {

namespace {

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

}  // namespace

std::string_view event_of(std::size_t index) {
  if (index < units) return instructions[index];
  if (index < Counts::first_cause) return machine::counter_events[index - units].key;
  if (index < Counts::first_cause + causes) return machine::cause_events[index - Counts::first_cause].key;
  return {};
}

}  // namespace dojo::node
