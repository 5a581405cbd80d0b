// Operators that cut to a size, pick, turn round and write along an axis, and diagonals.
#include <algorithm>
#include <numeric>

#include "onnx/formulas.h"
#include "onnx/node.h"
#include "onnx/scattered.h"

namespace dojo::onnx {
namespace {

using graph::Scalar;
using graph::Shape;
using graph::TensorId;

// Values of one dimension in a shape that broadcasts over `rank` dimensions, there in dimension d.
TensorId upright(graph::Builder& b, TensorId values, std::size_t d, std::size_t rank) {
  Shape shape(rank, 1);
  shape[d] = b.shape(values).at(0);
  return b.reshape(values, shape);
}

// Of what is left or missing, the odd element lies at the end.
void center_crop_or_pad(NodeImport& node) {
  graph::Builder& b = node.build();
  TensorId x = node.tensor(0);
  const Shape shape = b.shape(x), wanted = node.operand_integers(1);
  std::vector<std::int64_t> every(shape.size());
  std::iota(every.begin(), every.end(), 0);
  const std::vector<std::int64_t> axes = node.integers("axes", every);
  if (axes.size() != wanted.size())
    node.fail(fmt::format("{} extents for {} axes", wanted.size(), axes.size()));
  Shape begin(shape.size(), 0), end = begin;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t d = node.dimension(axes[i], shape.size());
    if (d == 0 && node.has_batch(0)) {
      if (wanted[i] == node.file_batch().value_or(shape[0])) continue;
      node.fail("another number of samples", Refusal::unsupported);
    }
    const std::int64_t more = wanted[i] - shape[d];
    if (wanted[i] < 1 || wanted[i] > largest_whole) node.fail(fmt::format("an extent of {}", wanted[i]));
    begin[d] = more > 0 ? more / 2 : -(-more / 2);
    end[d] = more - begin[d];
  }
  node.result(0, b.pad(x, begin, end));
}

// What a known condition holds for: only then a shape is known.
void compress(NodeImport& node) {
  graph::Builder& b = node.build();
  const std::vector<std::int64_t> condition = node.operand_integers(1);
  TensorId x = node.tensor(0);
  std::size_t axis = 0;
  if (node.has_attribute("axis"))
    axis = node.dimension(node.integer("axis", 0), b.shape(x).size());
  else
    x = b.reshape(x, {graph::element_count(b.shape(x))});
  const auto extent = static_cast<std::size_t>(b.shape(x)[axis]);
  std::vector<float> kept;
  for (std::size_t i = 0; i < std::min(condition.size(), extent); ++i)
    if (condition[i] != 0) kept.push_back(static_cast<float>(i));
  if (kept.empty()) node.fail("nothing that is left", Refusal::unsupported);
  const auto count = static_cast<std::int64_t>(kept.size());
  const TensorId places = b.constant(b.fresh_tensor_name("kept"), {count}, std::move(kept));
  node.result(0, b.gather(x, places, static_cast<std::int64_t>(axis)));
}

// Element i of a sequence of n is that at n - 1 - i, and behind its end that at i.
void reverse_sequences(NodeImport& node) {
  graph::Builder& b = node.build();
  const TensorId x = node.tensor(0);
  const Shape shape = b.shape(x);
  const std::size_t batch = node.dimension(node.integer("batch_axis", 1), shape.size()),
                    time = node.dimension(node.integer("time_axis", 0), shape.size());
  if (batch == time || node.shape(1) != Shape{shape[batch]}) node.fail("lengths that do not fit its axes");
  const TensorId operands[] = {upright(b, b.positions(shape[time]), time, shape.size()),
                               upright(b, node.numbers(1), batch, shape.size())};
  F f;
  const F::Node i = f.input(0), turned = f.subtract(f.subtract(f.input(1), f.constant(1)), i);
  const TensorId places = b.elementwise(f.finish(f.select(f.less(i, f.input(1)), turned, i)), operands);
  node.result(0, b.gather_elements(x, b.expand(places, shape), static_cast<std::int64_t>(time)));
}

// Each sample's update behind the place that is given for it, or round the end to the start.
void write_behind(NodeImport& node) {
  graph::Builder& b = node.build();
  const std::string mode = node.text("mode", "linear");
  if (mode != "linear" && mode != "circular") node.fail(fmt::format("mode = '{}'", mode));
  const TensorId cache = node.tensor(0), update = node.tensor(1);
  const Shape whole = b.shape(cache), shape = b.shape(update);
  const std::size_t axis = node.dimension(node.integer("axis", -2), whole.size());
  if (axis == 0 || shape.size() != whole.size() || shape[axis] > whole[axis])
    node.fail(fmt::format("an update [{}] of [{}]", fmt::join(shape, ", "), fmt::join(whole, ", ")));
  std::vector<TensorId> operands = {upright(b, b.positions(shape[axis]), axis, shape.size())};
  F f;
  F::Node place = f.input(0);
  if (node.has(2)) {
    operands.push_back(upright(b, node.numbers(2), 0, shape.size()));
    place = f.add(place, f.input(1));
  }
  if (mode == "circular")
    place = f.apply(Scalar::remainder, place, f.constant(static_cast<float>(whole[axis])));
  const TensorId places = b.expand(b.elementwise(f.finish(place), operands), shape);
  node.result(0, scattered(b, Arrival::replace, cache, update, places, static_cast<std::int64_t>(axis)));
}

void eye(NodeImport& node) {
  const Shape shape = node.shape(0);
  if (shape.size() != 2) node.fail("needs two dimensions");
  if (shape[0] > largest_whole / std::max<std::int64_t>(1, shape[1]))
    node.fail(fmt::format("[{}], of more than {} elements", fmt::join(shape, ", "), largest_whole),
              Refusal::unsupported);
  const std::int64_t diagonal = node.integer("k", 0);
  const auto type = static_cast<DataType>(node.integer("dtype", static_cast<std::int64_t>(node.type_of(0))));
  if (!is_floating(type) && !is_whole(type) && type != DataType::boolean)
    node.fail(fmt::format("of {}", data_type_name(type)), Refusal::unsupported);
  Known made;
  made.dims = shape, made.is_integer = !is_floating(type), made.type = type,
  made.from_batch = node.has_batch(0);
  for (std::int64_t row = 0; row < shape[0]; ++row)
    for (std::int64_t column = 0; column < shape[1]; ++column) {
      const bool on = column - row == diagonal;
      if (made.is_integer)
        made.integers.push_back(on);
      else
        made.floats.push_back(on ? 1 : 0);
    }
  node.result(0, std::move(made));
}

// clang-format off
constexpr OpRow sequence_table[] = {
    {"CenterCropPad",   center_crop_or_pad},
    {"Compress",        compress},
    {"EyeLike",         eye},
    {"ReverseSequence", reverse_sequences},
    {"TensorScatter",   write_behind},
};
// clang-format on

}  // namespace

std::span<const OpRow> sequence_rows() { return sequence_table; }

}  // namespace dojo::onnx
