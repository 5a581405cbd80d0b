#include "codegen/emit_parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "codegen/scalar_text.h"

namespace dojo::codegen {
namespace {

// A function called in one place is a part of its caller. Joined into one, more steps than this take clang a
// time that grows faster than their number: 400 of them minutes in place of seconds. Fewer are joined, which
// saves a call each and some of the image.
constexpr std::size_t most_joined_steps = 150;

constexpr std::string_view prologue = R"(#include "cfloat8.h"
#include "dojo.h"
#include "numerics/scalar_math.h"

using dojo::bf16;
namespace scalar = dojo::scalar;

static inline long smaller(long a, long b) { return a < b ? a : b; }
// What a computed index adds (graph/ir.h); outside every tensor where it must not be.
static inline long index_of(float value) {
  return __builtin_fabsf(value) <= 0x1p30f ? static_cast<long>(value) : -(1l << 40);
}
)";

}  // namespace

std::string program_prologue(std::size_t steps) {
  return fmt::format("{}#define DOJO_STEP {}static\n", prologue,
                     steps > most_joined_steps ? "[[gnu::noinline]] " : "");
}

void declare_constant(CodeText& code, const PlannedProgram& planned, lowering::BufferId id) {
  const lowering::LoweredProgram& program = *planned.lowered;
  const lowering::Buffer& buffer = program.at(id);
  if (planned.memory.lifetime[static_cast<std::size_t>(id)].first < 0) return;
  std::string values;
  for (std::size_t k = 0; k < buffer.data.size(); ++k) {
    values += fmt::format("{}{}", k == 0 ? "" : k % 12 == 0 ? ",\n  " : ", ", literal(buffer.data[k]));
  }
  code.line(fmt::format("alignas(64) static const {} {}[] = {{{}}};", element_type(buffer.format),
                        buffer_name(program, id), values));
}

const lowering::HbmField& field_named(const std::vector<lowering::HbmField>& fields, std::string_view name) {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const lowering::HbmField& field) { return field.name == name; });
  DOJO_ENSURE(found != fields.end());
  return *found;
}

}  // namespace dojo::codegen
