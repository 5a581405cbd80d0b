// Discrete Fourier transforms, as products with the matrices of their cosines and sines.
//
//   X[k] = sum over t of x[t] e^(-2 pi i k t / n)        x[t] = 1/n sum over k of X[k] e^(2 pi i k t / n)
#include <cmath>
#include <numbers>

#include "onnx/node.h"

namespace dojo::onnx {
namespace {

using graph::Shape;
using graph::TensorId;

constexpr std::int64_t longest_transform = 1 << 12;

// factor(row, column) for every element.
template <typename Factor>
std::vector<float> matrix_of(std::int64_t rows, std::int64_t columns, Factor factor) {
  std::vector<float> matrix;
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < columns; ++column)
      matrix.push_back(static_cast<float>(factor(row, column)));
  return matrix;
}

// 2 pi k t / n, of the remainder, so that it is exact for large products.
double angle(std::int64_t k, std::int64_t t, std::int64_t length) {
  return 2 * std::numbers::pi * static_cast<double>(k * t % length) / static_cast<double>(length);
}

struct Transform {
  std::int64_t axis = 0, length = 0;
  bool inverse = false, one_sided = false;
};

struct Complex {
  TensorId real, imaginary;  // imaginary: no_tensor if there is none
};

Complex parts_of(NodeImport& node, TensorId x) {
  graph::Builder& b = node.build();
  const std::int64_t last = static_cast<std::int64_t>(b.shape(x).size()) - 1, parts = b.shape(x).back();
  if (parts != 1 && parts != 2) node.fail(fmt::format("{} numbers as one complex number", parts));
  return {b.slice(x, last, 0, 1), parts == 2 ? b.slice(x, last, 1, 2) : graph::no_tensor};
}

TensorId transformed(NodeImport& node, TensorId x, const Transform& how) {
  graph::Builder& b = node.build();
  const std::int64_t given = b.shape(x)[static_cast<std::size_t>(how.axis)], n = how.length;
  if (n < 1 || n > longest_transform || given > longest_transform)
    node.fail(fmt::format("{} numbers to {}, more than {}", given, n, longest_transform), Refusal::not_yet);
  const Complex in = parts_of(node, x);
  const bool to_real = how.inverse && how.one_sided;
  const std::int64_t rows = how.one_sided && !how.inverse ? n / 2 + 1 : n;
  const double sign = how.inverse ? 1 : -1, scale = how.inverse ? 1 / static_cast<double>(n) : 1;
  // What lies behind the transform's length does not count; of one side all but its ends counts twice.
  const auto weight = [&](std::int64_t column) {
    if (column >= (to_real ? n / 2 + 1 : n)) return 0.0;
    return to_real && column != 0 && 2 * column != n ? 2 * scale : scale;
  };
  const auto mixed = [&](TensorId part, bool sine, double factor) {
    return b.mix(part, how.axis, matrix_of(rows, given, [&](std::int64_t row, std::int64_t column) {
                   const double turn = angle(row, column, n);
                   return factor * weight(column) * (sine ? std::sin(turn) : std::cos(turn));
                 }));
  };
  TensorId real = mixed(in.real, false, 1);
  if (in.imaginary != graph::no_tensor) real = b.add(real, mixed(in.imaginary, true, -sign));
  if (to_real) return real;
  TensorId imaginary = mixed(in.real, true, sign);
  if (in.imaginary != graph::no_tensor) imaginary = b.add(imaginary, mixed(in.imaginary, false, 1));
  return b.concat(std::vector{real, imaginary}, -1);
}

void fourier(NodeImport& node) {
  const Shape shape = node.shape(0);
  Transform how;
  how.inverse = node.integer("inverse", 0) != 0, how.one_sided = node.integer("onesided", 0) != 0;
  std::int64_t axis = -2;
  if (node.opset() < 20)
    axis = node.integer("axis", 1);
  else if (node.has(2))
    axis = node.operand_integer(2);
  const std::size_t d = node.dimension(axis, shape.size());
  if (d + 1 == shape.size()) node.fail("over the dimension of a complex number's parts");
  if (d == 0 && node.has_batch(0)) node.fail("over the samples of the batch", Refusal::unsupported);
  how.axis = static_cast<std::int64_t>(d);
  how.length = how.inverse && how.one_sided ? 2 * (shape[d] - 1) : shape[d];
  if (node.has(1)) how.length = node.operand_integer(1);
  node.result(0, transformed(node, node.tensor(0), how));
}

// Of every frame of a signal [n, t, 1 or 2], weighted by a window.
void short_time_fourier(NodeImport& node) {
  graph::Builder& b = node.build();
  const TensorId signal = node.tensor(0);
  const Shape shape = b.shape(signal);
  const std::int64_t step = node.operand_integer(1);
  if (shape.size() != 3 || step < 1)
    node.fail(fmt::format("a step of {} in [{}]", step, fmt::join(shape, ", ")));
  std::int64_t length = node.has(2) ? node.shape(2).at(0) : shape[1];
  if (node.has(3)) length = node.operand_integer(3);
  if (length < 1 || length > shape[1] || (node.has(2) && node.shape(2) != Shape{length}))
    node.fail(fmt::format("frames of {} in a signal of {}", length, shape[1]));
  const std::int64_t frames = (shape[1] - length) / step + 1;
  if (frames > 4096) node.fail(fmt::format("{} frames, more than 4096", frames), Refusal::not_yet);
  std::vector<TensorId> parts;
  for (std::int64_t k = 0; k < frames; ++k)
    parts.push_back(b.unsqueeze(b.slice(signal, 1, k * step, k * step + length), {1}));
  TensorId framed = parts.size() == 1 ? parts[0] : b.concat(parts, 1);
  if (node.has(2)) framed = b.multiply(framed, b.reshape(node.tensor(2), {length, 1}));
  node.result(0, transformed(node, framed,
                             {.axis = 2, .length = length, .one_sided = node.integer("onesided", 1) != 0}));
}

constexpr OpRow frequency_table[] = {
    {"DFT", fourier},
    {"STFT", short_time_fourier},
};

}  // namespace

std::span<const OpRow> frequency_rows() { return frequency_table; }

}  // namespace dojo::onnx
