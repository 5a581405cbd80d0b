#include "lowering/lowered.h"

#include <algorithm>

namespace dojo::lowering {
namespace {

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

void collect(const LoweredProgram& program, const Step& step, std::vector<BufferId>& found) {
  const auto add = [&](BufferId id) {
    if (id != no_buffer) found.push_back(program.root(id));
  };
  std::visit(Overloaded{
                 [&](const FetchStep& s) {
                   for (const auto& field : s.fields) add(field.buffer);
                   for (const BufferId id : s.scalars) add(id);
                   add(s.staging);
                 },
                 [&](const ComputeStep& s) {
                   for (const graph::Access& access : s.op.in) add(access.tensor);
                   for (const graph::Access& access : s.op.extra) add(access.tensor);
                   add(s.op.out.tensor);
                 },
                 [&](const FillStep& s) { add(s.buffer); },
                 [&](const GatherStep& s) {
                   for (const auto& member : s.members) add(member.shard), add(member.full);
                   add(s.staging);
                 },
                 [&](const ReduceScatterStep& s) {
                   for (const auto& member : s.members) add(member.partial), add(member.shard);
                   add(s.packed), add(s.staging);
                 },
                 [&](const AllReduceStep& s) {
                   for (const auto& member : s.members) add(member.buffer);
                   add(s.packed), add(s.staging);
                 },
                 [&](const TakeShardStep& s) { add(s.full), add(s.shard); },
                 [&](const ClearPaddingStep& s) { add(s.shard); },
                 [&](const StoreStep& s) {
                   for (const auto& field : s.fields) add(field.buffer);
                 },
                 [&](const LoopStep& s) {
                   for (const Step& inner : s.body) collect(program, inner, found);
                 },
                 [&](const FetchBoxStep& s) { add(s.from), add(s.buffer); },
                 [&](const StoreBoxStep& s) { add(s.buffer), add(s.to); },
                 [&](const TilesStep& s) {
                   for (const Step& inner : s.body) collect(program, inner, found);
                 },
             },
             step);
}

}  // namespace

std::int64_t Buffer::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

std::int64_t Buffer::elements_apart() const {
  constexpr std::int64_t whole_register = 64;  // elements: a multiple of 64 bytes in every format
  return (elements() + whole_register - 1) / whole_register * whole_register;
}

std::int64_t TilesStep::tiles() const {
  std::int64_t product = 1;
  for (const Cut& cut : cuts) product *= cut.count;
  return product;
}

BufferId LoweredProgram::find(std::string_view wanted) const {
  const auto found = std::find_if(buffers.begin(), buffers.end(),
                                  [&](const Buffer& buffer) { return buffer.name == wanted; });
  return found == buffers.end() ? no_buffer : static_cast<BufferId>(found - buffers.begin());
}

std::vector<BufferId> touched(const LoweredProgram& program, const Step& step) {
  std::vector<BufferId> found;
  collect(program, step, found);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace dojo::lowering
