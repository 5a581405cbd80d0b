// Resize and Upsample: every element repeated a whole number of times, or a product with the matrix that
// resamples a dimension.
#include <algorithm>
#include <cmath>

#include "onnx/node.h"

namespace dojo::onnx {
namespace {

// Whether the nearest source of output i is i / factor, for every i.
bool repeats(const std::string& coordinates, const std::string& nearest, std::int64_t factor) {
  if (factor == 1) return coordinates != "tf_crop_and_resize";
  if (coordinates == "asymmetric") return nearest == "floor";
  if (coordinates != "half_pixel" && coordinates != "pytorch_half_pixel") return false;
  return nearest == "round_prefer_floor" || nearest == "round_prefer_ceil";
}

// What a resize does to each dimension.
struct Resizing {
  graph::Shape extents;        // of the result
  std::vector<double> scales;  // result over operand
  bool whole = true;           // all scales are whole numbers
};

Resizing resizing_of(NodeImport& node, std::size_t scales, std::size_t sizes) {
  const graph::Shape shape = node.shape(0);
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
  graph::Shape factors;
  bool repeated = wanted.whole && mode == "nearest";
  for (const double scale : wanted.scales) {
    factors.push_back(static_cast<std::int64_t>(scale));
    repeated = repeated && repeats(coordinates, nearest, factors.back());
  }
  graph::TensorId result = node.tensor(0);
  if (repeated) return node.result(0, node.build().upsample_nearest(result, factors));
  const graph::Shape shape = node.shape(0);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (wanted.extents[d] == shape[d] && wanted.scales[d] == 1) continue;
    if (d == 0 && node.has_batch(0)) node.fail("resizing the batch", Refusal::unsupported);
    result = node.build().mix(result, static_cast<std::int64_t>(d),
                              resampling(node, coordinates, mode == "linear" ? "" : nearest, wanted.scales[d],
                                         shape[d], wanted.extents[d]));
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
