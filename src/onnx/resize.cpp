// Resize and Upsample: every element repeated a whole number of times, or a product with the matrix that
// resamples a dimension, one dimension after the other.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "onnx/node.h"

namespace dojo::onnx {
namespace {

enum class Mode : std::uint8_t { nearest, linear, cubic };

// How elements of the result come from those of the operand, in every dimension alike.
struct Resampling {
  Mode mode = Mode::nearest;
  std::string coordinates, nearest;
  bool antialias = false, exclude_outside = false;
  double cubic_coefficient = -0.75;
  float extrapolation = 0;
};

// What happens to one dimension.
struct Extent {
  std::int64_t from = 1, to = 1;
  double scale = 1;           // result over operand
  double begin = 0, end = 1;  // the part that tf_crop_and_resize takes
  bool is_kept() const { return to == from && scale == 1 && begin == 0 && end == 1; }
};

Resampling resampling_of(NodeImport& node, bool early) {
  Resampling how;
  const std::string mode = node.text("mode", "nearest");
  if (mode == "linear") how.mode = Mode::linear;
  if (mode == "cubic") how.mode = Mode::cubic;
  if (mode != "nearest" && mode != "linear" && mode != "cubic") node.fail(fmt::format("mode = '{}'", mode));
  how.coordinates = early ? "asymmetric" : node.text("coordinate_transformation_mode", "half_pixel");
  how.nearest = early ? "floor" : node.text("nearest_mode", "round_prefer_floor");
  how.antialias = node.integer("antialias", 0) != 0;
  how.exclude_outside = node.integer("exclude_outside", 0) != 0;
  how.cubic_coefficient = static_cast<double>(node.single("cubic_coeff_a", -0.75f));
  how.extrapolation = node.single("extrapolation_value", 0);
  if (how.antialias && how.mode == Mode::nearest) node.fail("antialias of mode = 'nearest'");
  return how;
}

// --- Extents ---

void apply_sizes(NodeImport& node, std::vector<Extent>& extents, const std::vector<std::size_t>& axes,
                 const std::vector<std::int64_t>& sizes) {
  if (sizes.size() != axes.size())
    node.fail(fmt::format("{} sizes for {} dimensions", sizes.size(), axes.size()));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    Extent& extent = extents[axes[i]];
    extent.to = axes[i] == 0 && node.has_batch(0) ? extent.from : sizes[i];
    extent.scale = static_cast<double>(extent.to) / static_cast<double>(extent.from);
  }
  const std::string policy = node.text("keep_aspect_ratio_policy", "stretch");
  if (policy == "stretch") return;
  if (policy != "not_larger" && policy != "not_smaller")
    node.fail(fmt::format("keep_aspect_ratio_policy = '{}'", policy));
  double scale = extents[axes.at(0)].scale;
  for (const std::size_t d : axes)
    scale = policy == "not_larger" ? std::min(scale, extents[d].scale) : std::max(scale, extents[d].scale);
  for (const std::size_t d : axes) {
    extents[d].scale = scale;
    extents[d].to = static_cast<std::int64_t>(std::floor(scale * static_cast<double>(extents[d].from) + 0.5));
  }
}

void apply_scales(NodeImport& node, std::vector<Extent>& extents, const std::vector<std::size_t>& axes,
                  const std::vector<float>& scales) {
  if (scales.size() != axes.size())
    node.fail(fmt::format("{} scales for {} dimensions", scales.size(), axes.size()));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    Extent& extent = extents[axes[i]];
    extent.scale = static_cast<double>(scales[i]);
    if (!(extent.scale > 0 && extent.scale <= 1024)) node.fail(fmt::format("a scale of {}", extent.scale));
    extent.to = static_cast<std::int64_t>(std::floor(static_cast<double>(extent.from) * extent.scale));
  }
}

