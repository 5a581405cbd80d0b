#include "codegen/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "base/error.h"
#include "base/index.h"
#include "lowering/access.h"

namespace dojo::codegen {
namespace {

constexpr std::uint64_t alignment = 64;

std::uint64_t round_up(std::uint64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

bool overlap(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

// The operand whose memory the step's output may take over: it dies here, has the same size and is read
// element by element.
lowering::BufferId reusable(const lowering::LoweredProgram& program, const lowering::ComputeStep& step,
                            std::int64_t when, const std::vector<Lifetime>& lives) {
  const graph::StructuredOp& op = step.op;
  const lowering::BufferId out = op.out.tensor;
  if (program.root(out) != out || program.at(out).storage != lowering::Storage::scratch ||
      lives[at(out)].first != when || step.tile_axis >= 0) {
    return lowering::no_buffer;
  }
  const auto suits = [&](const graph::Access& access) {
    const lowering::BufferId id = program.root(access.tensor);
    return program.at(id).storage == lowering::Storage::scratch && lives[at(id)].last == when &&
           program.at(id).bytes() == program.at(out).bytes() &&
           program.at(access.tensor).shape == program.at(out).shape &&
           program.at(id).format == program.at(out).format && lowering::same_map(access, op.out);
  };
  const auto only_use = [&](lowering::BufferId id) {
    std::size_t uses = 0;
    for (const graph::Access& access : op.in)
      uses += program.root(access.tensor) == id && !suits(access) ? 1 : 0;
    for (const graph::Access& access : op.extra)
      uses += program.root(access.tensor) == id && !suits(access) ? 1 : 0;
    return uses == 0;
  };
  if (lowering::chain_axes(op).empty() && lowering::covers(op, program.at(out).shape)) {
    for (const graph::Access& access : op.in) {
      if (suits(access) && only_use(program.root(access.tensor))) return program.root(access.tensor);
    }
  }
  for (const graph::Access& access : op.extra) {
    // Through the epilogue every element of an extra is read just before the same element of out is written.
    const lowering::BufferId id = program.root(access.tensor);
    const bool in_body = std::any_of(op.in.begin(), op.in.end(), [&](const graph::Access& read) {
      return program.root(read.tensor) == id;
    });
    if (suits(access) && only_use(id) && !in_body) return id;
  }
  return lowering::no_buffer;
}

}  // namespace

std::vector<Lifetime> lifetimes(const lowering::LoweredProgram& program) {
  std::vector<Lifetime> lives(program.buffers.size());
  for (std::size_t k = 0; k < program.steps.size(); ++k) {
    for (const lowering::BufferId id : touched(program, program.steps[k])) {
      Lifetime& life = lives[at(id)];
      if (life.first < 0) life.first = static_cast<std::int64_t>(k);
      life.last = static_cast<std::int64_t>(k);
    }
  }
  return lives;
}

std::uint64_t place(std::vector<Item>& items) {
  std::vector<Item*> order;
  for (Item& item : items) {
    if (item.bytes != 0) order.push_back(&item);
  }
  // Equal sizes in the order of items, which lie in one array.
  std::sort(order.begin(), order.end(),
            [](const Item* a, const Item* b) { return a->bytes != b->bytes ? a->bytes > b->bytes : a < b; });
  std::uint64_t peak = 0;
  for (Item* item : order) {
    std::vector<const Item*> neighbours;
    for (const Item* other : order) {
      if (other->placed && overlap(other->life, item->life)) neighbours.push_back(other);
    }
    std::sort(neighbours.begin(), neighbours.end(),
              [](const Item* a, const Item* b) { return a->offset < b->offset; });
    std::uint64_t offset = 0;
    for (const Item* other : neighbours) {
      if (offset + item->bytes <= other->offset) break;
      offset = std::max(offset, other->offset + other->bytes);
    }
    item->offset = offset;
    item->placed = true;
    peak = std::max(peak, offset + item->bytes);
  }
  return peak;
}

MemoryPlan plan_memory(const lowering::LoweredProgram& program, const lowering::PersistentLayout& persistent,
                       const std::vector<std::uint64_t>& scratch_bytes) {
  MemoryPlan plan;
  plan.lifetime = lifetimes(program);
  std::vector<lowering::BufferId> home(program.buffers.size());
  for (std::size_t b = 0; b < home.size(); ++b) home[b] = static_cast<lowering::BufferId>(b);
  std::vector<Lifetime> lives = plan.lifetime;
  for (std::size_t k = 0; k < program.steps.size(); ++k) {
    const auto* step = std::get_if<lowering::ComputeStep>(&program.steps[k]);
    if (step == nullptr) continue;
    const lowering::BufferId from = reusable(program, *step, static_cast<std::int64_t>(k), lives);
    if (from == lowering::no_buffer) continue;
    const lowering::BufferId out = step->op.out.tensor;
    home[at(out)] = home[at(from)];
    lives[at(home[at(out)])].last = std::max(lives[at(home[at(out)])].last, lives[at(out)].last);
  }

  const std::size_t buffers = program.buffers.size();
  std::vector<Item> items(buffers + scratch_bytes.size());
  for (std::size_t b = 0; b < buffers; ++b) {
    const lowering::Buffer& buffer = program.buffers[b];
    const bool own = buffer.storage == lowering::Storage::scratch && buffer.view_of == lowering::no_buffer &&
                     at(home[b]) == b && lives[b].first >= 0;
    if (own) items[b] = {round_up(static_cast<std::uint64_t>(buffer.bytes())), lives[b], 0, false};
  }
  for (std::size_t k = 0; k < scratch_bytes.size(); ++k) {
    items[buffers + k] = {
        round_up(scratch_bytes[k]), {static_cast<std::int64_t>(k), static_cast<std::int64_t>(k)}, 0, false};
  }
  plan.peak_bytes = place(items);
  const std::uint64_t top = persistent.begin / alignment * alignment;
  plan.lowest = plan.peak_bytes > top ? 0 : top - plan.peak_bytes;
  const auto address = [&](const Item& item) { return top - item.offset - item.bytes; };

  plan.address.assign(buffers, 0);
  for (std::size_t b = 0; b < buffers; ++b) {
    const auto id = static_cast<lowering::BufferId>(b);
    const lowering::Buffer& root = program.at(program.root(id));
    if (root.storage == lowering::Storage::scratch) {
      plan.address[b] = address(items[at(home[at(program.root(id))])]);
    } else if (root.storage == lowering::Storage::persistent) {
      for (const lowering::PersistentTensor& tensor : persistent.tensors) {
        if (tensor.name == root.name) plan.address[b] = persistent.begin + tensor.offset;
      }
      DOJO_ENSURE(plan.address[b] != 0);
    }
  }
  for (std::size_t k = 0; k < scratch_bytes.size(); ++k) {
    plan.kernel_scratch.push_back(scratch_bytes[k] == 0 ? 0 : address(items[buffers + k]));
  }
  return plan;
}

namespace {

bool stores(const lowering::LoweredProgram& program, std::initializer_list<numerics::Format> formats) {
  return std::ranges::any_of(program.buffers, [&](const lowering::Buffer& buffer) {
    return std::ranges::find(formats, buffer.format) != formats.end();
  });
}

// What a run may ask for so that a node holds less.
struct WaysOut {
  std::string sentence;
  Settings settings = {};
};

WaysOut ways_out(const lowering::LoweredProgram& program) {
  using numerics::Format;
  const bool narrowest = stores(program, {Format::cfloat8_143, Format::cfloat8_152});
  const std::string formats = narrowest                         ? ""
                              : stores(program, {Format::bf16}) ? "the formats cfloat8"
                                                                : "the formats bf16 or cfloat8";
  if (program.samples_per_node == 1 && formats.empty())
    return {"with one frame on each node and the narrowest formats the network is too large"};
  if (program.samples_per_node == 1) return {formats + " need less", {{"formats"}}};
  if (formats.empty()) return {"fewer frames a step or more nodes need less", {{"batch", "nodes"}}};
  return {fmt::format("fewer frames a step, {} or more nodes need less", formats),
          {{"batch", "formats", "nodes"}}};
}

}  // namespace

void check_fits(const lowering::LoweredProgram& program, const MemoryPlan& plan,
                const lowering::PersistentLayout& persistent, std::uint64_t heap_start) {
  if (plan.lowest >= heap_start && plan.peak_bytes <= persistent.begin) return;
  // Over the fullest step: what lies lowest there is too much.
  std::int64_t fullest = 0;
  std::uint64_t most = 0;
  const auto alive = [&](std::size_t b, std::int64_t step) {
    const lowering::Buffer& buffer = program.buffers[b];
    const Lifetime& life = plan.lifetime[b];
    return buffer.storage == lowering::Storage::scratch && buffer.view_of == lowering::no_buffer &&
           life.first <= step && step <= life.last && life.first >= 0;
  };
  for (std::int64_t step = 0; step < static_cast<std::int64_t>(program.steps.size()); ++step) {
    std::uint64_t sum = 0;
    for (std::size_t b = 0; b < program.buffers.size(); ++b)
      sum += alive(b, step) ? static_cast<std::uint64_t>(program.buffers[b].bytes()) : 0;
    if (sum > most) most = sum, fullest = step;
  }
  std::size_t largest = 0;
  std::int64_t largest_bytes = -1;
  for (std::size_t b = 0; b < program.buffers.size(); ++b) {
    if (alive(b, fullest) && program.buffers[b].bytes() > largest_bytes)
      largest = b, largest_bytes = program.buffers[b].bytes();
  }
  const std::uint64_t room = persistent.begin > heap_start ? persistent.begin - heap_start : 0;
  const WaysOut ways = ways_out(program);
  refuse(ways.settings, program.name,
         "does not fit a node's SRAM: {} bytes of buffers where {} are free, {} over; the largest is '{}' "
         "with {} bytes; {}",
         plan.peak_bytes, room, plan.peak_bytes - std::min(plan.peak_bytes, room),
         program.buffers[largest].name, largest_bytes, ways.sentence);
}

}  // namespace dojo::codegen
