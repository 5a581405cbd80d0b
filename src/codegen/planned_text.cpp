#include "codegen/planned_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

namespace dojo::codegen {
namespace {

void add_kernels(const std::vector<PlannedStep>& steps, std::string& text) {
  for (const PlannedStep& planned : steps) {
    if (const auto* compute = std::get_if<lowering::ComputeStep>(planned.step))
      text += fmt::format("op {} {}: {}", planned.id, compute->op.name, to_text(planned.kernel, *compute));
    add_kernels(planned.body, text);
  }
}

struct Region {
  std::uint64_t address, bytes;
  std::string about;
};

std::string ops(const PlannedProgram& planned, const Lifetime& life) {
  const auto id = [&](std::int64_t step) { return planned.steps[static_cast<std::size_t>(step)].id; };
  return fmt::format("op {} to {}", id(life.first), id(life.last));
}

std::vector<Region> scratch_regions(const PlannedProgram& planned) {
  const lowering::LoweredProgram& program = *planned.lowered;
  std::vector<Region> regions;
  for (std::size_t b = 0; b < program.buffers.size(); ++b) {
    const lowering::Buffer& buffer = program.buffers[b];
    const Lifetime& life = planned.memory.lifetime[b];
    if (buffer.storage != lowering::Storage::scratch || buffer.view_of != lowering::no_buffer ||
        life.first < 0)
      continue;
    regions.push_back({planned.memory.address[b], static_cast<std::uint64_t>(buffer.bytes()),
                       fmt::format("{}: {} {} [{}]", ops(planned, life), buffer.name,
                                   numerics::name(buffer.format), fmt::join(buffer.shape, ", "))});
  }
  for (std::size_t k = 0; k < planned.steps.size(); ++k) {
    if (planned.memory.kernel_scratch[k] == 0) continue;
    regions.push_back({planned.memory.kernel_scratch[k], scratch_bytes(planned.steps[k]),
                       fmt::format("op {}: panels and accumulators of its kernel", planned.steps[k].id)});
  }
  std::ranges::stable_sort(regions, {}, &Region::address);
  return regions;
}

}  // namespace

std::string kernels_text(const PlannedProgram& planned) {
  std::string text;
  add_kernels(planned.steps, text);
  return text;
}

std::string sram_text(const PlannedProgram& planned, const lowering::PersistentLayout& persistent) {
  std::string text = fmt::format("{}: {} bytes of scratch from 0x{:x} on\n", planned.lowered->name,
                                 planned.memory.peak_bytes, planned.memory.lowest);
  const auto add = [&](const Region& region) {
    fmt::format_to(std::back_inserter(text), "0x{:06x} {:>8}  {}\n", region.address, region.bytes,
                   region.about);
  };
  for (const Region& region : scratch_regions(planned)) add(region);
  for (const lowering::PersistentTensor& tensor : persistent.tensors)
    add({persistent.begin + tensor.offset, static_cast<std::uint64_t>(4 * tensor.shard.shard_elements()),
         fmt::format("always: {}, its shard of [{}]", tensor.name, fmt::join(tensor.shape, ", "))});
  add({persistent.end, stack_bytes, "always: stacks"});
  return text;
}

}  // namespace dojo::codegen
