#include "codegen/homes.h"

#include <algorithm>

#include "base/error.h"
#include "base/index.h"
#include "codegen/memory.h"

namespace dojo::codegen {
namespace {

using lowering::Buffer;
using lowering::BufferId;
using lowering::LoweredProgram;

// Results: by buffer the name under which the host reads it.
std::vector<std::string> result_names(const LoweredProgram& program) {
  std::vector<std::string> names(program.buffers.size());
  for (const lowering::Step& step : program.steps) {
    const auto* store = std::get_if<lowering::StoreStep>(&step);
    if (store == nullptr) continue;
    for (const lowering::StoreStep::Field& field : store->fields) names[at(field.buffer)] = field.name;
  }
  return names;
}

// Bytes in each HBM.
std::uint64_t share(const Buffer& buffer, unsigned interfaces) {
  constexpr std::uint64_t unit = lowering::hbm_unit_bytes;
  const std::uint64_t units = (static_cast<std::uint64_t>(buffer.bytes()) + unit - 1) / unit;
  return (units + interfaces - 1) / interfaces * unit;
}

struct Homes {
  std::vector<Item> items;  // by buffer
  std::uint64_t bytes = 0;
};

Homes place_values(const LoweredProgram& program, unsigned interfaces) {
  const std::vector<Lifetime> lives = lifetimes(program);
  const std::vector<std::string> results = result_names(program);
  Homes homes;
  homes.items.resize(program.buffers.size());
  for (std::size_t b = 0; b < program.buffers.size(); ++b) {
    const Buffer& buffer = program.buffers[b];
    const bool own = buffer.storage == lowering::Storage::home && buffer.view_of == lowering::no_buffer &&
                     lives[b].first >= 0 && results[b].empty();
    if (own) homes.items[b] = {share(buffer, interfaces), lives[b], 0, false};
  }
  homes.bytes = place(homes.items);
  return homes;
}

}  // namespace

std::uint64_t bytes_of_homes(const LoweredProgram& program, unsigned interfaces) {
  return place_values(program, interfaces).bytes;
}

std::vector<HbmArray> place_homes(const LoweredProgram& program, const lowering::PersistentLayout& persistent,
                                  const lowering::HbmLayout& hbm) {
  const Homes homes = place_values(program, hbm.interfaces);
  const std::vector<std::string> results = result_names(program);
  std::vector<HbmArray> arrays(program.buffers.size());
  for (std::size_t b = 0; b < arrays.size(); ++b) {
    const BufferId root = program.root(static_cast<BufferId>(b));
    const Buffer& buffer = program.at(root);
    if (buffer.storage == lowering::Storage::resident) {
      const auto tensor =
          std::ranges::find(persistent.tensors, buffer.name, &lowering::PersistentTensor::name);
      DOJO_ENSURE(tensor != persistent.tensors.end());
      arrays[b] = {hbm.parameters + tensor->offset, hbm.interfaces};
    } else if (buffer.storage == lowering::Storage::home && !results[at(root)].empty()) {
      const auto field = std::ranges::find(hbm.results, results[at(root)], &lowering::HbmField::name);
      DOJO_ENSURE(field != hbm.results.end());
      arrays[b] = {field->offset, 1};
    } else if (buffer.storage == lowering::Storage::home) {
      arrays[b] = {hbm.homes + homes.items[at(root)].offset, hbm.interfaces};
    }
  }
  return arrays;
}

}  // namespace dojo::codegen
