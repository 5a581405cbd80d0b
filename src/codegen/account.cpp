#include "codegen/account.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/index.h"
#include "codegen/plan_file.h"
#include "lowering/access.h"
#include "lowering/op_rates.h"

namespace dojo::codegen {
namespace {

using lowering::Buffer;
using lowering::BufferId;
using lowering::LoweredProgram;

constexpr std::array step_kinds = {"fetch",      "compute",    "fill",  "gather", "reduce-scatter",
                                   "all-reduce", "take shard", "clear", "store",  "loop",
                                   "fetch box",  "store box",  "tiles"};
static_assert(step_kinds.size() == std::variant_size_v<lowering::Step>);

constexpr double start_of_a_collective = 500;  // cycles: barriers, and the first packet's way

// What the body of a step comes to; the counts of one turn, times how often it is done.
class Sum {
public:
  Sum(const LoweredProgram& program, const machine::Machine& machine)
      : program_(program), machine_(machine) {}

  void add(const PlannedStep& planned, StepAccount& to, double times) const {
    const lowering::Step& step = *planned.step;
    if (const auto* compute = std::get_if<lowering::ComputeStep>(&step)) {
      add_compute(*compute, planned.kernel, to, times);
    } else if (const auto* loop = std::get_if<lowering::LoopStep>(&step)) {
      to.turns = loop->tiles;
      for (const PlannedStep& inner : planned.body) add(inner, to, times * static_cast<double>(loop->tiles));
    } else if (const auto* tiles = std::get_if<lowering::TilesStep>(&step)) {
      add_tiles(*tiles, planned, to, times);
    } else if (const auto* fetch = std::get_if<lowering::FetchBoxStep>(&step)) {
      const bool far = lowering::in_hbm(program_.at(fetch->from).storage);
      add_box(program_.at(fetch->buffer), program_.at(fetch->from), far, to, times);
    } else if (const auto* store = std::get_if<lowering::StoreBoxStep>(&step)) {
      add_box(program_.at(store->buffer), program_.at(store->to), true, to, times);
    } else {
      add_move(step, to, times);
    }
  }

private:
  std::int64_t element(const graph::Access& access) const {
    return numerics::storage_bytes(program_.at(access.tensor).format);
  }

  void add_compute(const lowering::ComputeStep& step, const KernelPlan& kernel, StepAccount& to,
                   double times) const {
    const graph::StructuredOp& op = step.op;
    std::vector<std::int64_t> size;
    for (std::size_t a = 0; a < op.box.size(); ++a) {
      const bool tiled = static_cast<int>(a) == step.tile_axis;
      size.push_back(tiled ? step.tile_rows : op.box[a].extent);
    }
    const bool narrow = lowering::is_contraction(op) && element(op.in[0]) < 4 && element(op.in[1]) < 4;
    to.compute_cycles += times * lowering::compute_cycles(op, size, narrow);
    to.multiply_adds += static_cast<std::uint64_t>(times * static_cast<double>(kernel.multiply_adds));
    const bool main = to.box.empty() || kernel.multiply_adds > 0;
    if (!main) return;
    to.box.clear();
    for (std::size_t a = 0; a < op.box.size(); ++a) to.box.emplace_back(op.box[a].name, size[a]);
    to.kind = kind_of(kernel);
    to.origin = op.origin;
  }

  void add_tiles(const lowering::TilesStep& tiles, const PlannedStep& planned, StepAccount& to,
                 double times) const {
    const auto count = static_cast<double>(tiles.tiles());
    if (!tiles.shared) {
      to.turns *= tiles.tiles();
      for (const lowering::TilesStep::Cut& cut : tiles.cuts) to.cuts.emplace_back(cut.axis, cut.count);
      for (const PlannedStep& inner : planned.body) add(inner, to, times * count);
      return;
    }
    to.sharing = Sharing::tiles;
    to.tiles = tiles.tiles();
    for (const lowering::TilesStep::Cut& cut : tiles.cuts) to.cuts.emplace_back(cut.axis, cut.count);
    const double rounds = std::ceil(count / program_.mesh.nodes());
    for (const PlannedStep& inner : planned.body) add(inner, to, times * rounds);
  }

  // Bytes of HBM that a node gets a cycle when so many are at it.
  double hbm_rate(double active) const {
    return std::min(lowering::port_bytes_per_cycle, lowering::hbm_bytes_per_cycle(machine_) / active);
  }

