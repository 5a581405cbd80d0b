// GridSample, the grids that AffineGrid makes for it, and what both are made of.
#include "onnx/sampled.h"

#include <algorithm>
#include <numeric>

#include "onnx/formulas.h"

namespace dojo::onnx {
namespace {

using graph::Scalar;
using graph::Shape;
using graph::TensorId;

// --- Along one dimension ---

struct Line {
  std::int64_t extent = 1;
  Sampling how;

  F::Node held(F& f, F::Node x) const {
    const F::Node last = f.constant(static_cast<float>(extent - 1));
    return f.apply(Scalar::minimum, f.apply(Scalar::maximum, x, f.constant(0)), last);
  }
  // There and back between the mirrors, as often as it takes.
  F::Node reflected(F& f, F::Node x) const {
    const float low = how.aligned ? 0 : -0.5f, span = static_cast<float>(how.aligned ? extent - 1 : extent);
    if (span == 0) return f.constant(0);
    const F::Node way = f.apply(Scalar::fmod, f.apply(Scalar::absolute, f.subtract(x, f.constant(low))),
                                f.constant(2 * span));
    const F::Node back = f.apply(Scalar::minimum, way, f.subtract(f.constant(2 * span), way));
    return f.add(f.constant(low), back);
  }
  F::Node inside(F& f, F::Node x) const {
    if (how.padding == Sampling::Padding::border) return held(f, x);
    return how.padding == Sampling::Padding::reflection ? reflected(f, x) : x;
  }
};

// Keys' cubic convolution with a = -3/4 for an element at a distance from 0 to 1, and from 1 to 2.
F::Node near_weight(F& f, F::Node x) {
  const F::Node slope = f.subtract(f.multiply(f.constant(1.25f), x), f.constant(2.25f));
  return f.add(f.multiply(f.multiply(slope, x), x), f.constant(1));
}
F::Node far_weight(F& f, F::Node x) {
  const F::Node inner = f.subtract(f.constant(3.75f), f.multiply(f.constant(0.75f), x));
  return f.add(f.multiply(f.subtract(f.multiply(inner, x), f.constant(6)), x), f.constant(3));
}

F::Node weight_of(F& f, F::Node rest, int step, Sampling::Mode mode) {
  const F::Node one = f.constant(1);
  if (mode == Sampling::Mode::linear) return step == 0 ? f.subtract(one, rest) : rest;
  if (step == -1) return far_weight(f, f.add(one, rest));
  if (step == 2) return far_weight(f, f.subtract(f.constant(2), rest));
  return near_weight(f, step == 0 ? rest : f.subtract(one, rest));
}

// One of the elements around every point: its place, and the weight that it has.
struct Neighbour {
  TensorId place, weight;
};

std::vector<Neighbour> neighbours(NodeImport& node, TensorId points, const Line& line) {
  graph::Builder& b = node.build();
  const auto computed = [&](auto formula) {
    F f;
    return b.elementwise(f.finish(formula(f, f.input(0))), std::span(&points, 1));
  };
  const Sampling::Mode mode = line.how.mode;
  points = computed([&](F& f, F::Node x) {
    return line.inside(f, mode == Sampling::Mode::nearest ? round(f, x, node) : x);
  });
  const int first = mode == Sampling::Mode::cubic ? -1 : 0, last = mode == Sampling::Mode::cubic    ? 2
                                                                   : mode == Sampling::Mode::linear ? 1
                                                                                                    : 0;
  std::vector<Neighbour> result;
  for (int step = first; step <= last; ++step) {
    const auto place = [&](F& f, F::Node x) {
      const F::Node there = f.add(f.apply(Scalar::floor, x), f.constant(static_cast<float>(step)));
      return line.how.padding == Sampling::Padding::reflection ? line.reflected(f, there) : there;
    };
    const auto weight = [&](F& f, F::Node x) {
      const F::Node own = mode == Sampling::Mode::nearest
                              ? f.constant(1)
                              : weight_of(f, f.subtract(x, f.apply(Scalar::floor, x)), step, mode);
      if (line.how.padding != Sampling::Padding::zeros) return own;
      const F::Node at = place(f, x), end = f.constant(static_cast<float>(line.extent));
      const F::Node exists = f.multiply(f.less(f.constant(-1), at), f.less(at, end));
      return f.multiply(own, exists);
    };
    result.push_back(
        {computed([&](F& f, F::Node x) { return line.held(f, place(f, x)); }), computed(weight)});
  }
  return result;
}

}  // namespace

TensorId sampled(NodeImport& node, TensorId x, std::span<const TensorId> places, const Sampling& how) {
  graph::Builder& b = node.build();
  const Shape shape = b.shape(x);  // [n, c, extents...]
  const std::size_t rank = shape.size();
  std::int64_t elements = 1;
  for (std::size_t d = 2; d < rank; ++d) elements *= shape[d];
  if (elements > largest_whole)
    node.fail(fmt::format("{} elements to be told apart by FP32 numbers", elements), Refusal::not_yet);
  std::vector<std::int64_t> order = {0};
  for (std::size_t d = 2; d < rank; ++d) order.push_back(static_cast<std::int64_t>(d));
  order.push_back(1);
  const TensorId rows = b.reshape(b.transpose(x, order), {shape[0], elements, shape[1]});

  std::vector<Neighbour> all = {{graph::no_tensor, graph::no_tensor}};
  for (std::size_t d = 2; d < rank; ++d) {
    std::vector<Neighbour> longer;
    const std::vector<Neighbour> along = neighbours(node, places[d - 2], {shape[d], how});
    for (const Neighbour& outer : all)
      for (const Neighbour& inner : along) {
        if (outer.place == graph::no_tensor)
          longer.push_back(inner);
        else
          longer.push_back({b.add(b.scale(outer.place, static_cast<float>(shape[d])), inner.place),
                            b.multiply(outer.weight, inner.weight)});
      }
    all = std::move(longer);
  }
  TensorId sum = graph::no_tensor;
  for (const Neighbour& one : all) {
    const TensorId part =
        b.multiply(b.gather_nd(rows, b.unsqueeze(one.place, {2}), 1), b.unsqueeze(one.weight, {2}));
    sum = sum == graph::no_tensor ? part : b.add(sum, part);
  }
  return sum;
}

namespace {

// --- GridSample ---

Sampling sampling_of(NodeImport& node) {
  Sampling how;
  const std::string mode = node.text("mode", "linear"), padding = node.text("padding_mode", "zeros");
  if (mode == "nearest")
    how.mode = Sampling::Mode::nearest;
  else if (mode == "cubic" || mode == "bicubic")
    how.mode = Sampling::Mode::cubic;
  else if (mode != "linear" && mode != "bilinear")
    node.fail(fmt::format("mode = '{}'", mode));
  if (padding == "border")
    how.padding = Sampling::Padding::border;
  else if (padding == "reflection")
    how.padding = Sampling::Padding::reflection;
  else if (padding != "zeros")
    node.fail(fmt::format("padding_mode = '{}'", padding));
  how.aligned = node.integer("align_corners", 0) != 0;
  return how;
}

// From -1 to 1, from end to end of the outermost elements or from centre to centre.
F::Node counted(F& f, F::Node x, std::int64_t extent, bool aligned) {
  const F::Node half = f.multiply(f.add(x, f.constant(1)), f.constant(0.5f));
  const auto count = static_cast<float>(extent);
  if (aligned) return f.multiply(half, f.constant(count - 1));
  return f.subtract(f.multiply(half, f.constant(count)), f.constant(0.5f));
}

void grid_sample(NodeImport& node) {
  const Sampling how = sampling_of(node);
  graph::Builder& b = node.build();
  const TensorId x = node.tensor(0), grid = node.tensor(1);
  const Shape shape = b.shape(x), points = b.shape(grid);
  const std::size_t spatial = shape.size() - std::min<std::size_t>(2, shape.size());
  if (spatial < 1 || points.size() != shape.size() || points.back() != static_cast<std::int64_t>(spatial) ||
      points[0] != shape[0])
    node.fail(fmt::format("a grid [{}] for [{}]", fmt::join(points, ", "), fmt::join(shape, ", ")));
  const std::int64_t count =
      std::accumulate(points.begin() + 1, points.end() - 1, std::int64_t{1}, std::multiplies<>());
  const TensorId flat = b.reshape(grid, {points[0], count, points.back()});
  std::vector<TensorId> places;
  for (std::size_t d = 0; d < spatial; ++d) {  // the grid names the last dimension first
    const auto component = static_cast<std::int64_t>(spatial - 1 - d);
    const TensorId own = b.reshape(b.slice(flat, 2, component, component + 1), {points[0], count});
    F f;
    places.push_back(
        b.elementwise(f.finish(counted(f, f.input(0), shape[d + 2], how.aligned)), std::span(&own, 1)));
  }
  Shape result = {shape[0], shape[1]};
  result.insert(result.end(), points.begin() + 1, points.end() - 1);
  node.result(0, b.reshape(b.transpose(sampled(node, x, places, how), {0, 2, 1}), result));
}

// --- AffineGrid ---

// Places 1 to -1 of `extent` elements.
std::vector<float> spread(std::int64_t extent, bool aligned) {
  std::vector<float> places;
  const auto count = static_cast<double>(extent);
  for (std::int64_t i = 0; i < extent; ++i) {
    const auto at = static_cast<double>(i);
    places.push_back(static_cast<float>(aligned ? (extent > 1 ? 2 * at / (count - 1) - 1 : -1)
                                                : (2 * at + 1) / count - 1));
  }
  return places;
}

void affine_grid(NodeImport& node) {
  const bool aligned = node.integer("align_corners", 0) != 0;
  const Shape size = node.operand_integers(1), theta = node.shape(0);
  const std::size_t spatial = size.size() - std::min<std::size_t>(2, size.size());
  if (spatial < 2 || theta.size() != 3 || theta[1] != static_cast<std::int64_t>(spatial) ||
      theta[2] != theta[1] + 1)
    node.fail(fmt::format("transformations [{}] for [{}]", fmt::join(theta, ", "), fmt::join(size, ", ")));
  std::int64_t points = 1;
  for (std::size_t d = 2; d < size.size(); ++d) {
    if (size[d] < 1 || size[d] > largest_whole / points)
      node.fail(fmt::format("a grid of [{}]", fmt::join(size, ", ")), Refusal::unsupported);
    points *= size[d];
  }
  // For every point its place along each dimension, the last one first, and 1.
  std::vector<float> base(static_cast<std::size_t>(points) * (spatial + 1), 1.0f);
  std::int64_t stride = 1;
  for (std::size_t component = 0; component < spatial; ++component) {
    const std::int64_t extent = size[size.size() - 1 - component];
    const std::vector<float> places = spread(extent, aligned);
    for (std::int64_t p = 0; p < points; ++p)
      base[static_cast<std::size_t>(p) * (spatial + 1) + component] =
          places[static_cast<std::size_t>(p / stride % extent)];
    stride *= extent;
  }
  graph::Builder& b = node.build();
  const TensorId grid = b.constant(b.fresh_tensor_name("grid"), {points, theta[2]}, std::move(base));
  Shape result = {theta[0]};
  result.insert(result.end(), size.begin() + 2, size.end());
  result.push_back(theta[1]);
  node.result(0, b.reshape(b.matmul(grid, node.tensor(0), false, true), result));
}

constexpr OpRow sampled_table[] = {
    {"AffineGrid", affine_grid},
    {"GridSample", grid_sample},
};

}  // namespace

std::span<const OpRow> sampled_rows() { return sampled_table; }

}  // namespace dojo::onnx
