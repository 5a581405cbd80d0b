#include "codegen/emit.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "codegen/emit_parts.h"

namespace dojo::codegen {
namespace {

PlannedStep plan_step(const lowering::LoweredProgram& program, const lowering::Step& step, unsigned& next_id,
                      std::int64_t panel_bytes) {
  PlannedStep planned;
  planned.step = &step;
  planned.id = next_id++;
  if (const auto* compute = std::get_if<lowering::ComputeStep>(&step))
    planned.kernel = plan_kernel(program, *compute, panel_bytes);
  if (const auto* loop = std::get_if<lowering::LoopStep>(&step)) {
    for (const lowering::Step& inner : loop->body)
      planned.body.push_back(plan_step(program, inner, next_id, panel_bytes));
  }
  if (const auto* tiles = std::get_if<lowering::TilesStep>(&step)) {
    for (const lowering::Step& inner : tiles->body)
      planned.body.push_back(plan_step(program, inner, next_id, panel_bytes));
  }
  return planned;
}

class Emitter {
public:
  Emitter(const PlannedProgram& planned, const lowering::HbmLayout& hbm)
      : planned_(planned), program_(*planned.lowered), hbm_(hbm) {}

  std::string run() {
    code_.comment(fmt::format("{}: one node's program; every node of the {} x {} mesh runs it.",
                              program_.name, program_.mesh.rows, program_.mesh.columns));
    code_.raw(program_prologue(planned_.steps.size()));
    code_.line("");
    code_.line(fmt::format("static constexpr dojo::Mesh mesh{{{}, {}}};", program_.mesh.rows,
                           program_.mesh.columns));
    code_.line("static long valid_samples;  // of this node, in this batch");
    code_.line("static unsigned node, slot;  // who this is, and its place in collective buffers");
    declare_buffers();
    for (std::size_t k = 0; k < planned_.steps.size(); ++k)
      write_function(planned_.steps[k], planned_.memory.kernel_scratch[k]);
    code_.line("");
    code_.open("int main()");
    code_.line("node = dojo::my_pe();");
    code_.line("slot = node % mesh.columns * mesh.rows + node / mesh.columns;");
    for (const PlannedStep& step : planned_.steps) call(step);
    code_.line("dojo::quiet();");
    code_.line("return 0;");
    code_.close();
    return code_.text();
  }

private:
  std::string name(lowering::BufferId id) const { return buffer_name(program_, id); }
  std::string type(lowering::BufferId id) const { return element_type(program_.at(id).format); }

  void declare_buffers() {
    code_.line("");
    for (std::size_t b = 0; b < program_.buffers.size(); ++b) {
      const auto id = static_cast<lowering::BufferId>(b);
      const lowering::Buffer& buffer = program_.at(id);
      if (buffer.storage == lowering::Storage::constant) {
        declare_constant(code_, planned_, id);
      } else if (planned_.memory.lifetime[static_cast<std::size_t>(program_.root(id))].first >= 0) {
        code_.line(fmt::format("static {0}* const {1} = reinterpret_cast<{0}*>(0x{2:x});  // [{3}]", type(id),
                               name(id), planned_.memory.address[b], fmt::join(buffer.shape, ", ")));
      }
    }
  }

  // --- Functions of single steps ---
  void write_function(const PlannedStep& planned, std::uint64_t scratch) {
    for (const PlannedStep& inner : planned.body) write_function(inner, scratch);
    code_.line("");
    if (const auto* compute = std::get_if<lowering::ComputeStep>(planned.step)) {
      if (planned.kernel.scratch_bytes != 0) {
        code_.line(fmt::format("static char* const scratch_{} = reinterpret_cast<char*>(0x{:x});", planned.id,
                               scratch));
      }
      code_.raw(write_kernel(program_, *compute, planned.kernel, planned.id));
      return;
    }
    if (std::holds_alternative<lowering::LoopStep>(*planned.step)) return;
    const bool tiled = std::holds_alternative<lowering::GatherStep>(*planned.step) ||
                       std::holds_alternative<lowering::ReduceScatterStep>(*planned.step);
    code_.open_op(planned.id, tiled ? "[[maybe_unused]] long tile" : "");
    code_.line(fmt::format("DOJO_MARK({});", planned.id));
    if (const auto* s = std::get_if<lowering::FetchStep>(planned.step)) fetch(*s);
    if (const auto* s = std::get_if<lowering::FillStep>(planned.step)) fill(*s);
    if (const auto* s = std::get_if<lowering::GatherStep>(planned.step)) gather(*s);
    if (const auto* s = std::get_if<lowering::ReduceScatterStep>(planned.step)) reduce_scatter(*s);
    if (const auto* s = std::get_if<lowering::AllReduceStep>(planned.step)) all_reduce(*s);
    if (const auto* s = std::get_if<lowering::TakeShardStep>(planned.step)) take_shard(*s);
    if (const auto* s = std::get_if<lowering::ClearPaddingStep>(planned.step)) clear_padding(*s);
    if (const auto* s = std::get_if<lowering::StoreStep>(planned.step)) store(*s);
    code_.close();
  }

