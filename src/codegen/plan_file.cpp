#include "codegen/plan_file.h"

#include <nlohmann/json.hpp>

#include "base/json_text.h"

namespace dojo::codegen {
namespace {

using Json = nlohmann::ordered_json;

const char* name(lowering::Storage storage) {
  switch (storage) {
    case lowering::Storage::scratch:
      return "scratch";
    case lowering::Storage::persistent:
      return "persistent";
    case lowering::Storage::constant:
      return "constant";
    case lowering::Storage::home:
      return "home";
    case lowering::Storage::resident:
      return "resident";
  }
  return "";
}

Json buffers(const PlannedProgram& planned) {
  const lowering::LoweredProgram& program = *planned.lowered;
  Json list = Json::array();
  for (std::size_t b = 0; b < program.buffers.size(); ++b) {
    const lowering::Buffer& buffer = program.buffers[b];
    const Lifetime& life =
        planned.memory.lifetime[static_cast<std::size_t>(program.root(static_cast<lowering::BufferId>(b)))];
    if (life.first < 0) continue;
    Json row;
    row["name"] = buffer.name;
    row["shape"] = buffer.shape;
    row["format"] = numerics::name(buffer.format);
    row["storage"] = name(buffer.storage);
    row["address"] = planned.memory.address[b];
    row["bytes"] = buffer.view_of == lowering::no_buffer ? buffer.bytes() : 0;
    if (buffer.view_of != lowering::no_buffer) row["view_of"] = program.at(buffer.view_of).name;
    row["first_op"] = planned.steps[static_cast<std::size_t>(life.first)].id;
    row["last_op"] = planned.steps[static_cast<std::size_t>(life.last)].id;
    list.push_back(std::move(row));
  }
  return list;
}

std::vector<std::string> names(const lowering::LoweredProgram& program, const lowering::Step& step) {
  std::vector<std::string> list;
  for (const lowering::BufferId id : touched(program, step)) list.push_back(program.at(id).name);
  return list;
}

Json op(const lowering::LoweredProgram& program, const PlannedStep& planned) {
  static constexpr const char* kinds[] = {
      "fetch",         "compute", "fill", "gather",    "reduce_scatter", "all_reduce", "take_shard",
      "clear_padding", "store",   "loop", "fetch_box", "store_box",      "tiles"};
  Json row;
  row["id"] = planned.id;
  row["kind"] = kinds[planned.step->index()];
  if (const auto* compute = std::get_if<lowering::ComputeStep>(planned.step)) {
    row["name"] = compute->op.name;
    row["origin"] = compute->op.origin;
    row["kernel"] = kind_of(planned.kernel);
    Json box = Json::array();
    for (const graph::Axis& axis : compute->op.box) box.push_back({axis.name, axis.extent});
    row["box"] = std::move(box);
    row["multiply_adds"] = planned.kernel.multiply_adds;
  }
  const auto* loop = std::get_if<lowering::LoopStep>(planned.step);
  const auto* tiles = std::get_if<lowering::TilesStep>(planned.step);
  if (loop != nullptr || tiles != nullptr) {
    row["name"] = loop != nullptr ? loop->name : tiles->name;
    row["times"] = loop != nullptr ? loop->tiles : tiles->tiles();
    if (tiles != nullptr) {
      row["shared"] = tiles->shared;
      Json cuts = Json::array();
      for (const lowering::TilesStep::Cut& cut : tiles->cuts) cuts.push_back({cut.axis, cut.count});
      row["cuts"] = std::move(cuts);
    }
    Json body = Json::array();
    for (const PlannedStep& inner : planned.body) body.push_back(op(program, inner));
    row["body"] = std::move(body);
  } else {
    row["buffers"] = names(program, *planned.step);
    row["bytes_moved"] = bytes_moved(program, *planned.step);
  }
  return row;
}

Json fields(const std::vector<lowering::HbmField>& list) {
  Json rows = Json::array();
  for (const lowering::HbmField& field : list) {
    rows.push_back({{"name", field.name},
                    {"shape", field.shape},
                    {"format", numerics::name(field.format)},
                    {"offset", field.offset},
                    {"bytes", field.bytes},
                    {"per_sample", field.per_sample}});
  }
  return rows;
}

}  // namespace

std::int64_t bytes_moved(const lowering::LoweredProgram& program, const lowering::Step& step) {
  const auto [rows, columns] = program.mesh;
  const std::int64_t spread =
      std::int64_t{rows} - 1 +
      std::int64_t{rows} * (std::int64_t{columns} - 1);  // chunks sent by one ring pass
  std::int64_t bytes = 0;
  const auto add = [&](std::int64_t chunk, lowering::BufferId buffer, std::int64_t passes) {
    bytes += passes * spread * chunk * numerics::storage_bytes(program.at(buffer).format);
  };
  if (const auto* s = std::get_if<lowering::GatherStep>(&step)) {
    for (const auto& member : s->members) add(member.chunk, member.full, 1);
  } else if (const auto* t = std::get_if<lowering::ReduceScatterStep>(&step)) {
    for (const auto& member : t->members) add(member.chunk, member.partial, 1);
  } else if (const auto* r = std::get_if<lowering::AllReduceStep>(&step)) {
    for (const auto& member : r->members) add(member.chunk, member.buffer, 2);
  } else if (const auto* f = std::get_if<lowering::FetchStep>(&step)) {
    for (const auto& field : f->fields) bytes += program.at(field.buffer).bytes();
  } else if (const auto* o = std::get_if<lowering::StoreStep>(&step)) {
    for (const auto& field : o->fields) bytes += program.at(field.buffer).bytes();
  } else if (const auto* b = std::get_if<lowering::FetchBoxStep>(&step)) {
    bytes += program.at(b->buffer).bytes();
  } else if (const auto* u = std::get_if<lowering::StoreBoxStep>(&step)) {
    bytes += program.at(u->buffer).bytes();
  }
  return bytes;
}

std::string plan_json(const PlanHeader& header, const PlannedProgram& planned,
                      const lowering::PersistentLayout& persistent, const lowering::HbmLayout& hbm,
                      std::uint64_t program_base, std::uint64_t heap_start) {
  const lowering::LoweredProgram& program = *planned.lowered;
  Json plan;
  plan["version"] = 1;
  plan["network"] = header.network;
  plan["machine"] = header.machine;
  plan["formats"] = header.formats;
  plan["nodes"] = program.mesh.nodes();
  plan["logical_mesh"] = {program.mesh.rows, program.mesh.columns};
  plan["batch"] = program.batch;
  plan["samples_per_node"] = program.samples_per_node;
  plan["memory"] = {{"program_base", program_base},
                    {"heap_start", heap_start},
                    {"scratch_base", planned.memory.lowest},
                    {"persistent_base", persistent.begin},
                    {"persistent_bytes", persistent.bytes()},
                    {"peak_bytes", planned.memory.peak_bytes},
                    {"spare_bytes", planned.memory.lowest - heap_start}};
  plan["hbm"] = {{"interfaces", hbm.interfaces},     {"launch_block", hbm.launch_block},
                 {"launch_bytes", hbm.launch_bytes}, {"scalars", hbm.scalars},
                 {"sample_table", hbm.sample_table}, {"record_bytes", hbm.record_bytes},
                 {"record", fields(hbm.record)},     {"results", fields(hbm.results)},
                 {"parameters", hbm.parameters},     {"parameter_stride", hbm.parameter_stride},
                 {"data_set", hbm.data_set}};
  plan["ops"] = Json::array();
  for (const PlannedStep& step : planned.steps) plan["ops"].push_back(op(program, step));
  plan["buffers"] = buffers(planned);
  return json_text(plan, 1);
}

}  // namespace dojo::codegen