std::vector<Extent> extents_of(NodeImport& node, const Resampling& how, bool early) {
  const graph::Shape shape = node.shape(0);
  std::vector<Extent> extents;
  for (const std::int64_t extent : shape) extents.push_back({.from = extent, .to = extent});
  std::vector<std::int64_t> named(shape.size());
  std::iota(named.begin(), named.end(), 0);
  std::vector<std::size_t> axes;
  for (const std::int64_t axis : node.integers("axes", named))
    axes.push_back(node.dimension(axis, shape.size()));
  const std::size_t scales = early ? 1 : 2, sizes = 3;
  const std::vector<float> given = node.has(scales) ? node.operand_floats(scales) : std::vector<float>{};
  if (given.empty() && !early && node.has(sizes))
    apply_sizes(node, extents, axes, node.operand_integers(sizes));
  else
    apply_scales(node, extents, axes, given);
  if (how.coordinates == "tf_crop_and_resize") {
    const std::vector<float> parts = node.has(1) ? node.operand_floats(1) : std::vector<float>{};
    if (parts.size() != 2 * axes.size())
      node.fail(fmt::format("{} bounds of a part for {} dimensions", parts.size(), axes.size()));
    for (std::size_t i = 0; i < axes.size(); ++i)
      extents[axes[i]].begin = static_cast<double>(parts[i]),
      extents[axes[i]].end = static_cast<double>(parts[i + axes.size()]);
  }
  for (const Extent& extent : extents) {
    if (!(extent.scale > 0 && extent.scale <= 1024)) node.fail(fmt::format("a scale of {}", extent.scale));
    if (extent.to < 1) node.fail("a resize that leaves nothing");
  }
  return extents;
}

// --- Matrices ---

// Where element i of the result lies among those of the operand.
double place_of(NodeImport& node, const std::string& coordinates, std::int64_t i, const Extent& along) {
  const auto place = static_cast<double>(i), from = static_cast<double>(along.from),
             to = static_cast<double>(along.to);
  const double centred = (place + 0.5) / along.scale - 0.5;
  if (coordinates == "asymmetric") return place / along.scale;
  if (coordinates == "half_pixel") return centred;
  if (coordinates == "pytorch_half_pixel") return along.to > 1 ? centred : 0;
  // The result's extent is taken as it was before it was rounded down.
  if (coordinates == "half_pixel_symmetric") return from / 2 * (1 - to / (along.scale * from)) + centred;
  if (coordinates == "align_corners") return along.to > 1 ? place * (from - 1) / (along.scale * from - 1) : 0;
  if (coordinates == "tf_crop_and_resize") {
    if (along.to == 1) return 0.5 * (along.begin + along.end) * (from - 1);
    return along.begin * (from - 1) + place * (along.end - along.begin) * (from - 1) / (to - 1);
  }
  node.fail(fmt::format("coordinates '{}'", coordinates), Refusal::unsupported);
}

double rounded(NodeImport& node, const std::string& nearest, double place) {
  if (nearest == "floor") return std::floor(place);
  if (nearest == "ceil") return std::ceil(place);
  if (nearest == "round_prefer_floor") return std::ceil(place - 0.5);
  if (nearest == "round_prefer_ceil") return std::floor(place + 0.5);
  node.fail(fmt::format("nearest_mode = '{}'", nearest));
}

