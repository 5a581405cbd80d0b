#include "lowering/lowered.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

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
                 [&](const StoreStep& s) {
                   for (const auto& field : s.fields) add(field.buffer);
                 },
                 [&](const LoopStep& s) {
                   for (const Step& inner : s.body) collect(program, inner, found);
                 },
             },
             step);
}

void describe(const LoweredProgram& program, const Step& step, const std::string& indent, std::string& text) {
  const auto label = [&](BufferId id) { return program.at(id).name; };
  const auto line = [&](std::string words) { text += indent + words + "\n"; };
  const auto list = [&](const auto& members, auto name_of) {
    std::vector<std::string> names;
    for (const auto& member : members) names.push_back(name_of(member));
    return fmt::format("{}", fmt::join(names, ", "));
  };
  std::visit(
      Overloaded{
          [&](const FetchStep& s) {
            line("fetch " + list(s.fields, [&](const auto& f) { return label(f.buffer); }));
          },
          [&](const ComputeStep& s) {
            std::vector<std::string> box;
            for (const graph::Axis& axis : s.op.box)
              box.push_back(fmt::format("{}={}", axis.name, axis.extent));
            std::vector<std::string> in;
            for (const graph::Access& access : s.op.in) in.push_back(label(access.tensor));
            for (const graph::Access& access : s.op.extra) in.push_back(label(access.tensor));
            line(fmt::format(
                "{} = {}({}) over [{}]{}{}", label(s.op.out.tensor), s.op.name, fmt::join(in, ", "),
                fmt::join(box, ", "),
                s.tile_axis >= 0 ? " tile " + s.op.box[static_cast<std::size_t>(s.tile_axis)].name : "",
                s.accumulate ? " accumulate" : ""));
          },
          [&](const FillStep& s) { line(fmt::format("fill {} with {}", label(s.buffer), s.value)); },
          [&](const GatherStep& s) {
            line("gather " + list(s.members, [&](const auto& m) { return label(m.full); }));
          },
          [&](const ReduceScatterStep& s) {
            line("reduce_scatter " + list(s.members, [&](const auto& m) { return label(m.partial); }));
          },
          [&](const AllReduceStep& s) {
            line("all_reduce " + list(s.members, [&](const auto& m) { return label(m.buffer); }));
          },
          [&](const TakeShardStep& s) {
            line(fmt::format("{} = shard of {}", label(s.shard), label(s.full)));
          },
          [&](const StoreStep& s) {
            line("store " + list(s.fields, [&](const auto& f) { return label(f.buffer); }));
          },
          [&](const LoopStep& s) {
            line(fmt::format("for {} tiles of {}:", s.tiles, s.name));
            for (const Step& inner : s.body) describe(program, inner, indent + "  ", text);
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

std::string to_text(const LoweredProgram& program) {
  std::string text = fmt::format("{}: {} x {} nodes, batch {} ({} a node)\n", program.name, program.mesh.rows,
                                 program.mesh.columns, program.batch, program.samples_per_node);
  for (const Step& step : program.steps) describe(program, step, "  ", text);
  return text;
}

}  // namespace dojo::lowering
