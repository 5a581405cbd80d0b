// What the interpreter of lowered programs does with tiles: boxes between homes and buffers. Which node does
// a tile changes nothing, for a tile begins with nothing but what it fetches; so one set of buffers does for
// all.
#include <algorithm>

#include "base/error.h"
#include "lowering/lowered_interpreter.h"
#include "numerics/format.h"

namespace dojo::lowering {
namespace {

std::size_t place(std::int64_t value) { return static_cast<std::size_t>(value); }

// Calls visit(element of the buffer, element of the whole tensor, -1 outside of it) for every element of a
// box.
template <typename Visit>
void for_each_element(const std::vector<std::int64_t>& extent, const std::vector<std::int64_t>& whole,
                      const std::vector<std::int64_t>& origin, Visit visit) {
  std::int64_t count = 1;
  for (const std::int64_t e : extent) count *= e;
  for (std::int64_t element = 0; element < count; ++element) {
    std::int64_t rest = element, stride = 1, at = 0;
    bool inside = true;
    for (std::size_t d = extent.size(); d-- > 0;) {
      const std::int64_t index = origin[d] + rest % extent[d];
      rest /= extent[d];
      inside = inside && index >= 0 && index < whole[d];
      at += index * stride;
      stride *= whole[d];
    }
    visit(element, inside ? at : -1);
  }
}

}  // namespace

std::int64_t LoweredInterpreter::at_turn(const Origin& origin) const {
  std::int64_t value = origin.offset;
  for (std::size_t loop = 0; loop < origin.coefficients.size() && loop < turns_.size(); ++loop)
    value += origin.coefficients[loop] * turns_[loop];
  return value;
}

std::vector<std::int64_t> LoweredInterpreter::at_turn(const std::vector<Origin>& origins) const {
  std::vector<std::int64_t> values;
  for (const Origin& origin : origins) values.push_back(at_turn(origin));
  return values;
}

void LoweredInterpreter::tiles(const TilesStep& step) {
  std::vector<BufferId> own;
  for (const BufferId id : touched(program_, step))
    if (program_.at(id).storage == Storage::scratch && at(0, id).empty()) own.push_back(id);
  for (const BufferId id : own) at(0, id).assign(place(program_.at(id).capacity), 0.0f);
  const std::size_t outer = turns_.size();
  for (std::int64_t tile = 0; tile < step.tiles(); ++tile) {
    turns_.resize(outer + step.cuts.size());
    std::int64_t rest = tile;
    for (std::size_t cut = step.cuts.size(); cut-- > 0; rest /= step.cuts[cut].count)
      turns_[outer + cut] = rest % step.cuts[cut].count;
    for (const Step& inner : step.body) run_step(inner, 0);
  }
  turns_.resize(outer);
  for (const BufferId id : own) at(0, id) = {};
}

void LoweredInterpreter::fetch_box(const FetchBoxStep& step) {
  std::vector<float>& buffer = at(0, step.buffer);
  const std::vector<float>& whole = at(0, step.from);
  const float outside = numerics::round_to(program_.at(step.buffer).format, step.outside);
  for_each_element(program_.at(step.buffer).shape, program_.at(step.from).shape, at_turn(step.origin),
                   [&](std::int64_t element, std::int64_t from) {
                     buffer[place(element)] = from < 0 ? outside : whole[place(from)];
                   });
}

void LoweredInterpreter::store_box(const StoreBoxStep& step) {
  const std::vector<float>& buffer = at(0, step.buffer);
  std::vector<float>& whole = at(0, step.to);
  for_each_element(program_.at(step.buffer).shape, program_.at(step.to).shape, at_turn(step.origin),
                   [&](std::int64_t element, std::int64_t to) {
                     if (to >= 0) whole[place(to)] = buffer[place(element)];
                   });
}

}  // namespace dojo::lowering