  void add_box(const Buffer& tile, const Buffer& whole, bool far, StepAccount& to, double times) const {
    const auto bytes = static_cast<double>(tile.elements() * numerics::storage_bytes(tile.format));
    double rows = 1;
    bool inside = true;  // what lies next to each other in the whole tensor
    const std::size_t beside = tile.shape.size() - whole.shape.size();  // parts have a dimension more
    for (std::size_t d = whole.shape.size(); d-- > 0;) {
      const std::int64_t extent = tile.shape[d + beside];
      if (!inside) rows *= static_cast<double>(extent);
      inside = inside && extent == whole.shape[d];
    }
    const double active = std::min<double>(static_cast<double>(to.tiles), program_.mesh.nodes());
    const double rate = far ? hbm_rate(active) : lowering::port_bytes_per_cycle;
    to.transfer_cycles += times * (bytes / rate + lowering::row_of_a_box * rows);
    if (!far) return;
    to.transfer_cycles += times * lowering::start_of_a_box / 2;
    to.hbm_bytes += static_cast<std::uint64_t>(times * bytes);
  }

  void add_move(const lowering::Step& step, StepAccount& to, double times) const {
    const auto bytes = static_cast<double>(bytes_moved(program_, step));
    const bool records = std::holds_alternative<lowering::FetchStep>(step) ||
                         std::holds_alternative<lowering::StoreStep>(step);
    if (records) {
      to.hbm_bytes += static_cast<std::uint64_t>(times * bytes);
      to.transfer_cycles += times * (bytes / hbm_rate(program_.mesh.nodes()) +
                                     machine_.interface.hbm_latency_ns * machine_.node.clock_ghz);
    } else if (bytes > 0) {
      to.network_bytes += static_cast<std::uint64_t>(times * bytes);
      to.transfer_cycles +=
          times * (bytes / static_cast<double>(machine_.mesh.network_port_bytes) + start_of_a_collective);
    } else {  // within a node's SRAM
      std::int64_t touched = 0;
      for (const BufferId id : lowering::touched(program_, step)) touched += program_.at(id).bytes();
      to.compute_cycles += times * static_cast<double>(touched) / lowering::port_bytes_per_cycle;
    }
  }

  const LoweredProgram& program_;
  const machine::Machine& machine_;
};

// Which buffers are shards: what is persistent, what collectives scatter into, and what is computed from
// these alone, element by element.
class Shards {
public:
  explicit Shards(const LoweredProgram& program) : program_(program) {}

  bool contains(BufferId id) const {
    return program_.at(program_.root(id)).storage == lowering::Storage::persistent ||
           found_.contains(program_.root(id));
  }

  void note(const lowering::Step& step) {
    if (const auto* scatter = std::get_if<lowering::ReduceScatterStep>(&step)) {
      for (const auto& member : scatter->members) found_.insert(program_.root(member.shard));
    } else if (const auto* take = std::get_if<lowering::TakeShardStep>(&step)) {
      found_.insert(program_.root(take->shard));
    } else if (const auto* loop = std::get_if<lowering::LoopStep>(&step)) {
      for (const lowering::Step& inner : loop->body) note(inner);
    } else if (const auto* compute = std::get_if<lowering::ComputeStep>(&step)) {
      if (works_on_them(*compute) && compute->op.reduction == graph::Reduction::none)
        found_.insert(program_.root(compute->op.out.tensor));
    }
  }

  bool works_on_them(const lowering::ComputeStep& step) const {
    if (step.batch_axis >= 0) return false;
    if (contains(step.op.out.tensor)) return true;
    return std::ranges::any_of(step.op.in,
                               [&](const graph::Access& access) { return contains(access.tensor); });
  }

private:
  const LoweredProgram& program_;
  std::set<BufferId> found_;
};

class Accounting {
public:
  Accounting(const PlannedProgram& planned, const machine::Machine& machine)
      : planned_(planned), program_(*planned.lowered), sum_(program_, machine), shards_(program_) {}

  std::vector<StepAccount> run() {
    std::vector<StepAccount> accounts;
    for (std::size_t k = 0; k < planned_.steps.size(); ++k) {
      accounts.push_back(account(planned_.steps[k], static_cast<std::int64_t>(k)));
      shards_.note(*planned_.steps[k].step);
    }
    return accounts;
  }

private:
  StepAccount account(const PlannedStep& planned, std::int64_t when) const {
    const lowering::Step& step = *planned.step;
    StepAccount made;
    made.id = planned.id;
    made.kind = step_kinds[step.index()];
    sum_.add(planned, made, 1);
    made.sharing = made.sharing == Sharing::tiles ? Sharing::tiles : sharing_of(step);
    const std::vector<BufferId> used = lowering::touched(program_, step);
    for (const BufferId id : used) made.sram_bytes += in_sram(program_.at(id));
    made.sram_bytes += scratch_bytes(planned);
    for (std::size_t b = 0; b < program_.buffers.size(); ++b) {
      const Lifetime& life = planned_.memory.lifetime[b];
      if (program_.buffers[b].storage == lowering::Storage::scratch && life.first >= 0 &&
          life.first <= when && when <= life.last)
        made.alive_bytes += in_sram(program_.buffers[b]);
    }
    made.alive_bytes += scratch_bytes(planned);
    tell_tensors(step, used, made);
    return made;
  }

