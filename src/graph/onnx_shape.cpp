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
  if (!node.has_batch(0) || !node.view_of(0).is_plain() || target.empty() || source.empty()) return target;
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

// The shape with 0 (the same dimension as before) and -1 (what remains) filled in; empty if the number of
// elements then differs.
Shape filled_in(const Shape& from, Shape to) {
  std::int64_t known = 1;
  for (std::size_t d = 0; d < to.size(); ++d) {
    if (to[d] == 0 && d < from.size()) to[d] = from[d];
    if (to[d] > 0) known *= to[d];
  }
  const auto open = std::ranges::find(to, -1);
  if (known > 0 && open != to.end()) *open = element_count(from) / known;
  return element_count(to) == element_count(from) ? to : Shape{};
}

// Operand 0 with the batch in another dimension, or in a product with others. The shape may be written for
// the training batch (it was computed) or for the file's.
void reshape_view(NodeImport& node, const Shape& wanted, bool for_training) {
  const View& view = node.view_of(0);
  Shape from = node.shape(0);
  const std::int64_t batch = node.batch();
  const std::int64_t file_batch = node.file_batch().value_or(batch);
  for (const std::int64_t assumed : {for_training ? batch : file_batch, for_training ? file_batch : batch}) {
    from[view.dimension] = view.outer * assumed * view.inner;
    const Shape to = filled_in(from, wanted);
    const auto after = to.empty() ? std::nullopt : reshaped(view, from, to, assumed);
    if (!after) continue;
    const TensorId tensor = node.as_it_lies(0);
    const Shape laid = tensor_shape(*after, to, batch);
    const bool same = laid == node.build().shape(tensor);
    return node.result(0, same ? tensor : node.build().reshape(tensor, laid), *after);
  }
  node.fail(fmt::format("reshaping [{}] to [{}], which mixes the batch with other dimensions",
                        fmt::join(node.shape(0), ", "), fmt::join(wanted, ", ")),
            Refusal::unsupported);
}

// Operand 0 with its batch, at dimension `batch_at` of the result, as it was.
void reshape_beside_batch(NodeImport& node, Shape to, std::size_t batch_at) {
  View view = node.view_of(0);
  view.dimension = batch_at;
  const TensorId tensor = node.as_it_lies(0);
  node.result(0, node.build().reshape(tensor, tensor_shape(view, to, node.batch())), view);
}

std::size_t checked_axis(NodeImport& node, std::int64_t axis, std::size_t rank) {
  const std::int64_t positive = axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis;
  if (positive < 0 || positive >= static_cast<std::int64_t>(rank))
    node.fail(fmt::format("axis {} of {} dimensions", axis, rank));
  return static_cast<std::size_t>(positive);
}

std::int64_t checked_axis(NodeImport& node, std::int64_t axis) {
  return static_cast<std::int64_t>(checked_axis(node, axis, node.shape(0).size()));
}

void reshape(NodeImport& node) {
  const bool zero_is_zero = node.integer("allowzero", 0) != 0;
  Shape target = node.opset() < 5 ? node.integers("shape") : node.operand_integers(1);
  if (zero_is_zero && std::ranges::count(target, 0) > 0)
    node.fail("a tensor without elements", Refusal::unsupported);
  for (const std::int64_t extent : target)
    if (extent < -1) node.fail(fmt::format("an extent of {}", extent));
  const bool for_training = node.opset() >= 5 && node.known(1)->from_batch;
  const Shape written = target;
  target = with_training_batch(node, std::move(target));
  const bool keeps_batch = !target.empty() && (target[0] == node.batch() || target[0] == 0);
  if (node.has_batch(0) && !(node.view_of(0).is_plain() && keeps_batch))
    return reshape_view(node, written, for_training);
  node.result(0, node.build().reshape(node.tensor(0), target));
}

void flatten(NodeImport& node) {
  const std::int64_t axis = node.integer("axis", 1);
  const Shape from = node.shape(0);
  const std::size_t at =
      axis == static_cast<std::int64_t>(from.size()) ? from.size() : checked_axis(node, axis, from.size());
  const auto middle = from.begin() + static_cast<std::ptrdiff_t>(at);
  const Shape to = {element_count(Shape(from.begin(), middle)), element_count(Shape(middle, from.end()))};
  if (node.has_batch(0)) return reshape_view(node, to, true);
  node.result(0, node.build().reshape(node.tensor(0), to));
}