  void call(const PlannedStep& planned) {
    const auto takes_tile = [](const PlannedStep& step) {
      if (const auto* compute = std::get_if<lowering::ComputeStep>(step.step)) return compute->tile_axis >= 0;
      return std::holds_alternative<lowering::GatherStep>(*step.step) ||
             std::holds_alternative<lowering::ReduceScatterStep>(*step.step);
    };
    if (const auto* loop = std::get_if<lowering::LoopStep>(planned.step)) {
      code_.open(fmt::format("for (long tile = 0; tile < {}; ++tile)", loop->tiles));
      for (const PlannedStep& inner : planned.body)
        code_.line(fmt::format("op_{}({});", inner.id, takes_tile(inner) ? "tile" : ""));
      code_.close();
    } else {
      code_.line(fmt::format("op_{}({});", planned.id, takes_tile(planned) ? "0" : ""));
    }
  }

  void vector_loop(const std::string& count, const std::string& statement) {
    code_.line("#pragma clang loop vectorize(assume_safety) vectorize_width(16, scalable)");
    code_.line(fmt::format("for (long e = 0; e < {}; ++e) {}", count, statement));
  }

  void fetch(const lowering::FetchStep& step) {
    const unsigned interfaces = hbm_.interfaces;
    code_.line(fmt::format(
        "const unsigned home = node % {};  // the interface processor that serves this node", interfaces));
    code_.line(fmt::format("alignas(64) static uint64_t launch[{}], records[{}];",
                           (hbm_.launch_bytes + 7) / 8, hbm_.samples_per_node));
    code_.line(
        fmt::format("dojo::get(launch, dojo::hbm(home, {}), {});", hbm_.launch_block, hbm_.launch_bytes));
    code_.line(fmt::format("dojo::get(records, dojo::hbm_share<unsigned>(node, {}, {}, {}), {});", interfaces,
                           hbm_.sample_table, 8 * hbm_.samples_per_node, 8 * hbm_.samples_per_node));
    code_.line("dojo::quiet();");
    code_.line(fmt::format("const long mine = static_cast<long>(launch[1]) - static_cast<long>(node) * {};",
                           hbm_.samples_per_node));
    code_.line(fmt::format("valid_samples = mine < 0 ? 0 : smaller(mine, {});", hbm_.samples_per_node));
    code_.open("for (long n = 0; n < valid_samples; ++n)");
    for (const lowering::FetchStep::Field& field : step.fields) {
      const lowering::HbmField& record = field_named(hbm_.record, field.name);
      DOJO_ENSURE(record.format == program_.at(field.buffer).format);
      code_.line(fmt::format("dojo::get({} + n * {}, records[n] + {}, {});", name(field.buffer),
                             record.bytes / numerics::storage_bytes(record.format), record.offset,
                             record.bytes));
    }
    code_.close();
    if (!step.scalars.empty())
      code_.line("const float* const scalars = reinterpret_cast<const float*>(launch + 3);");
    for (const lowering::BufferId id : step.scalars) {
      const auto found = std::find(hbm_.scalars.begin(), hbm_.scalars.end(), program_.at(id).name);
      DOJO_ENSURE(found != hbm_.scalars.end());
      code_.line(fmt::format("*{} = scalars[{}];", name(id), found - hbm_.scalars.begin()));
    }
    code_.line("dojo::quiet();");
  }

  void fill(const lowering::FillStep& step) {
    vector_loop(fmt::format("{}", program_.at(step.buffer).capacity),
                fmt::format("{}[e] = {:a}f;", name(step.buffer), step.value));
  }

