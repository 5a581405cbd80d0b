// Operators that move elements without computing: shapes, slices, joins.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "graph/onnx_node.h"

namespace dojo::graph::onnx {
namespace {

// A target shape written for the file's batch, made one for the training batch.
Shape with_training_batch(NodeImport& node, Shape target) {
  const Shape source = node.shape(0);
  if (!node.has_batch(0) || target.empty() || source.empty()) return target;
  const std::int64_t batch = source[0];
  if (target[0] == -1) {
    // A leading -1 stands for the batch if the other dimensions hold exactly one sample.
    std::int64_t sample = 1, wanted = 1;
    for (std::size_t d = 1; d < source.size(); ++d) sample *= source[d];
    for (std::size_t d = 1; d < target.size(); ++d)
      wanted *= target[d] == 0 && d < source.size() ? source[d] : target[d];
    if (sample == wanted) target[0] = batch;
  } else if (node.file_batch() && target[0] == *node.file_batch()) {
    target[0] = batch;
  }
  return target;
}

void reshape(NodeImport& node) {
  const bool zero_is_zero = node.integer("allowzero", 0) != 0;
  Shape target = node.opset() < 5 ? node.integers("shape") : node.operand_integers(1);
  if (zero_is_zero && std::ranges::count(target, 0) > 0)
    node.fail("a tensor without elements", Refusal::unsupported);
  for (const std::int64_t extent : target)
    if (extent < -1) node.fail(fmt::format("an extent of {}", extent));
  target = with_training_batch(node, std::move(target));
  node.result(0, node.build().reshape(node.tensor(0), target));
}

void flatten(NodeImport& node) {
  const std::int64_t axis = node.integer("axis", 1);
  node.result(0, node.build().flatten(node.tensor(0), axis));
}

void transpose(NodeImport& node) {
  std::vector<std::int64_t> reversed(node.shape(0).size());
  for (std::size_t d = 0; d < reversed.size(); ++d)
    reversed[d] = static_cast<std::int64_t>(reversed.size() - 1 - d);
  const std::vector<std::int64_t> permutation = node.integers("perm", reversed);
  node.result(0, node.build().transpose(node.tensor(0), permutation));
}

void squeeze(NodeImport& node) {
  const std::vector<std::int64_t> axes = node.axes(1, 13);
  node.result(0, node.build().squeeze(node.tensor(0), axes));
}

void unsqueeze(NodeImport& node) {
  const std::vector<std::int64_t> axes = node.axes(1, 13);
  node.result(0, node.build().unsqueeze(node.tensor(0), axes));
}

void expand(NodeImport& node) {
  const Shape target = node.operand_integers(1);
  for (const std::int64_t extent : target)
    if (extent < 1) node.fail(fmt::format("an extent of {}", extent), Refusal::unsupported);
  node.result(0, node.build().expand(node.tensor(0), with_training_batch(node, target)));
}

void concat(NodeImport& node) {
  std::vector<TensorId> parts;
  for (std::size_t i = 0; i < node.operands(); ++i) parts.push_back(node.tensor(i));
  const std::int64_t axis = node.integer("axis", 1);
  node.result(0, node.build().concat(parts, axis));
}

std::int64_t checked_axis(NodeImport& node, std::int64_t axis) {
  const auto rank = static_cast<std::int64_t>(node.shape(0).size());
  const std::int64_t positive = axis < 0 ? axis + rank : axis;
  if (positive < 0 || positive >= rank) node.fail(fmt::format("axis {} of {} dimensions", axis, rank));
  return positive;
}

void split(NodeImport& node) {
  const std::int64_t axis = checked_axis(node, node.integer("axis", 0));
  const std::int64_t extent = node.shape(0)[static_cast<std::size_t>(axis)];
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
    if (size < 1) node.fail(fmt::format("a part of {} elements", size), Refusal::unsupported);
  const std::vector<TensorId> made = node.build().split(node.tensor(0), axis, sizes);
  for (std::size_t i = 0; i < made.size(); ++i) node.result(i, made[i]);
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
  TensorId result = node.tensor(0);
  // Beyond any extent: the same meaning as the largest integers, without their overflow.
  static constexpr std::int64_t far = std::int64_t{1} << 40;
  const auto held = [](std::int64_t v) { return std::clamp(v, -far, far); };
  for (std::size_t i = 0; i < s.starts.size(); ++i)
    result = node.build().slice(result, checked_axis(node, s.axes[i]), held(s.starts[i]), held(s.ends[i]),
                                held(s.steps[i]));
  node.result(0, result);
}

// Of tensors only with one known index: a slice without its dimension.
void gather(NodeImport& node) {
  const std::int64_t axis = checked_axis(node, node.integer("axis", 0));
  const Known* indices = node.known(1);
  if (indices == nullptr || !indices->is_integer || indices->count() != 1 || indices->dims.size() > 1)
    node.fail("indices other than one known number", Refusal::not_yet);
  const std::int64_t extent = node.shape(0)[static_cast<std::size_t>(axis)];
  std::int64_t index = indices->integers[0];
  if (index < 0) index += extent;
  if (index < 0 || index >= extent)
    node.fail(fmt::format("index {} of {} elements", indices->integers[0], extent));
  TensorId result = node.build().slice(node.tensor(0), axis, index, index + 1);
  if (indices->dims.empty()) result = node.build().squeeze(result, {axis});
  node.result(0, result);
}

void pad(NodeImport& node) {
  const std::string mode = node.text("mode", "constant");
  if (mode != "constant") node.fail(fmt::format("mode = '{}'", mode), Refusal::not_yet);
  const bool by_attribute = node.opset() < 11;
  const std::vector<std::int64_t> pads = by_attribute ? node.integers("pads") : node.operand_integers(1);
  const float value = by_attribute ? node.single("value", 0) : node.operand_number(2, 0);
  const std::size_t rank = node.shape(0).size();
  std::vector<std::int64_t> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (node.has(3)) axes = node.operand_integers(3);
  if (pads.size() != 2 * axes.size())
    node.fail(fmt::format("{} pads for {} dimensions", pads.size(), axes.size()));
  Shape begin(rank, 0), end(rank, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(checked_axis(node, axes[i]));
    begin[axis] = pads[i];
    end[axis] = pads[i + axes.size()];
    if (std::abs(pads[i]) > 1 << 20 || std::abs(end[axis]) > 1 << 20)
      node.fail(fmt::format("a pad of {}", pads[i]));
  }
  node.result(0, node.build().pad(node.tensor(0), begin, end, value));
}

// --- Rearranging channels and pixels ---

struct Blocks {
  Shape shape;
  std::int64_t size;
};

Blocks blocks_of(NodeImport& node) {
  const Blocks blocks{node.shape(0), node.integer("blocksize", 0)};
  if (blocks.shape.size() != 4 || blocks.size < 1 || blocks.size > 1024)
    node.fail("needs 4 dimensions and a block size");
  return blocks;
}

void depth_to_space(NodeImport& node) {
  const auto [shape, size] = blocks_of(node);
  const bool columns_first = node.text("mode", "DCR") == "DCR";
  const std::int64_t channels = shape[1] / (size * size);
  if (channels * size * size != shape[1])
    node.fail(fmt::format("{} channels for blocks of {}", shape[1], size));
  Builder& b = node.build();
  const Shape apart = columns_first ? Shape{shape[0], size, size, channels, shape[2], shape[3]}
                                    : Shape{shape[0], channels, size, size, shape[2], shape[3]};
  const TensorId moved = b.transpose(b.reshape(node.tensor(0), apart),
                                     columns_first ? std::vector<std::int64_t>{0, 3, 4, 1, 5, 2}
                                                   : std::vector<std::int64_t>{0, 1, 4, 2, 5, 3});
  node.result(0, b.reshape(moved, {shape[0], channels, shape[2] * size, shape[3] * size}));
}

void space_to_depth(NodeImport& node) {
  const auto [shape, size] = blocks_of(node);
  const std::int64_t rows = shape[2] / size, columns = shape[3] / size;
  if (rows * size != shape[2] || columns * size != shape[3])
    node.fail(fmt::format("blocks of {} do not fit", size));
  Builder& b = node.build();
  const TensorId apart = b.reshape(node.tensor(0), {shape[0], shape[1], rows, size, columns, size});
  const TensorId moved = b.transpose(apart, {0, 3, 5, 1, 2, 4});
  node.result(0, b.reshape(moved, {shape[0], shape[1] * size * size, rows, columns}));
}

// --- Resizing: every element repeated a whole number of times ---

// Whether the nearest source of output i is i / factor, for every i.
bool repeats(const std::string& coordinates, const std::string& nearest, std::int64_t factor) {
  if (factor == 1) return coordinates != "tf_crop_and_resize";
  if (coordinates == "asymmetric") return nearest == "floor";
  if (coordinates != "half_pixel" && coordinates != "pytorch_half_pixel") return false;
  return nearest == "round_prefer_floor" || nearest == "round_prefer_ceil";
}

Shape factors_of(NodeImport& node, std::size_t scales, std::size_t sizes) {
  const Shape shape = node.shape(0);
  Shape factors(shape.size(), 1);
  std::vector<float> given;
  if (node.has(scales)) given = node.operand_floats(scales);
  if (given.empty() && node.has(sizes)) {
    const std::vector<std::int64_t> wanted = node.operand_integers(sizes);
    for (std::size_t d = 0; d < std::min(wanted.size(), shape.size()); ++d)
      given.push_back(static_cast<float>(wanted[d]) / static_cast<float>(shape[d]));
    if (node.has_batch(0) && !given.empty()) given[0] = 1;
  }
  if (given.size() != shape.size()) node.fail("scales or sizes do not fit its operand's dimensions");
  for (std::size_t d = 0; d < given.size(); ++d) {
    if (!(given[d] >= 1 && given[d] <= 1024) || given[d] != std::floor(given[d]))
      node.fail(fmt::format("a scale of {}; only whole ones", given[d]), Refusal::not_yet);
    factors[d] = static_cast<std::int64_t>(given[d]);
  }
  return factors;
}

void resize(NodeImport& node) {
  node.ignore({"cubic_coeff_a", "exclude_outside", "extrapolation_value"});
  const bool upsample = node.node().op == "Upsample";
  const std::string mode = node.text("mode", "nearest");
  if (mode != "nearest") node.fail(fmt::format("mode = '{}'", mode), Refusal::not_yet);
  const bool early = upsample || node.opset() < 11;  // by repetition, before the choice existed
  const std::string coordinates =
      early ? "asymmetric" : node.text("coordinate_transformation_mode", "half_pixel");
  const std::string nearest = early ? "floor" : node.text("nearest_mode", "round_prefer_floor");
  const Shape factors = early ? factors_of(node, 1, 99) : factors_of(node, 2, 3);
  for (const std::int64_t factor : factors)
    if (!repeats(coordinates, nearest, factor))
      node.fail(fmt::format("coordinates '{}' with nearest mode '{}'", coordinates, nearest),
                Refusal::not_yet);
  node.result(0, node.build().upsample_nearest(node.tensor(0), factors));
}

// --- Values ---

Known known_of(const onnx::Tensor& tensor, std::string_view where) {
  Known known;
  known.dims = tensor.dims;
  known.is_integer = !is_floating(tensor.type);
  if (known.is_integer) {
    known.integers = to_integers(tensor, where);
  } else {
    known.floats = to_floats(tensor, where);
  }
  return known;
}

void constant(NodeImport& node) {
  if (node.node().attributes.size() != 1) node.fail("needs exactly one attribute");
  const Attribute& value = *node.attribute(node.node().attributes[0].name);
  Known known;
  switch (value.type) {
    case AttributeType::tensor:
      known = known_of(value.tensor, node.node().name);
      break;
    case AttributeType::integer:
      known = known_integers({value.integer}), known.dims.clear();
      break;
    case AttributeType::integers:
      known = known_integers(value.integers);
      break;
    case AttributeType::single:
      known.floats = {value.single};
      break;
    case AttributeType::singles:
      known.floats = value.singles;
      known.dims = {static_cast<std::int64_t>(value.singles.size())};
      break;
    default:
      node.fail(fmt::format("attribute '{}'", value.name), Refusal::unsupported);
  }
  node.result(0, known);
}

void constant_of_shape(NodeImport& node) {
  Known known;
  known.dims = node.operand_integers(0);
  std::int64_t count = 1;
  for (const std::int64_t extent : known.dims) {
    if (extent < 0 || (extent > 0 && count > (std::int64_t{1} << 28) / extent))
      node.fail("an impossible shape");
    count *= extent;
  }
  const Attribute* value = node.attribute("value");
  Known one;
  one.floats = {0};
  if (value != nullptr) one = known_of(value->tensor, node.node().name);
  if (one.count() != 1) node.fail("attribute 'value' must have one element");
  known.is_integer = one.is_integer;
  if (one.is_integer) known.integers.assign(static_cast<std::size_t>(count), one.integers[0]);
  if (!one.is_integer) known.floats.assign(static_cast<std::size_t>(count), one.floats[0]);
  node.result(0, known);
}

void shape(NodeImport& node) {
  Shape whole = node.shape(0);
  const auto rank = static_cast<std::int64_t>(whole.size());
  const auto bound = [&](std::int64_t v) { return std::clamp<std::int64_t>(v < 0 ? v + rank : v, 0, rank); };
  const std::int64_t start = bound(node.integer("start", 0));
  const std::int64_t end = std::max(start, bound(node.integer("end", rank)));
  node.result(0, known_integers({whole.begin() + start, whole.begin() + end}));
}

void size(NodeImport& node) {
  Known known = known_integers({element_count(node.shape(0))});
  known.dims.clear();
  node.result(0, known);
}

// clang-format off
constexpr OpRow rows[] = {
    {"Concat",          concat},
    {"Constant",        constant},
    {"ConstantOfShape", constant_of_shape},
    {"DepthToSpace",    depth_to_space},
    {"Expand",          expand},
    {"Flatten",         flatten},
    {"Gather",          gather},
    {"Pad",             pad},
    {"Reshape",         reshape},
    {"Resize",          resize},
    {"Shape",           shape},
    {"Size",            size},
    {"Slice",           slice},
    {"SpaceToDepth",    space_to_depth},
    {"Split",           split},
    {"Squeeze",         squeeze},
    {"Transpose",       transpose},
    {"Unsqueeze",       unsqueeze},
    {"Upsample",        resize},
};
// clang-format on

}  // namespace

std::span<const OpRow> shape_rows() { return rows; }

}  // namespace dojo::graph::onnx