void transpose(NodeImport& node) {
  std::vector<std::int64_t> reversed(node.shape(0).size());
  for (std::size_t d = 0; d < reversed.size(); ++d)
    reversed[d] = static_cast<std::int64_t>(reversed.size() - 1 - d);
  const std::vector<std::int64_t> permutation = node.integers("perm", reversed);
  if (!node.has_batch(0)) return node.result(0, node.build().transpose(node.tensor(0), permutation));
  if (!std::ranges::is_permutation(permutation, reversed)) node.fail("no permutation of its dimensions");
  View view = node.view_of(0);
  const std::vector<std::int64_t> moves = tensor_permutation(view, permutation);
  const auto batch = std::ranges::find(permutation, static_cast<std::int64_t>(view.dimension));
  view.dimension = static_cast<std::size_t>(batch - permutation.begin());
  const TensorId tensor = node.as_it_lies(0);
  node.result(0, std::ranges::is_sorted(moves) ? tensor : node.build().transpose(tensor, moves), view);
}

void squeeze_view(NodeImport& node, const std::vector<std::int64_t>& axes) {
  const Shape from = node.shape(0);
  std::vector<bool> dropped(from.size());
  for (const std::int64_t axis : axes) {
    const auto d = static_cast<std::size_t>(checked_axis(node, axis));
    if (from[d] != 1) node.fail(fmt::format("dimension {} of extent {} cannot be squeezed", d, from[d]));
    dropped[d] = true;
  }
  const std::size_t batch = node.view_of(0).dimension;
  if (dropped[batch]) node.fail("dropping the batch", Refusal::unsupported);
  Shape to;
  std::size_t batch_at = 0;
  for (std::size_t d = 0; d < from.size(); ++d) {
    if (d == batch) batch_at = to.size();
    if (!dropped[d] && (!axes.empty() || d == batch || from[d] != 1)) to.push_back(from[d]);
  }
  reshape_beside_batch(node, to, batch_at);
}

void squeeze(NodeImport& node) {
  const std::vector<std::int64_t> axes = node.axes(1, 13);
  if (!node.view_of(0).is_plain()) return squeeze_view(node, axes);
  node.result(0, node.build().squeeze(node.tensor(0), axes));
}

void unsqueeze_view(NodeImport& node, const std::vector<std::int64_t>& axes) {
  const Shape from = node.shape(0);
  std::vector<bool> added(from.size() + axes.size());
  for (const std::int64_t axis : axes) added[checked_axis(node, axis, added.size())] = true;
  if (std::ranges::count(added, true) != static_cast<std::ptrdiff_t>(axes.size())) node.fail("an axis twice");
  Shape to;
  std::size_t batch_at = 0;
  for (std::size_t d = 0, next = 0; d < added.size(); ++d) {
    if (!added[d] && next == node.view_of(0).dimension) batch_at = d;
    to.push_back(added[d] ? 1 : from[next++]);
  }
  reshape_beside_batch(node, to, batch_at);
}

void unsqueeze(NodeImport& node) {
  const std::vector<std::int64_t> axes = node.axes(1, 13);
  if (node.has_batch(0)) return unsqueeze_view(node, axes);
  node.result(0, node.build().unsqueeze(node.tensor(0), axes));
}

// Whether a value without a batch (a class token) is to be repeated for each sample. It stays one: what
// reads it beside values that have a batch broadcasts it.
bool spreads_over_batch(NodeImport& node, const Shape& target) {
  const Shape source = node.shape(0);
  if (node.has_batch(0) || target.empty() || target.size() < source.size()) return false;
  if (source.size() == target.size() && source[0] != 1) return false;
  if (node.known(1)->from_batch) return target[0] == node.batch();
  return node.file_batch() && target[0] == *node.file_batch();
}

