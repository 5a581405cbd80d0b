// Convolutions that look beside their places, and regions cut out and brought to one size.
#include <algorithm>

#include "onnx/formulas.h"
#include "onnx/sampled.h"

namespace dojo::onnx {
namespace {

using graph::Scalar;
using graph::Shape;
using graph::TensorId;

// --- DeformConv ---

struct Deformed {
  Shape x, weight, out;  // shapes
  std::vector<std::int64_t> strides = {}, dilations = {}, pads = {};
  std::int64_t groups = 1, offset_groups = 1, taps = 1;
};

Deformed deformed_of(NodeImport& node) {
  Deformed d{node.shape(0), node.shape(1), node.shape(2)};
  if (d.x.size() != 4 || d.weight.size() != 4 || d.out.size() != 4)
    node.fail("of other than two spatial dimensions", Refusal::not_yet);
  d.strides = node.integers("strides", {1, 1}), d.dilations = node.integers("dilations", {1, 1});
  d.pads = node.integers("pads", {0, 0, 0, 0});
  d.groups = node.integer("group", 1), d.offset_groups = node.integer("offset_group", 1);
  const Shape kernel = node.integers("kernel_shape", {d.weight[2], d.weight[3]});
  d.taps = d.weight[2] * d.weight[3];
  if (kernel != Shape{d.weight[2], d.weight[3]} || d.strides.size() != 2 || d.dilations.size() != 2 ||
      d.pads.size() != 4 || d.groups < 1 || d.offset_groups < 1 || d.x[1] != d.weight[1] * d.groups ||
      d.weight[0] % d.groups != 0 || d.x[1] % d.offset_groups != 0 ||
      d.out[1] != 2 * d.taps * d.offset_groups)
    node.fail(fmt::format("offsets [{}] and weights [{}] for [{}]", fmt::join(d.out, ", "),
                          fmt::join(d.weight, ", "), fmt::join(d.x, ", ")));
  return d;
}

// Where tap k of the output at (i, j) would look without an offset, along one of the two dimensions:
// [taps, rows, columns].
TensorId undisturbed(graph::Builder& b, const Deformed& d, std::size_t along) {
  std::vector<float> places;
  for (std::int64_t k = 0; k < d.taps; ++k)
    for (std::int64_t i = 0; i < d.out[2]; ++i)
      for (std::int64_t j = 0; j < d.out[3]; ++j) {
        const std::int64_t tap = along == 0 ? k / d.weight[3] : k % d.weight[3];
        const std::int64_t at = (along == 0 ? i : j) * d.strides[along] - d.pads[along];
        places.push_back(static_cast<float>(at + tap * d.dilations[along]));
      }
  return b.constant(b.fresh_tensor_name("taps"), {d.taps, d.out[2], d.out[3]}, std::move(places));
}

// What the taps of one group of offsets see: [n, channels of the group, taps, rows * columns].
TensorId seen(NodeImport& node, const Deformed& d, std::int64_t group) {
  graph::Builder& b = node.build();
  const std::int64_t channels = d.x[1] / d.offset_groups, points = d.taps * d.out[2] * d.out[3];
  const TensorId offsets = b.reshape(b.slice(node.tensor(2), 1, 2 * d.taps * group, 2 * d.taps * (group + 1)),
                                     {d.x[0], d.taps, 2, d.out[2], d.out[3]});
  std::vector<TensorId> places;
  for (std::size_t along = 0; along < 2; ++along) {
    const auto component = static_cast<std::int64_t>(along);
    const TensorId own = b.squeeze(b.slice(offsets, 2, component, component + 1), {2});
    places.push_back(b.reshape(b.add(own, undisturbed(b, d, along)), {d.x[0], points}));
  }
  const TensorId part = b.slice(node.tensor(0), 1, channels * group, channels * (group + 1));
  TensorId values = b.transpose(sampled(node, part, places, {}), {0, 2, 1});
  values = b.reshape(values, {d.x[0], channels, d.taps, d.out[2] * d.out[3]});
  if (!node.has(4)) return values;
  const TensorId mask = b.slice(node.tensor(4), 1, d.taps * group, d.taps * (group + 1));
  return b.multiply(values, b.reshape(mask, {d.x[0], 1, d.taps, d.out[2] * d.out[3]}));
}

void deformed_convolution(NodeImport& node) {
  const Deformed d = deformed_of(node);
  graph::Builder& b = node.build();
  std::vector<TensorId> parts;
  for (std::int64_t group = 0; group < d.offset_groups; ++group) parts.push_back(seen(node, d, group));
  const std::int64_t pixels = d.out[2] * d.out[3];
  const TensorId columns = b.reshape(parts.size() == 1 ? parts[0] : b.concat(parts, 1),
                                     {d.x[0], d.groups, d.weight[1] * d.taps, pixels});
  const TensorId weight = b.reshape(node.tensor(1, Draw::uniform(d.weight[1] * d.taps)),
                                    {d.groups, d.weight[0] / d.groups, d.weight[1] * d.taps});
  TensorId result = b.reshape(b.matmul(weight, columns), {d.x[0], d.weight[0], d.out[2], d.out[3]});
  if (const auto bias = node.maybe(3, Draw::fill(0))) result = b.bias_add(result, *bias);
  node.result(0, result);
}

// --- RoiAlign ---

struct Region {
  TensorId begin, bin;  // [regions, 1]: where it starts, how long a bin of it is
};

// `first`: which two of a region's four numbers bound it.
Region region_of(NodeImport& node, std::int64_t first, std::int64_t bins, bool half_pixel) {
  graph::Builder& b = node.build();
  const TensorId begin = b.slice(node.tensor(1), 1, first, first + 1),
                 end = b.slice(node.tensor(1), 1, first + 2, first + 3);
  const float scale = node.single("spatial_scale", 1);
  const auto placed = [&](F& f, F::Node x) {
    return f.subtract(f.multiply(x, f.constant(scale)), f.constant(half_pixel ? 0.5f : 0));
  };
  F of_begin;
  F of_bin;
  F::Node length = of_bin.subtract(placed(of_bin, of_bin.input(1)), placed(of_bin, of_bin.input(0)));
  if (!half_pixel) length = of_bin.apply(Scalar::maximum, length, of_bin.constant(1));
  const TensorId both[] = {begin, end};
  return {
      b.elementwise(of_begin.finish(placed(of_begin, of_begin.input(0))), std::span(both, 1)),
      b.elementwise(of_bin.finish(of_bin.divide(length, of_bin.constant(static_cast<float>(bins)))), both)};
}

// The two elements around each sample along a dimension, and their weights: [regions, bins * samples].
struct Pair {
  TensorId low, high, of_low, of_high;
};

Pair pair_of(NodeImport& node, const Region& region, std::int64_t bins, std::int64_t samples,
             std::int64_t extent) {
  graph::Builder& b = node.build();
  std::vector<float> within;
  for (std::int64_t k = 0; k < bins * samples; ++k)
    within.push_back((static_cast<float>(k) + 0.5f) / static_cast<float>(samples));
  const TensorId at =
      b.add(region.begin, b.multiply(region.bin, b.constant(b.fresh_tensor_name("samples"), {bins * samples},
                                                            std::move(within))));
  const float last = static_cast<float>(extent - 1);
  const auto computed = [&](auto formula) {
    F f;
    const F::Node x = f.input(0);
    const F::Node held =
        f.apply(Scalar::minimum, f.apply(Scalar::maximum, x, f.constant(0)), f.constant(last));
    const F::Node low = f.apply(Scalar::floor, held);
    // More than an element outside nothing is seen.
    const F::Node exists = f.multiply(at_most(f, f.constant(-1), x), at_most(f, x, f.constant(last + 1)));
    return b.elementwise(f.finish(formula(f, held, low, exists)), std::span(&at, 1));
  };
  const auto high = [&](F& f, F::Node low) {
    return f.apply(Scalar::minimum, f.add(low, f.constant(1)), f.constant(last));
  };
  return {computed([](F&, F::Node, F::Node low, F::Node) { return low; }),
          computed([&](F& f, F::Node, F::Node low, F::Node) { return high(f, low); }),
          computed([](F& f, F::Node held, F::Node low, F::Node exists) {
            return f.multiply(exists, f.subtract(f.constant(1), f.subtract(held, low)));
          }),
          computed([](F& f, F::Node held, F::Node low, F::Node exists) {
            return f.multiply(exists, f.subtract(held, low));
          })};
}

void align_regions(NodeImport& node) {
  graph::Builder& b = node.build();
  const std::string mode = node.text("mode", "avg");
  if (mode != "avg" && mode != "max") node.fail(fmt::format("mode = '{}'", mode));
  const std::string coordinates =
      node.opset() < 16 ? "output_half_pixel" : node.text("coordinate_transformation_mode", "half_pixel");
  if (coordinates != "half_pixel" && coordinates != "output_half_pixel")
    node.fail(fmt::format("coordinate_transformation_mode = '{}'", coordinates));
  const bool half_pixel = coordinates == "half_pixel";
  const std::int64_t height = node.integer("output_height", 1), width = node.integer("output_width", 1),
                     samples = node.integer("sampling_ratio", 0);
  if (samples < 1) node.fail("as many samples as a region has elements", Refusal::not_yet);
  if (samples > 64 || height < 1 || width < 1 || height > 4096 || width > 4096)
    node.fail(fmt::format("{} samples in {} by {}", samples, height, width));
  const TensorId x = node.tensor(0);
  const Shape shape = b.shape(x), regions = node.shape(1);
  if (shape.size() != 4 || regions.size() != 2 || regions[1] != 4 || node.shape(2) != Shape{regions[0]})
    node.fail(fmt::format("regions [{}] of [{}]", fmt::join(regions, ", "), fmt::join(shape, ", ")));
  const std::int64_t count = regions[0], rows = height * samples, columns = width * samples;
  const Pair y = pair_of(node, region_of(node, 1, height, half_pixel), height, samples, shape[2]);
  const Pair z = pair_of(node, region_of(node, 0, width, half_pixel), width, samples, shape[3]);
  const TensorId elements =
      b.reshape(b.transpose(x, {0, 2, 3, 1}), {shape[0] * shape[2] * shape[3], shape[1]});
  const TensorId image =
      b.scale(b.reshape(node.numbers(2), {count, 1, 1}), static_cast<float>(shape[2] * shape[3]));
  const auto corner = [&](TensorId row, TensorId of_row, TensorId column, TensorId of_column) {
    const TensorId line = b.scale(b.unsqueeze(row, {2}), static_cast<float>(shape[3]));
    const TensorId place = b.add(b.add(image, line), b.unsqueeze(column, {1}));
    const TensorId weight = b.multiply(b.unsqueeze(of_row, {2}), b.unsqueeze(of_column, {1}));
    return b.multiply(b.gather(elements, place, 0), b.unsqueeze(weight, {3}));
  };
  TensorId made = corner(y.low, y.of_low, z.low, z.of_low);  // [regions, rows, columns, channels]
  const Scalar joined = mode == "avg" ? Scalar::add : Scalar::maximum;
  made = b.binary(joined, made, corner(y.low, y.of_low, z.high, z.of_high));
  made = b.binary(joined, made, corner(y.high, y.of_high, z.low, z.of_low));
  made = b.binary(joined, made, corner(y.high, y.of_high, z.high, z.of_high));
  made = b.reshape(made, {count, height, rows / height, width, columns / width, shape[1]});
  made = mode == "avg" ? b.mean(made, {2, 4}) : b.maximum(made, {2, 4});
  node.result(0, b.transpose(made, {0, 3, 1, 2}));
}

constexpr OpRow deformed_table[] = {
    {"DeformConv", deformed_convolution},
    {"RoiAlign", align_regions},
};

}  // namespace

std::span<const OpRow> deformed_rows() { return deformed_table; }

}  // namespace dojo::onnx
