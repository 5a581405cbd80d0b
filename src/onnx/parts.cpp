// Operators that join tensors, cut them up, pick elements and put borders around them.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "onnx/node.h"

namespace dojo::onnx {
namespace {

constexpr std::int64_t most_pad = 1 << 20;  // elements at one end of a dimension

void concat(NodeImport& node) {
  std::vector<graph::TensorId> parts;
  for (std::size_t i = 0; i < node.operands(); ++i)
    if (node.known(i) == nullptr || node.known(i)->count() > 0) parts.push_back(node.tensor(i));
  if (parts.empty()) node.fail("nothing that has elements", Refusal::unsupported);
  const std::int64_t axis = node.integer("axis", 1);
  node.result(0, node.build().concat(parts, axis));
}

// A part of operand 0 that is cut to nothing along an axis.
Known without_elements(NodeImport& node, std::size_t axis) {
  Known part;
  part.dims = node.shape(0), part.dims[axis] = 0;
  part.is_integer = !is_floating(node.type_of(0)), part.type = node.type_of(0);
  return part;
}

void split(NodeImport& node) {
  const std::size_t axis = node.dimension(node.integer("axis", 0), node.shape(0).size());
  const std::int64_t extent = node.shape(0)[axis];
  const auto parts = node.integer("num_outputs", static_cast<std::int64_t>(node.node().outputs.size()));
  std::vector<std::int64_t> sizes;
  if (node.opset() < 13) sizes = node.integers("split");
  if (node.opset() >= 13 && node.has(1)) sizes = node.operand_integers(1);
  if (sizes.empty()) {
    if (parts < 1 || parts > extent) node.fail(fmt::format("{} parts of {} elements", parts, extent));
    const std::int64_t size = (extent + parts - 1) / parts;
    for (std::int64_t left = extent; left > 0; left -= size) sizes.push_back(std::min(size, left));
  }
  if (sizes.size() != node.node().outputs.size())
    node.fail(fmt::format("{} parts for {} results", sizes.size(), node.node().outputs.size()));
  for (const std::int64_t size : sizes)
    if (size < 0) node.fail(fmt::format("a part of {} elements", size));
  for (std::size_t i = 0; i < sizes.size(); ++i)
    if (sizes[i] == 0) node.result(i, without_elements(node, axis));
  std::vector<std::int64_t> some;
  std::ranges::copy_if(sizes, std::back_inserter(some), [](std::int64_t size) { return size > 0; });
  node.keep_view(1);
  const std::vector<graph::TensorId> made =
      node.build().split(node.tensor(0), node.axis_in_tensor(static_cast<std::int64_t>(axis)), some);
  for (std::size_t i = 0, next = 0; i < sizes.size(); ++i)
    if (sizes[i] > 0) node.result(i, made[next++]);
}

struct Slices {
  std::vector<std::int64_t> starts, ends, axes, steps;
};

Slices slices_of(NodeImport& node) {
  Slices s;
  const bool by_attribute = node.opset() < 10;
  s.starts = by_attribute ? node.integers("starts") : node.operand_integers(1);
  s.ends = by_attribute ? node.integers("ends") : node.operand_integers(2);
  s.axes.resize(s.starts.size());
  std::iota(s.axes.begin(), s.axes.end(), 0);
  if (by_attribute) s.axes = node.integers("axes", s.axes);
  if (!by_attribute && node.has(3)) s.axes = node.operand_integers(3);
  s.steps.assign(s.starts.size(), 1);
  if (!by_attribute && node.has(4)) s.steps = node.operand_integers(4);
  if (s.ends.size() != s.starts.size() || s.axes.size() != s.starts.size() ||
      s.steps.size() != s.starts.size())
    node.fail("starts, ends, axes and steps differ in length");
  for (const std::int64_t step : s.steps)
    if (step == 0) node.fail("a step of 0");
  return s;
}

void slice(NodeImport& node) {
  const Slices s = slices_of(node);
  node.keep_view(1);
  graph::TensorId result = node.tensor(0);
  // Beyond any extent: the same meaning as the largest integers, without their overflow.
  static constexpr std::int64_t far = std::int64_t{1} << 40;
  const auto held = [](std::int64_t v) { return std::clamp(v, -far, far); };
  for (std::size_t i = 0; i < s.starts.size(); ++i)
    result = node.build().slice(result, node.axis_in_tensor(s.axes[i]), held(s.starts[i]), held(s.ends[i]),
                                held(s.steps[i]));
  node.result(0, result);
}

// A matrix whose row r picks element indices[r] of `extent`.
std::vector<float> picking(const std::vector<std::int64_t>& indices, std::int64_t extent) {
  std::vector<float> matrix(indices.size() * static_cast<std::size_t>(extent), 0.0f);
  for (std::size_t r = 0; r < indices.size(); ++r)
    matrix[r * static_cast<std::size_t>(extent) + static_cast<std::size_t>(indices[r])] = 1;
  return matrix;
}

std::vector<std::int64_t> known_indices(NodeImport& node, std::int64_t extent) {
  const Known* indices = node.known(1);
  if (!indices->is_integer) node.fail("indices that are no whole numbers");
  std::vector<std::int64_t> rows = indices->integers;
  if (rows.empty()) node.fail("no indices", Refusal::unsupported);
  for (std::int64_t& index : rows) {
    if (index < -extent || index >= extent) node.fail(fmt::format("index {} of {} elements", index, extent));
    if (index < 0) index += extent;
  }
  return rows;
}

// One known index is a slice, several are a product with a matrix of zeros and ones.
void gather(NodeImport& node) {
  graph::Shape target = node.shape(0);
  const auto axis = static_cast<std::int64_t>(node.dimension(node.integer("axis", 0), target.size()));
  const std::int64_t extent = target[static_cast<std::size_t>(axis)];
  if (node.known(1) == nullptr) {
    const graph::TensorId places = node.build().from_start(node.numbers(1), extent);
    return node.result(0, node.build().gather(node.tensor(0), places, axis));
  }
  const std::vector<std::int64_t> rows = known_indices(node, extent);
  const graph::Shape dims = node.known(1)->dims;
  View view = node.view_of(0);
  if (node.has_batch(0) && axis == static_cast<std::int64_t>(view.dimension))
    node.fail("samples of the batch one by one", Refusal::unsupported);
  graph::Builder& b = node.build();
  const graph::TensorId x = node.as_it_lies(0);
  const std::int64_t along = node.axis_in_tensor(axis);
  const graph::TensorId picked =
      rows.size() == 1 ? b.slice(x, along, rows[0], rows[0] + 1) : b.mix(x, along, picking(rows, extent));
  if (dims.size() == 1) return node.result(0, picked, view);
  target.erase(target.begin() + axis);
  target.insert(target.begin() + axis, dims.begin(), dims.end());
  if (!node.has_batch(0)) return node.result(0, b.reshape(picked, target));
  if (axis < static_cast<std::int64_t>(view.dimension)) view.dimension += dims.size() - 1;
  node.result(0, b.reshape(picked, tensor_shape(view, target, node.batch())), view);
}

// The matrix of a pad that repeats elements: the nearest (edge), the mirrored (reflect), the next round
// (wrap). A negative pad cuts.
std::vector<float> repeating(NodeImport& node, const std::string& mode, std::int64_t extent,
                             std::int64_t begin, std::int64_t end) {
  if (mode != "edge" && mode != "reflect" && mode != "wrap") node.fail(fmt::format("mode = '{}'", mode));
  if (extent + begin + end < 1) node.fail("pads that leave nothing");
  std::vector<std::int64_t> sources;
  for (std::int64_t i = -begin; i < extent + end; ++i) {
    std::int64_t from = std::clamp<std::int64_t>(i, 0, extent - 1);
    if (mode == "wrap") from = ((i % extent) + extent) % extent;
    if (mode == "reflect" && extent > 1) {
      const std::int64_t period = 2 * (extent - 1), place = ((i % period) + period) % period;
      from = std::min(place, period - place);
    }
    sources.push_back(from);
  }
  return picking(sources, extent);
}

void pad(NodeImport& node) {
  const std::string mode = node.text("mode", "constant");
  const bool by_attribute = node.opset() < 11;
  const std::vector<std::int64_t> pads = by_attribute ? node.integers("pads") : node.operand_integers(1);
  const float value = by_attribute ? node.single("value", 0) : node.operand_number(2, 0);
  const std::size_t rank = node.shape(0).size();
  std::vector<std::int64_t> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (node.has(3)) axes = node.operand_integers(3);
  if (pads.size() != 2 * axes.size())
    node.fail(fmt::format("{} pads for {} dimensions", pads.size(), axes.size()));
  graph::Shape begin(rank, 0), end(rank, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = node.dimension(axes[i], rank);
    begin[axis] = pads[i];
    end[axis] = pads[i + axes.size()];
    for (const std::int64_t pad : {begin[axis], end[axis]})
      if (pad > most_pad || pad < -most_pad)
        node.fail(fmt::format("a pad of {}, beyond {}", pad, most_pad), Refusal::unsupported);
  }
  const std::optional<Bounds> bounds = node.bounds_of(0);
  const auto finish = [&](graph::TensorId padded, const Bounds& more) {
    if (!bounds) return node.result(0, padded);
    node.whole_result(0, padded, node.type_of(0), both(*bounds, more));
  };
  if (mode == "constant") {
    const auto whole = static_cast<std::int64_t>(bounds ? value : 0);
    return finish(node.build().pad(node.tensor(0), begin, end, value), {whole, whole});
  }
  graph::TensorId result = node.tensor(0);
  for (std::size_t d = 0; d < rank; ++d)
    if (begin[d] != 0 || end[d] != 0)
      result = node.build().mix(result, static_cast<std::int64_t>(d),
                                repeating(node, mode, node.shape(0)[d], begin[d], end[d]));
  finish(result, bounds.value_or(Bounds{}));
}

// clang-format off
constexpr OpRow parts_table[] = {
    {"Concat", concat},
    {"Gather", gather},
    {"Pad",    pad},
    {"Slice",  slice},
    {"Split",  split},
};
// clang-format on

}  // namespace

std::span<const OpRow> part_rows() { return parts_table; }

}  // namespace dojo::onnx