// Of an element at a distance: linear, or R. Keys' cubic convolution (IEEE Transactions on Acoustics, Speech
// and Signal Processing 29, 1981) with its free coefficient a.
double weight_at(const Resampling& how, double distance) {
  const double x = std::fabs(distance), a = how.cubic_coefficient;
  if (how.mode == Mode::linear) return std::max(0.0, 1 - x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

// The row of the matrix for an element that lies at `place`: weights of elements around it, which reach
// farther where the result is smaller and that is to leave no false patterns. What lies outside is the
// nearest inside, or does not count.
void add_row(const Resampling& how, const Extent& along, double place, std::span<float> row) {
  const double squeeze = how.antialias ? std::min(along.scale, 1.0) : 1;
  const double reach = (how.mode == Mode::linear ? 1 : 2) / squeeze, low = std::ceil(place) - 1;
  const double first = low + std::floor(-reach) + 1, last = 2 * low + 1 - first;
  double sum = 0;
  std::vector<double> weights(row.size(), 0.0);
  for (double column = first; column <= last; ++column) {
    const double held = std::clamp(column, 0.0, static_cast<double>(along.from - 1));
    if (how.exclude_outside && held != column) continue;
    const double weight = weight_at(how, (column - place) * squeeze);
    weights[static_cast<std::size_t>(held)] += weight, sum += weight;
  }
  if (sum == 0 || (!how.antialias && !how.exclude_outside)) sum = 1;
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = static_cast<float>(weights[i] / sum);
}

// One dimension of x resampled.
graph::TensorId resampled(NodeImport& node, graph::TensorId x, std::size_t d, const Resampling& how,
                          const Extent& along) {
  const bool crops = how.coordinates == "tf_crop_and_resize";
  if (along.from > (std::int64_t{1} << 28) / along.to)
    node.fail(fmt::format("{} elements to {}", along.from, along.to), Refusal::not_yet);
  std::vector<float> matrix(static_cast<std::size_t>(along.from * along.to), 0.0f),
      beside(static_cast<std::size_t>(along.to), 0.0f);
  for (std::int64_t i = 0; i < along.to; ++i) {
    const double place = place_of(node, how.coordinates, i, along);
    const std::span<float> row(matrix.data() + i * along.from, static_cast<std::size_t>(along.from));
    if (crops && (place < 0 || place > static_cast<double>(along.from - 1)))
      beside[static_cast<std::size_t>(i)] = how.extrapolation;
    else if (how.mode == Mode::nearest)
      row[static_cast<std::size_t>(
          std::clamp(rounded(node, how.nearest, place), 0.0, static_cast<double>(along.from - 1)))] = 1;
    else
      add_row(how, along, place, row);
  }
  graph::Builder& b = node.build();
  const graph::TensorId made = b.mix(x, static_cast<std::int64_t>(d), std::move(matrix));
  if (std::ranges::all_of(beside, [](float value) { return value == 0; })) return made;
  graph::Shape alone(b.shape(x).size() - d, 1);
  alone[0] = along.to;
  return b.add(made, b.constant(b.fresh_tensor_name("beside"), alone, std::move(beside)));
}

// Whether the nearest source of output i is i / factor, for every i.
bool repeats(const Resampling& how, const Extent& along) {
  if (how.mode != Mode::nearest || along.scale != std::floor(along.scale)) return false;
  if (along.scale == 1) return how.coordinates != "tf_crop_and_resize";
  if (how.coordinates == "asymmetric") return how.nearest == "floor";
  if (how.coordinates != "half_pixel" && how.coordinates != "pytorch_half_pixel") return false;
  return how.nearest == "round_prefer_floor" || how.nearest == "round_prefer_ceil";
}

void resize(NodeImport& node) {
  const bool early = node.node().op == "Upsample" || node.opset() < 11;  // repetition was the only choice
  const Resampling how = resampling_of(node, early);
  const std::vector<Extent> extents = extents_of(node, how, early);
  graph::TensorId result = node.tensor(0);
  if (std::ranges::all_of(extents, [&](const Extent& along) { return repeats(how, along); })) {
    graph::Shape factors;
    for (const Extent& along : extents) factors.push_back(static_cast<std::int64_t>(along.scale));
    return node.result(0, node.build().upsample_nearest(result, factors));
  }
  for (std::size_t d = 0; d < extents.size(); ++d) {
    if (extents[d].is_kept()) continue;
    if (d == 0 && node.has_batch(0)) node.fail("resizing the batch", Refusal::unsupported);
    result = resampled(node, result, d, how, extents[d]);
  }
  node.result(0, result);
}

// clang-format off
constexpr OpRow resize_table[] = {
    {"Resize",   resize},
    {"Upsample", resize},
};
// clang-format on

}  // namespace

std::span<const OpRow> resize_rows() { return resize_table; }

}  // namespace dojo::onnx
