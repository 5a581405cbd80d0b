// Operators that lay the elements of one tensor out in another shape, and such that rearrange its channels
// and pixels.
#include <algorithm>

#include "onnx/node.h"

namespace dojo::onnx {
namespace {

// A target shape written for the file's batch, made one for the training batch.
graph::Shape with_training_batch(NodeImport& node, graph::Shape target) {
  const graph::Shape source = node.shape(0);
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
graph::Shape filled_in(const graph::Shape& from, graph::Shape to) {
  std::int64_t known = 1;
  for (std::size_t d = 0; d < to.size(); ++d) {
    if (to[d] == 0 && d < from.size()) to[d] = from[d];
    if (to[d] > 0) known *= to[d];
  }
  const auto open = std::ranges::find(to, -1);
  if (known > 0 && open != to.end()) *open = graph::element_count(from) / known;
  return graph::element_count(to) == graph::element_count(from) ? to : graph::Shape{};
}

// Operand 0 with the batch in another dimension, or in a product with others. The shape may be written for
// the training batch (it was computed) or for the file's.
void reshape_view(NodeImport& node, const graph::Shape& wanted, bool for_training) {
  const View& view = node.view_of(0);
  graph::Shape from = node.shape(0);
  const std::int64_t batch = node.batch();
  const std::int64_t file_batch = node.file_batch().value_or(batch);
  for (const std::int64_t assumed : {for_training ? batch : file_batch, for_training ? file_batch : batch}) {
    from[view.dimension] = view.outer * assumed * view.inner;
    const graph::Shape to = filled_in(from, wanted);
    const auto after = to.empty() ? std::nullopt : reshaped(view, from, to, assumed);
    if (!after) continue;
    const graph::TensorId tensor = node.as_it_lies(0);
    const graph::Shape laid = tensor_shape(*after, to, batch);
    const bool same = laid == node.build().shape(tensor);
    return node.result(0, same ? tensor : node.build().reshape(tensor, laid), *after);
  }
  node.fail(fmt::format("reshaping [{}] to [{}], which mixes the batch with other dimensions",
                        fmt::join(node.shape(0), ", "), fmt::join(wanted, ", ")),
            Refusal::unsupported);
}

// Operand 0 with its batch, at dimension `batch_at` of the result, as it was.
void reshape_beside_batch(NodeImport& node, const graph::Shape& to, std::size_t batch_at) {
  View view = node.view_of(0);
  view.dimension = batch_at;
  const graph::TensorId tensor = node.as_it_lies(0);
  node.result(0, node.build().reshape(tensor, tensor_shape(view, to, node.batch())), view);
}

void reshape(NodeImport& node) {
  const bool zero_is_zero = node.integer("allowzero", 0) != 0;
  graph::Shape target = node.opset() < 5 ? node.integers("shape") : node.operand_integers(1);
  if (zero_is_zero && std::ranges::count(target, 0) > 0)
    node.fail("a tensor without elements", Refusal::unsupported);
  for (const std::int64_t extent : target)
    if (extent < -1) node.fail(fmt::format("an extent of {}", extent));
  const bool for_training = node.opset() >= 5 && node.known(1)->from_batch;
  const graph::Shape written = target;
  target = with_training_batch(node, std::move(target));
  const bool keeps_batch = !target.empty() && (target[0] == node.batch() || target[0] == 0);
  if (node.has_batch(0) && !(node.view_of(0).is_plain() && keeps_batch))
    return reshape_view(node, written, for_training);
  node.result(0, node.build().reshape(node.tensor(0), target));
}

void flatten(NodeImport& node) {
  const std::int64_t axis = node.integer("axis", 1);
  const graph::Shape from = node.shape(0);
  const std::size_t at =
      axis == static_cast<std::int64_t>(from.size()) ? from.size() : node.dimension(axis, from.size());
  const auto middle = from.begin() + static_cast<std::ptrdiff_t>(at);
  const graph::Shape to = {graph::element_count(graph::Shape(from.begin(), middle)),
                           graph::element_count(graph::Shape(middle, from.end()))};
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
  const std::vector<std::int64_t> permuted = tensor_permutation(view, permutation);
  const auto batch = std::ranges::find(permutation, static_cast<std::int64_t>(view.dimension));
  view.dimension = static_cast<std::size_t>(batch - permutation.begin());
  const graph::TensorId tensor = node.as_it_lies(0);
  node.result(0, std::ranges::is_sorted(permuted) ? tensor : node.build().transpose(tensor, permuted), view);
}

void squeeze_view(NodeImport& node, const std::vector<std::int64_t>& axes) {
  const graph::Shape from = node.shape(0);
  std::vector<bool> dropped(from.size());
  for (const std::int64_t axis : axes) {
    const auto d = node.dimension(axis, from.size());
    if (from[d] != 1) node.fail(fmt::format("dimension {} of extent {} cannot be squeezed", d, from[d]));
    dropped[d] = true;
  }
  const std::size_t batch = node.view_of(0).dimension;
  if (dropped[batch]) node.fail("dropping the batch", Refusal::unsupported);
  graph::Shape to;
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
  const graph::Shape from = node.shape(0);
  std::vector<bool> added(from.size() + axes.size());
  for (const std::int64_t axis : axes) added[node.dimension(axis, added.size())] = true;
  if (std::ranges::count(added, true) != static_cast<std::ptrdiff_t>(axes.size())) node.fail("an axis twice");
  graph::Shape to;
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
bool spreads_over_batch(NodeImport& node, const graph::Shape& target) {
  const graph::Shape source = node.shape(0);
  if (node.has_batch(0) || target.empty() || target.size() < source.size()) return false;
  if (source.size() == target.size() && source[0] != 1) return false;
  if (node.known(1)->from_batch) return target[0] == node.batch();
  return node.file_batch() && target[0] == *node.file_batch();
}

void expand(NodeImport& node) {
  graph::Shape target = node.operand_integers(1);
  for (const std::int64_t extent : target)
    if (extent < 1) node.fail(fmt::format("an extent of {}", extent), Refusal::unsupported);
  target = with_training_batch(node, std::move(target));
  if (spreads_over_batch(node, target)) target[0] = 1;
  node.result(0, node.build().expand(node.tensor(0), target));
}

// Each dimension so many times over, one copy behind the other.
void tile(NodeImport& node) {
  if (node.opset() < 6) node.fail("of operator sets before 6", Refusal::not_yet);
  const std::vector<std::int64_t> times = node.operand_integers(1);
  graph::TensorId x = node.tensor(0);
  graph::Builder& b = node.build();
  if (times.size() != b.shape(x).size())
    node.fail(fmt::format("{} counts for {} dimensions", times.size(), b.shape(x).size()));
  for (std::size_t d = 0; d < times.size(); ++d) {
    if (times[d] == 1) continue;
    if (times[d] < 1 || times[d] > 1 << 20)
      node.fail(fmt::format("{} copies", times[d]), Refusal::unsupported);
    if (d == 0 && node.has_batch(0)) node.fail("copies of the batch", Refusal::unsupported);
    const auto at = static_cast<std::int64_t>(d);
    graph::Shape apart = b.shape(x), joined = apart;
    apart.insert(apart.begin() + at, times[d]);
    joined[d] *= times[d];
    x = b.reshape(b.expand(b.unsqueeze(x, {at}), apart), joined);
  }
  node.result(0, x);
}

// --- Rearranging channels and pixels ---

struct Blocks {
  graph::Shape shape;
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
  graph::Builder& b = node.build();
  const graph::Shape apart = columns_first ? graph::Shape{shape[0], size, size, channels, shape[2], shape[3]}
                                           : graph::Shape{shape[0], channels, size, size, shape[2], shape[3]};
  const graph::TensorId moved = b.transpose(b.reshape(node.tensor(0), apart),
                                            columns_first ? std::vector<std::int64_t>{0, 3, 4, 1, 5, 2}
                                                          : std::vector<std::int64_t>{0, 1, 4, 2, 5, 3});
  node.result(0, b.reshape(moved, {shape[0], channels, shape[2] * size, shape[3] * size}));
}

void space_to_depth(NodeImport& node) {
  const auto [shape, size] = blocks_of(node);
  const std::int64_t rows = shape[2] / size, columns = shape[3] / size;
  if (rows * size != shape[2] || columns * size != shape[3])
    node.fail(fmt::format("blocks of {} do not fit", size));
  graph::Builder& b = node.build();
  const graph::TensorId apart = b.reshape(node.tensor(0), {shape[0], shape[1], rows, size, columns, size});
  const std::string mode = node.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") node.fail(fmt::format("mode = '{}'", mode));
  const graph::TensorId moved =
      b.transpose(apart, mode == "DCR" ? std::vector<std::int64_t>{0, 3, 5, 1, 2, 4}
                                       : std::vector<std::int64_t>{0, 1, 3, 5, 2, 4});
  node.result(0, b.reshape(moved, {shape[0], shape[1] * size * size, rows, columns}));
}

// clang-format off
constexpr OpRow shape_table[] = {
    {"DepthToSpace", depth_to_space},
    {"Expand",       expand},
    {"Flatten",      flatten},
    {"Reshape",      reshape},
    {"SpaceToDepth", space_to_depth},
    {"Squeeze",      squeeze},
    {"Tile",         tile},
    {"Transpose",    transpose},
    {"Unsqueeze",    unsqueeze},
};
// clang-format on

}  // namespace

std::span<const OpRow> shape_rows() { return shape_table; }

}  // namespace dojo::onnx
