#include "lowering/lower_boxes.h"

#include <algorithm>
#include <set>
#include <span>

#include "base/error.h"
#include "base/index.h"
#include "base/sha256.h"
#include "graph/expression.h"
#include "lowering/access.h"
#include "lowering/tile_steps.h"

namespace dojo::lowering {

using graph::Access;
using graph::AffineIndex;
using graph::Graph;
using graph::Role;
using graph::StructuredOp;
using graph::Tensor;
using graph::TensorId;
using numerics::Format;

namespace {

// Constants lie in the program, which every node holds; larger ones in HBM, with the parameters.
constexpr std::int64_t most_constant_elements = 1024;
constexpr std::int64_t most_staging_elements = 8192;

class BoxLowering {
public:
  BoxLowering(const Graph& source, const TileLimits& limits) : graph_(source), limits_(limits) {
    program_.name = graph_.name;
    program_.mesh = logical_mesh(limits.nodes);
    buffer_of_.assign(graph_.tensors.size(), no_buffer);
  }

  Lowered run() {
    find_batch();
    for (TensorId id = 0; id < static_cast<TensorId>(graph_.tensors.size()); ++id) prepare(id);
    find_values_in_place();
    fetch();
    for (const StructuredOp& op : graph_.ops)
      if (!becomes_view(op)) lower_op(op);
    finish_updates();
    store_outputs();
    return {std::move(program_), std::move(scalars_)};
  }

private:
  // --- Tensors and buffers ---
  BufferId add_buffer(std::string name, Shape shape, Format format, Storage storage,
                      std::vector<float> data = {}) {
    Buffer buffer{std::move(name), std::move(shape), format, storage, 0, no_buffer, std::move(data)};
    buffer.capacity = buffer.elements();
    program_.buffers.push_back(std::move(buffer));
    return static_cast<BufferId>(program_.buffers.size() - 1);
  }
  BufferId scratch(std::string name, Shape shape, Format format) {
    return add_buffer(std::move(name), std::move(shape), format, Storage::scratch);
  }

  void find_batch() {
    for (const Tensor& tensor : graph_.tensors) {
      if (!tensor.has_batch) continue;
      if (program_.batch != 1 && tensor.shape[0] != program_.batch)
        refuse(tensor.name, "has a batch of {} where others have {}", tensor.shape[0], program_.batch);
      program_.batch = tensor.shape[0];
    }
    program_.samples_per_node = (program_.batch + limits_.nodes - 1) / limits_.nodes;
  }

  void prepare(TensorId id) {
    const Tensor& tensor = graph_.at(id);
    if (tensor.role == Role::parameter || tensor.role == Role::state) {
      buffer_of_[at(id)] = add_buffer(tensor.name, tensor.shape, Format::fp32, Storage::resident);
      program_.shards[tensor.name] = interleaved(graph::element_count(tensor.shape), 1);
    } else if (tensor.role == Role::constant) {
      buffer_of_[at(id)] =
          graph::element_count(tensor.shape) > most_constant_elements
              ? large_constant(tensor)
              : add_buffer(tensor.name, tensor.shape, tensor.format, Storage::constant, tensor.data);
    } else if (tensor.role == Role::scalar) {
      buffer_of_[at(id)] = scratch(tensor.name, {}, Format::fp32);
    } else if (tensor.role != Role::value) {
      buffer_of_[at(id)] = add_buffer(tensor.name, tensor.shape, tensor.format, Storage::home);
    }
  }

  // Equal ones are one. In FP32 as all that the host brings, though with the values of its format.
  BufferId large_constant(const Tensor& tensor) {
    std::vector<float> data = tensor.data;
    for (float& value : data) value = numerics::round_to(tensor.format, value);
    Sha256 hash;
    hash.add(std::as_bytes(std::span(tensor.shape)));
    hash.add(std::as_bytes(std::span(data)));
    const std::string name = "constant." + hash.hex();
    if (const BufferId same = program_.find(name); same != no_buffer) return same;
    program_.shards[name] = interleaved(graph::element_count(tensor.shape), 1);
    return add_buffer(name, tensor.shape, Format::fp32, Storage::resident, std::move(data));
  }