void expand(NodeImport& node) {
  Shape target = node.operand_integers(1);
  for (const std::int64_t extent : target)
    if (extent < 1) node.fail(fmt::format("an extent of {}", extent), Refusal::unsupported);
  target = with_training_batch(node, std::move(target));
  if (spreads_over_batch(node, target)) target[0] = 1;
  node.result(0, node.build().expand(node.tensor(0), target));
}

void concat(NodeImport& node) {
  std::vector<TensorId> parts;
  for (std::size_t i = 0; i < node.operands(); ++i) parts.push_back(node.tensor(i));
  const std::int64_t axis = node.integer("axis", 1);
  node.result(0, node.build().concat(parts, axis));
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
  node.keep_view(1);
  const std::vector<TensorId> made = node.build().split(node.tensor(0), node.axis_in_tensor(axis), sizes);
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
  node.keep_view(1);
  TensorId result = node.tensor(0);
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
  if (indices == nullptr || !indices->is_integer)
    node.fail("indices that are computed from data", Refusal::not_yet);
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
  const std::int64_t axis = checked_axis(node, node.integer("axis", 0));
  Shape target = node.shape(0);
  const std::int64_t extent = target[static_cast<std::size_t>(axis)];
  const std::vector<std::int64_t> rows = known_indices(node, extent);
  const Shape dims = node.known(1)->dims;
  View view = node.view_of(0);
  if (node.has_batch(0) && axis == static_cast<std::int64_t>(view.dimension))
    node.fail("samples of the batch one by one", Refusal::unsupported);
  Builder& b = node.build();
  const TensorId x = node.as_it_lies(0);
  const std::int64_t along = node.axis_in_tensor(axis);
  const TensorId picked =
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
  Shape begin(rank, 0), end(rank, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(checked_axis(node, axes[i]));
    begin[axis] = pads[i];
    end[axis] = pads[i + axes.size()];
    if (std::abs(pads[i]) > 1 << 20 || std::abs(end[axis]) > 1 << 20)
      node.fail(fmt::format("a pad of {}", pads[i]));
  }
  if (mode == "constant") return node.result(0, node.build().pad(node.tensor(0), begin, end, value));
  TensorId result = node.tensor(0);
  for (std::size_t d = 0; d < rank; ++d)
    if (begin[d] != 0 || end[d] != 0)
      result = node.build().mix(result, static_cast<std::int64_t>(d),
                                repeating(node, mode, node.shape(0)[d], begin[d], end[d]));
  node.result(0, result);
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

// What a resize does to each dimension.
struct Resizing {
  Shape extents;               // of the result
  std::vector<double> scales;  // result over operand
  bool whole = true;           // all scales are whole numbers
};

Resizing resizing_of(NodeImport& node, std::size_t scales, std::size_t sizes) {
  const Shape shape = node.shape(0);
  Resizing result;
  std::vector<float> given;
  if (node.has(scales)) given = node.operand_floats(scales);
  result.scales.assign(given.begin(), given.end());
  if (given.empty() && node.has(sizes)) {
    result.extents = node.operand_integers(sizes);
    if (node.has_batch(0) && !result.extents.empty()) result.extents[0] = shape[0];
    for (std::size_t d = 0; d < std::min(result.extents.size(), shape.size()); ++d)
      result.scales.push_back(static_cast<double>(result.extents[d]) / static_cast<double>(shape[d]));
  }
  if (result.scales.size() != shape.size()) node.fail("scales or sizes do not fit its operand's dimensions");
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const double scale = result.scales[d];
    if (!(scale > 0 && scale <= 1024)) node.fail(fmt::format("a scale of {}", scale));
    if (!given.empty())
      result.extents.push_back(static_cast<std::int64_t>(std::floor(static_cast<double>(shape[d]) * scale)));
    if (result.extents[d] < 1) node.fail("a resize that leaves nothing");
    result.whole = result.whole && scale == std::floor(scale);
  }
  return result;
}