  static std::uint64_t in_sram(const Buffer& buffer) {
    const bool counts =
        (buffer.storage == lowering::Storage::scratch || buffer.storage == lowering::Storage::persistent) &&
        buffer.view_of == lowering::no_buffer;
    return counts ? static_cast<std::uint64_t>(buffer.bytes()) : 0;
  }

  Sharing sharing_of(const lowering::Step& step) const {
    if (std::holds_alternative<lowering::FetchStep>(step) ||
        std::holds_alternative<lowering::StoreStep>(step))
      return Sharing::records;
    if (std::holds_alternative<lowering::LoopStep>(step)) return Sharing::rows;
    if (const auto* compute = std::get_if<lowering::ComputeStep>(&step)) {
      if (compute->batch_axis >= 0) {
        const auto batch = static_cast<std::size_t>(compute->batch_axis);
        return lowering::reaches(compute->op.out, batch) ? Sharing::samples : Sharing::partial_sum;
      }
      return shards_.works_on_them(*compute) ? Sharing::shards : Sharing::alike;
    }
    if (std::holds_alternative<lowering::ClearPaddingStep>(step) ||
        std::holds_alternative<lowering::TakeShardStep>(step))
      return Sharing::shards;
    return std::holds_alternative<lowering::FillStep>(step) ? Sharing::alike : Sharing::collective;
  }

  void tell(BufferId id, StepAccount& to) const {
    const Buffer& buffer = program_.at(id);
    const std::string format(numerics::name(buffer.format));
    to.tensors.push_back(fmt::format("{} {} [{}]", buffer.name, format, fmt::join(buffer.shape, ", ")));
    if (std::ranges::find(to.formats, format) == to.formats.end()) to.formats.push_back(format);
  }

  // The op's name is that of what it makes.
  void tell_tensors(const lowering::Step& step, const std::vector<BufferId>& used, StepAccount& to) const {
    if (const auto* compute = std::get_if<lowering::ComputeStep>(&step)) {
      to.name = compute->op.name;
      for (const BufferId id : graph::inputs_of(compute->op)) tell(id, to);
      return tell(compute->op.out.tensor, to);
    }
    if (const auto* tiles = std::get_if<lowering::TilesStep>(&step)) to.name = tiles->name;
    if (const auto* loop = std::get_if<lowering::LoopStep>(&step)) to.name = loop->name;
    for (const BufferId id : used) {
      const bool of_tiles = to.sharing == Sharing::tiles;
      if (!of_tiles || lowering::in_hbm(program_.at(id).storage)) tell(id, to);
    }
    if (to.name.empty()) to.name = collective_name(step);
  }

  std::string collective_name(const lowering::Step& step) const {
    std::vector<BufferId> members;
    if (const auto* gather = std::get_if<lowering::GatherStep>(&step))
      for (const auto& member : gather->members) members.push_back(member.full);
    if (const auto* scatter = std::get_if<lowering::ReduceScatterStep>(&step))
      for (const auto& member : scatter->members) members.push_back(member.partial);
    if (const auto* reduce = std::get_if<lowering::AllReduceStep>(&step))
      for (const auto& member : reduce->members) members.push_back(member.buffer);
    if (const auto* fill = std::get_if<lowering::FillStep>(&step)) members = {fill->buffer};
    if (const auto* take = std::get_if<lowering::TakeShardStep>(&step)) members = {take->shard};
    if (const auto* clear = std::get_if<lowering::ClearPaddingStep>(&step)) members = {clear->shard};
    if (members.empty()) return "";
    const std::string& first = program_.at(members.front()).name;
    return members.size() == 1 ? first : fmt::format("{} and {} more", first, members.size() - 1);
  }

  const PlannedProgram& planned_;
  const LoweredProgram& program_;
  Sum sum_;
  Shards shards_;
};

}  // namespace

std::vector<StepAccount> account_of(const PlannedProgram& planned, const machine::Machine& machine) {
  return Accounting(planned, machine).run();
}

}  // namespace dojo::codegen
