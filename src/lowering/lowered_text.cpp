#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lowering/lowered.h"

namespace dojo::lowering {
namespace {

// What a step does, in one line.
class StepText {
public:
  explicit StepText(const LoweredProgram& program) : program_(program) {}

  std::string operator()(const FetchStep& step) const {
    const std::string scalars = list(step.scalars, [&](BufferId id) { return name(id); });
    return "fetch " + list(step.fields, [&](const auto& field) { return name(field.buffer); }) +
           (scalars.empty() ? "" : "; scalars " + scalars);
  }
  std::string operator()(const ComputeStep& step) const {
    std::string text = graph::to_text(step.op, [&](graph::TensorId id) { return name(id); });
    if (step.tile_axis >= 0)
      text += fmt::format("; {} in tiles of {}", step.op.box[static_cast<std::size_t>(step.tile_axis)].name,
                          step.tile_rows);
    if (step.accumulate) text += "; added to what is there";
    if (step.only_reached) text += "; the rest stays";
    if (step.first_sample) text += "; samples from " + origin(*step.first_sample);
    return text;
  }
  std::string operator()(const FillStep& step) const {
    return fmt::format("fill {} with {}", name(step.buffer), step.value);
  }
  std::string operator()(const GatherStep& step) const {
    return "gather " + list(step.members, [&](const auto& member) {
             return fmt::format("{} to {} ({} a node)", name(member.shard), name(member.full), member.chunk);
           });
  }
  std::string operator()(const ReduceScatterStep& step) const {
    return "reduce_scatter " + list(step.members, [&](const auto& member) {
             return fmt::format("{} to {} ({} a node)", name(member.partial), name(member.shard),
                                member.chunk);
           });
  }
  std::string operator()(const AllReduceStep& step) const {
    return "all_reduce " + list(step.members, [&](const auto& member) {
             return fmt::format("{} ({} a node)", name(member.buffer), member.chunk);
           });
  }
  std::string operator()(const TakeShardStep& step) const {
    return fmt::format("take {} from {}", name(step.shard), name(step.full));
  }
  std::string operator()(const ClearPaddingStep& step) const {
    return fmt::format("clear what lies behind the elements in {}", name(step.shard));
  }
  std::string operator()(const StoreStep& step) const {
    return "store " + list(step.fields, [&](const auto& field) {
             return name(field.buffer) + (field.per_sample ? " per sample" : "");
           });
  }
  std::string operator()(const LoopStep& step) const {
    return fmt::format("for {} tiles of {}:", step.tiles, step.name);
  }
  std::string operator()(const FetchBoxStep& step) const {
    return fmt::format("fetch {} from {}[{}], outside {}", box(step.buffer), name(step.from),
                       list(step.origin, origin), step.outside);
  }
  std::string operator()(const StoreBoxStep& step) const {
    return fmt::format("store {} to {}[{}]", box(step.buffer), name(step.to), list(step.origin, origin));
  }
  std::string operator()(const TilesStep& step) const {
    return fmt::format(
        "{} {} in {}{}:", step.shared ? "tiles of" : "turns of", step.name,
        list(step.cuts, [](const TilesStep::Cut& cut) { return fmt::format("{} {}", cut.count, cut.axis); }),
        step.ahead ? ", fetched ahead" : "");
  }

private:
  const std::string& name(BufferId id) const { return program_.at(id).name; }
  std::string box(BufferId id) const {
    return fmt::format("{} [{}]", name(id), fmt::join(program_.at(id).shape, ", "));
  }
  // Turns are t0, t1... from the outermost loop inwards.
  static std::string origin(const Origin& place) {
    std::string text = fmt::format("{}", place.offset);
    for (std::size_t k = 0; k < place.coefficients.size(); ++k)
      if (place.coefficients[k] != 0) text += fmt::format(" + {} t{}", place.coefficients[k], k);
    return text;
  }
  template <typename Things, typename TextOf>
  static std::string list(const Things& things, TextOf text_of) {
    std::vector<std::string> texts;
    for (const auto& thing : things) texts.push_back(text_of(thing));
    return fmt::format("{}", fmt::join(texts, ", "));
  }

  const LoweredProgram& program_;
};

void add_steps(const LoweredProgram& program, const std::vector<Step>& steps, const std::string& indent,
               std::string& text) {
  for (const Step& step : steps) {
    text += indent + std::visit(StepText(program), step) + "\n";
    if (const auto* loop = std::get_if<LoopStep>(&step)) add_steps(program, loop->body, indent + "  ", text);
    if (const auto* tiles = std::get_if<TilesStep>(&step))
      add_steps(program, tiles->body, indent + "  ", text);
  }
}

std::string buffer_text(const LoweredProgram& program, const Buffer& buffer) {
  std::string text =
      fmt::format("{} {} [{}]", buffer.name, numerics::name(buffer.format), fmt::join(buffer.shape, ", "));
  if (buffer.view_of != no_buffer) return text + " is " + program.at(buffer.view_of).name;
  if (buffer.storage == Storage::constant) return text + " constant";
  if (buffer.storage == Storage::home) return text + " in HBM";
  if (buffer.storage == Storage::resident) return text + " in HBM, stays";
  const auto shard = program.shards.find(buffer.name);
  if (buffer.storage == Storage::persistent && shard != program.shards.end())
    text += fmt::format(" persistent, {} tiles of {} x {}, {} a node", shard->second.tiles,
                        shard->second.tile_rows, shard->second.row_elements, shard->second.chunk);
  else if (buffer.capacity != buffer.elements())
    text += fmt::format(" in {}", buffer.capacity);
  return text;
}

}  // namespace

std::string to_text(const LoweredProgram& program) {
  std::string text =
      fmt::format("{}: {} x {} nodes, batch {} ({} a node)\nbuffers\n", program.name, program.mesh.rows,
                  program.mesh.columns, program.batch, program.samples_per_node);
  for (const Buffer& buffer : program.buffers) text += "  " + buffer_text(program, buffer) + "\n";
  text += "steps\n";
  add_steps(program, program.steps, "  ", text);
  return text;
}

}  // namespace dojo::lowering