  void gather(const lowering::GatherStep& step) {
    if (step.members.size() == 1) {
      const lowering::GatherStep::Member& member = step.members[0];
      code_.line(fmt::format("const float* __restrict const mine = {} + tile * {};", name(member.shard),
                             member.chunk));
      code_.line(fmt::format("{}* __restrict const place = {} + slot * {};", type(member.full),
                             name(member.full), member.chunk));
      vector_loop(fmt::format("{}", member.chunk),
                  fmt::format("place[e] = static_cast<{}>(mine[e]);", type(member.full)));
      code_.line(fmt::format("dojo::all_gather({}, {}, mesh);", name(member.full),
                             member.chunk * numerics::storage_bytes(program_.at(member.full).format)));
      return;
    }
    std::int64_t all = 0, offset = 0;
    for (const lowering::GatherStep::Member& member : step.members) all += member.chunk;
    const std::string element = type(step.staging);
    for (const lowering::GatherStep::Member& member : step.members) {
      vector_loop(fmt::format("{}", member.chunk),
                  fmt::format("{}[slot * {} + {} + e] = static_cast<{}>({}[e]);", name(step.staging), all,
                              offset, element, name(member.shard)));
      offset += member.chunk;
    }
    code_.line(fmt::format("dojo::all_gather({}, {}, mesh);", name(step.staging),
                           all * numerics::storage_bytes(program_.at(step.staging).format)));
    offset = 0;
    for (const lowering::GatherStep::Member& member : step.members) {
      unpack(name(member.full), name(step.staging), member.chunk, all, offset);
      offset += member.chunk;
    }
  }

  // Chunks of every slot between a collective buffer of one member and one that holds several.
  void unpack(const std::string& own, const std::string& packed, std::int64_t chunk, std::int64_t all,
              std::int64_t offset) {
    chunks(chunk, fmt::format("{}[s * {} + e] = {}[s * {} + {} + e];", own, chunk, packed, all, offset));
  }
  void pack(const std::string& own, const std::string& packed, std::int64_t chunk, std::int64_t all,
            std::int64_t offset) {
    chunks(chunk, fmt::format("{}[s * {} + {} + e] = {}[s * {} + e];", packed, all, offset, own, chunk));
  }
  void chunks(std::int64_t chunk, const std::string& statement) {
    // The longer of the two loops inside.
    const auto slots = static_cast<std::int64_t>(program_.mesh.nodes());
    const bool slots_inside = slots > chunk;
    code_.open(slots_inside ? fmt::format("for (long e = 0; e < {}; ++e)", chunk)
                            : fmt::format("for (long s = 0; s < {}; ++s)", slots));
    code_.line("#pragma clang loop vectorize(assume_safety) vectorize_width(16, scalable)");
    code_.line((slots_inside ? fmt::format("for (long s = 0; s < {}; ++s) ", slots)
                             : fmt::format("for (long e = 0; e < {}; ++e) ", chunk)) +
               statement);
    code_.close();
  }

  void reduce_scatter(const lowering::ReduceScatterStep& step) {
    if (step.members.size() == 1) {
      const lowering::ReduceScatterStep::Member& member = step.members[0];
      code_.line(fmt::format("dojo::reduce_scatter({}, {}, {}, mesh);", name(member.partial), member.chunk,
                             name(step.staging)));
      vector_loop(fmt::format("{}", member.chunk),
                  fmt::format("{0}[tile * {1} + e] = {2}[slot * {1} + e];", name(member.shard), member.chunk,
                              name(member.partial)));
      return;
    }
    std::int64_t all = 0, offset = 0;
    for (const auto& member : step.members) all += member.chunk;
    for (const auto& member : step.members) {
      pack(name(member.partial), name(step.packed), member.chunk, all, offset);
      offset += member.chunk;
    }
    code_.line(
        fmt::format("dojo::reduce_scatter({}, {}, {}, mesh);", name(step.packed), all, name(step.staging)));
    offset = 0;
    for (const auto& member : step.members) {
      vector_loop(
          fmt::format("{}", member.chunk),
          fmt::format("{}[e] = {}[slot * {} + {} + e];", name(member.shard), name(step.packed), all, offset));
      offset += member.chunk;
    }
  }

  void all_reduce(const lowering::AllReduceStep& step) {
    if (step.members.size() == 1) {
      const lowering::AllReduceStep::Member& member = step.members[0];
      code_.line(fmt::format("dojo::all_reduce({}, {}, {}, mesh);", name(member.buffer), member.chunk,
                             name(step.staging)));
      return;
    }
    std::int64_t all = 0, offset = 0;
    for (const auto& member : step.members) all += member.chunk;
    for (const auto& member : step.members) {
      pack(name(member.buffer), name(step.packed), member.chunk, all, offset);
      offset += member.chunk;
    }
    code_.line(
        fmt::format("dojo::all_reduce({}, {}, {}, mesh);", name(step.packed), all, name(step.staging)));
    offset = 0;
    for (const auto& member : step.members) {
      unpack(name(member.buffer), name(step.packed), member.chunk, all, offset);
      offset += member.chunk;
    }
  }