  void fetch() {
    FetchStep step;
    std::int64_t most = 1;
    for (TensorId id = 0; id < static_cast<TensorId>(graph_.tensors.size()); ++id) {
      const Tensor& tensor = graph_.at(id);
      if (tensor.role == Role::scalar) {
        step.scalars.push_back(buffer_of_[at(id)]);
        scalars_.push_back(tensor.name);
      }
      if (tensor.role != Role::input && tensor.role != Role::label) continue;
      step.fields.push_back({buffer_of_[at(id)], tensor.name});
      most = std::max(most, graph::element_count(tensor.shape) / program_.batch);
    }
    step.staging = scratch("staging", {std::min(most, most_staging_elements)}, Format::fp32);
    program_.steps.emplace_back(std::move(step));
  }

  // A new value may take its parameter's home if it is made element by element and nothing reads the old one
  // afterwards.
  void find_values_in_place() {
    std::map<TensorId, std::size_t> last_read, made;
    for (std::size_t k = 0; k < graph_.ops.size(); ++k) {
      for (const TensorId id : graph::inputs_of(graph_.ops[k])) last_read[id] = k;
      made[graph_.ops[k].out.tensor] = k;
    }
    for (const auto& [target, value] : graph_.update) {
      const auto found = made.find(value);
      const bool shown =
          std::ranges::count(graph_.outputs, value) + std::ranges::count(graph_.outputs, target) > 0;
      if (found == made.end() || shown || graph_.at(value).format != Format::fp32 ||
          graph_.at(value).shape != graph_.at(target).shape || buffer_of_[at(value)] != no_buffer)
        continue;
      const StructuredOp& op = graph_.ops[found->second];
      const auto read = last_read.find(target);
      if (read != last_read.end() && read->second > found->second) continue;
      if (!elementwise(op, graph_.tensors) || !op.extra.empty()) continue;
      buffer_of_[at(value)] = buffer_of_[at(target)];
      in_place_.insert(target);
    }
  }

  void finish_updates() {
    // All are read before one is written.
    std::vector<std::pair<TensorId, BufferId>> copies;
    for (const auto& [target, value] : graph_.update) {
      if (in_place_.contains(target) || value == target) continue;
      TensorId from = value;
      if (graph_.update.contains(value)) from = copy_of(value, graph_.at(target).name + ".new");
      copies.emplace_back(from, buffer_of_[at(target)]);
    }
    for (const auto& [from, to] : copies) {
      Tensor target = graph_.at(from);
      target.name = program_.at(to).name + ".update";
      target.format = Format::fp32;
      const TensorId id = add_tensor(std::move(target));
      buffer_of_[at(id)] = to;
      lower_op(copy_op(from, id));
    }
  }

  void store_outputs() {
    StoreStep step;
    for (const TensorId id : graph_.outputs) {
      const Tensor tensor = graph_.at(id);  // a copy, for tensors are added
      const bool own = tensor.role == Role::value && program_.at(buffer_of_[at(id)]).view_of == no_buffer &&
                       program_.at(buffer_of_[at(id)]).storage == Storage::home &&
                       tensor.format == Format::fp32;
      const TensorId shown = own ? id : copy_of(id, tensor.name + ".result");
      step.fields.push_back({buffer_of_[at(shown)], tensor.name, tensor.has_batch});
    }
    program_.steps.emplace_back(std::move(step));
  }

  TensorId add_tensor(Tensor tensor) {
    tensor.role = Role::value;
    tensor.data.clear();
    tensor.name = fresh_name(tensor.name);
    buffer_of_.push_back(no_buffer);
    return graph_.add(std::move(tensor));
  }
  std::string fresh_name(const std::string& wish) const {
    std::string name = wish;
    for (int n = 2; graph_.find(name) != graph::no_tensor; ++n) name = fmt::format("{}.{}", wish, n);
    return name;
  }