// Where element i of the result lies among those of the operand.
double place_of(NodeImport& node, const std::string& coordinates, std::int64_t i, double scale,
                std::int64_t from, std::int64_t to) {
  const auto place = static_cast<double>(i);
  if (coordinates == "asymmetric") return place / scale;
  if (coordinates == "half_pixel") return (place + 0.5) / scale - 0.5;
  if (coordinates == "pytorch_half_pixel") return to > 1 ? (place + 0.5) / scale - 0.5 : 0;
  if (coordinates == "align_corners")
    // The result's extent is taken as it was before it was rounded down.
    return to > 1 ? place * static_cast<double>(from - 1) / (scale * static_cast<double>(from) - 1) : 0;
  node.fail(fmt::format("coordinates '{}'", coordinates), Refusal::not_yet);
}

double rounded(NodeImport& node, const std::string& nearest, double place) {
  if (nearest == "floor") return std::floor(place);
  if (nearest == "ceil") return std::ceil(place);
  if (nearest == "round_prefer_floor") return std::ceil(place - 0.5);
  if (nearest == "round_prefer_ceil") return std::floor(place + 0.5);
  node.fail(fmt::format("nearest_mode = '{}'", nearest));
}

// The matrix that resamples one dimension. `nearest` is empty for linear interpolation.
std::vector<float> resampling(NodeImport& node, const std::string& coordinates, const std::string& nearest,
                              double scale, std::int64_t from, std::int64_t to) {
  std::vector<float> matrix(static_cast<std::size_t>(from * to), 0.0f);
  const auto at = [&](std::int64_t row, double column) -> float& {
    const double held = std::clamp(column, 0.0, static_cast<double>(from - 1));
    return matrix[static_cast<std::size_t>(row * from) + static_cast<std::size_t>(held)];
  };
  for (std::int64_t row = 0; row < to; ++row) {
    const double place = place_of(node, coordinates, row, scale, from, to);
    if (!nearest.empty()) {
      at(row, rounded(node, nearest, place)) = 1;
      continue;
    }
    const double low = std::floor(place);
    at(row, low) += static_cast<float>(1 - (place - low));
    at(row, low + 1) += static_cast<float>(place - low);
  }
  return matrix;
}

void resize(NodeImport& node) {
  node.ignore({"cubic_coeff_a", "exclude_outside", "extrapolation_value"});
  const bool upsample = node.node().op == "Upsample";
  const std::string mode = node.text("mode", "nearest");
  if (mode != "nearest" && mode != "linear") node.fail(fmt::format("mode = '{}'", mode), Refusal::not_yet);
  if (node.text("keep_aspect_ratio_policy", "stretch") != "stretch" || node.integer("antialias", 0) != 0 ||
      node.has_attribute("axes"))
    node.fail("keep_aspect_ratio_policy, antialias or axes", Refusal::not_yet);
  const bool early = upsample || node.opset() < 11;  // by repetition, before the choice existed
  const std::string coordinates =
      early ? "asymmetric" : node.text("coordinate_transformation_mode", "half_pixel");
  const std::string nearest = early ? "floor" : node.text("nearest_mode", "round_prefer_floor");
  const Resizing wanted = early ? resizing_of(node, 1, 99) : resizing_of(node, 2, 3);
  Shape factors;
  bool repeated = wanted.whole && mode == "nearest";
  for (const double scale : wanted.scales) {
    factors.push_back(static_cast<std::int64_t>(scale));
    repeated = repeated && repeats(coordinates, nearest, factors.back());
  }
  TensorId result = node.tensor(0);
  if (repeated) return node.result(0, node.build().upsample_nearest(result, factors));
  const Shape shape = node.shape(0);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (wanted.extents[d] == shape[d] && wanted.scales[d] == 1) continue;
    if (d == 0 && node.has_batch(0)) node.fail("resizing the batch", Refusal::unsupported);
    result = node.build().mix(result, static_cast<std::int64_t>(d),
                              resampling(node, coordinates, mode == "linear" ? "" : nearest, wanted.scales[d],
                                         shape[d], wanted.extents[d]));
  }
  node.result(0, result);
}

// --- Values ---

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
  known.type = one.type;
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
  Known known = known_integers({whole.begin() + start, whole.begin() + end});
  const auto batch = static_cast<std::int64_t>(node.view_of(0).dimension);
  known.from_batch = node.has_batch(0) && start <= batch && batch < end;
  node.result(0, known);
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
