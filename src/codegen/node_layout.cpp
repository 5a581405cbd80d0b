#include "codegen/node_layout.h"

#include <algorithm>

#include "base/error.h"
#include "codegen/memory.h"

namespace dojo::codegen {
namespace {

std::uint64_t round_up(std::uint64_t value, std::uint64_t step) { return (value + step - 1) / step * step; }

lowering::HbmField sample_field(const graph::Tensor& tensor) {
  lowering::HbmField field;
  field.name = tensor.name;
  field.shape.assign(tensor.shape.begin() + 1, tensor.shape.end());
  field.format = tensor.format;
  field.bytes = numerics::storage_bytes(tensor.format);
  for (const std::int64_t extent : field.shape) field.bytes *= static_cast<std::uint64_t>(extent);
  return field;
}

lowering::HbmField result_field(const graph::Tensor& tensor) {
  lowering::HbmField field;
  field.name = tensor.name;
  field.per_sample = tensor.has_batch;
  field.shape.assign(tensor.shape.begin() + (tensor.has_batch ? 1 : 0), tensor.shape.end());
  field.bytes = 4;
  for (const std::int64_t extent : field.shape) field.bytes *= static_cast<std::uint64_t>(extent);
  return field;
}

}  // namespace

lowering::PersistentLayout lay_out_sram(const lowering::LoweredProgram& train,
                                        const lowering::LoweredProgram& predict, const graph::Graph& graph,
                                        const graph::Graph& source, const machine::Machine& machine) {
  std::vector<lowering::PersistentTensor> tensors;
  for (const auto& [name, shard] : train.shards) {
    const lowering::Buffer& buffer = train.at(train.find(name));
    if (!buffer.data.empty()) {  // a constant
      tensors.push_back({name, buffer.shape, shard, 0, buffer.data});
      continue;
    }
    const graph::Tensor& tensor = graph.at(graph.find(name));
    const bool given = source.find(name) != graph::no_tensor;
    tensors.push_back({name, tensor.shape, shard, 0, given ? std::vector<float>{} : tensor.data});
  }
  for (const auto& [name, shard] : predict.shards) {
    if (train.shards.contains(name)) continue;
    const lowering::Buffer& buffer = predict.at(predict.find(name));
    if (buffer.data.empty()) refuse(name, "is used for prediction but not known to the training step");
    tensors.push_back({name, buffer.shape, shard, 0, buffer.data});
  }
  const std::uint64_t end = machine.node.sram_bytes - stack_bytes;
  const bool in_hbm = std::ranges::any_of(
      train.buffers, [](const lowering::Buffer& buffer) { return lowering::in_hbm(buffer.storage); });
  if (in_hbm) return place_in_hbm(std::move(tensors), static_cast<unsigned>(machine.interface.count), end);
  return place_persistent(std::move(tensors), train.mesh, end);
}

lowering::HbmLayout lay_out_hbm(const graph::Graph& train, const graph::Graph& predict,
                                const lowering::Lowered& lowered,
                                const lowering::PersistentLayout& persistent, std::uint64_t home_bytes,
                                const machine::Machine& machine) {
  lowering::HbmLayout hbm;
  hbm.nodes = lowered.program.mesh.nodes();
  hbm.interfaces = static_cast<unsigned>(machine.interface.count);
  hbm.samples_per_node = lowered.program.samples_per_node;
  const std::uint64_t rows = (hbm.nodes + hbm.interfaces - 1) / hbm.interfaces;
  hbm.scalars = lowered.scalars;
  hbm.launch_bytes = round_up(3 * 8 + 4 * hbm.scalars.size(), 64);
  std::uint64_t next = hbm.launch_bytes;
  hbm.sample_table = next;
  next = round_up(next + rows * static_cast<std::uint64_t>(hbm.samples_per_node) * 8, 64);

  for (const graph::Role role : {graph::Role::input, graph::Role::label}) {
    for (const graph::Tensor& tensor : train.tensors) {
      if (tensor.role != role) continue;
      hbm.record.push_back(sample_field(tensor));
      hbm.record.back().offset = hbm.record_bytes;
      hbm.record_bytes = round_up(hbm.record_bytes + hbm.record.back().bytes, 8);
    }
  }
  hbm.record_bytes = round_up(hbm.record_bytes, 64);

  for (const graph::Graph* graph : {&train, &predict}) {
    for (const graph::TensorId id : graph->outputs) {
      const graph::Tensor& tensor = graph->at(id);
      const auto same = [&](const lowering::HbmField& field) { return field.name == tensor.name; };
      if (std::any_of(hbm.results.begin(), hbm.results.end(), same)) continue;
      hbm.results.push_back(result_field(tensor));
      hbm.results.back().offset = next;
      const std::uint64_t values =
          tensor.has_batch ? static_cast<std::uint64_t>(hbm.samples_per_node) * hbm.nodes : 1;
      next = round_up(next + values * hbm.results.back().bytes, 64);
    }
  }
  hbm.parameters = next;
  hbm.parameter_stride = round_up(persistent.image_bytes, 64);
  const std::uint64_t images = persistent.in_hbm ? 1 : rows;
  hbm.homes = round_up(next + images * hbm.parameter_stride, 64);
  hbm.data_set = round_up(hbm.homes + home_bytes, 4096);
  if (hbm.data_set > machine.interface.hbm_bytes)
    refuse(train.name, "needs {} bytes of each HBM before any data", hbm.data_set);
  return hbm;
}

}  // namespace dojo::codegen