  // For every tile, `count` of the node's chunk are elements of the tensor: 0 or less if none are.
  void open_tiles(const lowering::ShardLayout& shard) {
    const std::int64_t tile_elements = shard.tile_rows * shard.row_elements;
    code_.line(fmt::format("const long start = slot * {};", shard.chunk));
    code_.open(fmt::format("for (long tile = 0; tile < {}; ++tile)", shard.tiles));
    code_.line(fmt::format("const long count = smaller({}, smaller({}, {} - tile * {}) - start);",
                           shard.chunk, tile_elements, shard.rows * shard.row_elements, tile_elements));
  }

  void take_shard(const lowering::TakeShardStep& step) {
    const lowering::ShardLayout& shard = step.layout;
    open_tiles(shard);
    vector_loop("count", fmt::format("{}[tile * {} + e] = {}[tile * {} + start + e];", name(step.shard),
                                     shard.chunk, name(step.full), shard.tile_rows * shard.row_elements));
    code_.close();
  }

  void clear_padding(const lowering::ClearPaddingStep& step) {
    const std::int64_t chunk = step.layout.chunk;
    open_tiles(step.layout);
    code_.line(fmt::format("for (long e = count < 0 ? 0 : count; e < {0}; ++e) {1}[tile * {0} + e] = 0;",
                           chunk, name(step.shard)));
    code_.close();
  }

  void store(const lowering::StoreStep& step) {
    for (const lowering::StoreStep::Field& field : step.fields) {
      const lowering::Buffer& buffer = program_.at(field.buffer);
      if (buffer.format != numerics::Format::fp32)
        throw UserError(buffer.name, "a result in a narrow format", Refusal::not_yet);
      const lowering::HbmField& result = field_named(hbm_.results, field.name);
      DOJO_ENSURE(program_.at(field.buffer).format == numerics::Format::fp32);
      if (field.per_sample) {
        code_.line(
            fmt::format("if (valid_samples > 0) dojo::put_hbm(dojo::hbm(0, {} + uint64_t{{node}} * {}), "
                        "{}, valid_samples * {});",
                        result.offset, result.bytes * static_cast<std::uint64_t>(program_.samples_per_node),
                        name(field.buffer), result.bytes));
      } else {
        code_.line(fmt::format("if (node == 0) dojo::put_hbm(dojo::hbm(0, {}), {}, {});", result.offset,
                               name(field.buffer), result.bytes));
      }
    }
  }

  const PlannedProgram& planned_;
  const lowering::LoweredProgram& program_;
  const lowering::HbmLayout& hbm_;
  CodeText code_;
};

std::string emit_move(const lowering::PersistentLayout& persistent, const lowering::HbmLayout& hbm,
                      const std::string& words, const std::string& statement) {
  CodeText code;
  code.comment(words);
  code.line("#include \"dojo.h\"");
  code.line("");
  code.open("int main()");
  code.line("DOJO_MARK(1);");
  code.line("const unsigned node = dojo::my_pe();");
  code.line(fmt::format("const dojo::Global image = dojo::hbm_share<uint64_t>(node, {}, {}, {});",
                        hbm.interfaces, hbm.parameters, hbm.parameter_stride));
  code.line(fmt::format("char* const region = reinterpret_cast<char*>(0x{:x});", persistent.begin));
  if (persistent.bytes() != 0) code.line(fmt::format("{}, {});", statement, persistent.bytes()));
  code.line("dojo::quiet();");
  code.line("return 0;");
  code.close();
  return code.text();
}

}  // namespace

PlannedProgram plan_program(const lowering::LoweredProgram& program,
                            const lowering::PersistentLayout& persistent, std::int64_t panel_bytes) {
  PlannedProgram planned;
  planned.lowered = &program;
  planned.persistent = &persistent;
  unsigned next_id = 1;
  std::vector<std::uint64_t> scratch;
  for (const lowering::Step& step : program.steps) {
    planned.steps.push_back(plan_step(program, step, next_id, panel_bytes));
    scratch.push_back(scratch_bytes(planned.steps.back()));
  }
  planned.memory = plan_memory(program, persistent, scratch);
  return planned;
}

std::string emit_program(const PlannedProgram& planned, const lowering::HbmLayout& hbm) {
  const bool in_tiles = std::ranges::any_of(
      planned.lowered->buffers, [](const lowering::Buffer& buffer) { return in_hbm(buffer.storage); });
  return in_tiles ? emit_boxes(planned, hbm) : Emitter(planned, hbm).run();
}

std::string emit_load(const lowering::PersistentLayout& persistent, const lowering::HbmLayout& hbm) {
  return emit_move(persistent, hbm, "load: parameters and state from their image in HBM",
                   "dojo::get(region, image");
}

std::string emit_store(const lowering::PersistentLayout& persistent, const lowering::HbmLayout& hbm) {
  return emit_move(persistent, hbm, "store: parameters and state to their image in HBM",
                   "dojo::put_hbm(image, region");
}

}  // namespace dojo::codegen