  StructuredOp copy_op(TensorId from, TensorId to) const {
    StructuredOp op;
    op.name = graph_.at(to).name;
    op.origin = "lowering";
    const Shape& shape = graph_.at(from).shape;
    const Access access = elements_of(shape, op, shape.size());
    op.in = {access};
    op.in[0].tensor = from;
    op.out = access;
    op.out.tensor = to;
    op.body = graph::copy_of_input();
    return op;
  }

  TensorId copy_of(TensorId id, const std::string& name) {
    Tensor copy = graph_.at(id);
    copy.name = name;
    copy.format = Format::fp32;
    const TensorId made = add_tensor(std::move(copy));
    lower_op(copy_op(id, made));
    return made;
  }

  BufferId home_of(TensorId id) {
    BufferId& buffer = buffer_of_[at(id)];
    const Tensor& tensor = graph_.at(id);
    if (buffer == no_buffer) buffer = add_buffer(tensor.name, tensor.shape, tensor.format, Storage::home);
    return buffer;
  }

  // A flat copy that keeps every element's position is the same home under another shape.
  bool becomes_view(const StructuredOp& op) {
    if (!is_copy(op)) return false;
    const Tensor &from = graph_.at(op.in[0].tensor), &to = graph_.at(op.out.tensor);
    const BufferId source = buffer_of_[at(op.in[0].tensor)];
    if (source == no_buffer || program_.at(program_.root(source)).storage != Storage::home ||
        buffer_of_[at(op.out.tensor)] != no_buffer || from.format != to.format ||
        from.has_batch != to.has_batch || graph::element_count(from.shape) != graph::element_count(to.shape))
      return false;
    if (may_leave(op.in[0], op.box, from.shape) || !covers(op, to.shape)) return false;
    const AffineIndex read = linear(op.in[0], op.box.size(), from.shape),
                      written = linear(op.out, op.box.size(), to.shape);
    if (read.offset != written.offset) return false;
    for (std::size_t a = 0; a < op.box.size(); ++a)
      if (op.box[a].extent > 1 && read.coefficients[a] != written.coefficients[a]) return false;
    Buffer view{to.name, to.shape, to.format, Storage::home, 0, program_.root(source), {}};
    view.capacity = view.elements();
    program_.buffers.push_back(std::move(view));
    buffer_of_[at(op.out.tensor)] = static_cast<BufferId>(program_.buffers.size() - 1);
    return true;
  }

  void lower_op(const StructuredOp& op) {
    const TilePlan plan = plan_tiles(op, graph_.tensors, limits_);
    const HomeOf home = [&](TensorId id) { return home_of(id); };
    if (plan.parted < 0) return add_tiles(program_, graph_.tensors, home, op, plan, op.out.tensor);
    Tensor partial = graph_.at(op.out.tensor);
    partial.name += ".parts";
    partial.has_batch = false;
    partial.format = Format::fp32;
    partial.shape.insert(partial.shape.begin(), plan.parts(op));
    const TensorId parts = add_tensor(std::move(partial));
    StructuredOp sums = op;
    sums.extra.clear();
    sums.epilogue = {};
    add_tiles(program_, graph_.tensors, home, sums, plan, parts);
    lower_op(sum_of_parts(op, graph_.tensors, parts));
  }

  Graph graph_;
  TileLimits limits_;
  LoweredProgram program_;
  std::vector<BufferId> buffer_of_;  // by tensor
  std::set<TensorId> in_place_;
  std::vector<std::string> scalars_;
};

}  // namespace

Lowered lower_in_boxes(const Graph& graph, const TileLimits& limits) {
  return BoxLowering(graph, limits).run();
}

}  // namespace dojo::lowering
