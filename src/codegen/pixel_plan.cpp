// The right operand of a weight gradient as pixels: where the chain runs over the pixels of an image and the
// columns over channels and points of the convolution's kernel, a copy with the channels last,
// [row][column][channel], holds the columns of every chain step side by side. A point of the kernel is then
// only another place to start from; points next to each other along the last dimension even lie so. Where
// that gives few columns, all rows that a chain step reads are stacked before the channels: [chain
// row][column][point row][channel]. Zeros stand for what lies outside the image.
#include "base/index.h"
#include "codegen/matrix_plan.h"
#include "lowering/access.h"

namespace dojo::codegen {
namespace {

constexpr std::int64_t stacked_below = 33;  // columns: more fill two tiles
constexpr std::int64_t shortest_run = 8;    // columns side by side that are worth it

// One dimension's index, axis by axis; nothing if it has another form.
std::optional<PixelDimension> pixel_dimension(const KernelStep& step, const MatrixProduct& product,
                                              std::size_t d) {
  const KernelOperand& operand = step.in[product.right];
  const graph::AffineIndex& index = operand.access->map[d];
  PixelDimension dimension;
  dimension.dimension = d;
  dimension.low = index.offset;
  dimension.extent = operand.buffer->shape[d];
  for (std::size_t a = 0; a < step.axes.size(); ++a) {
    const std::int64_t c = index.coefficients[a];
    if (c == 0) continue;
    const int axis = static_cast<int>(a);
    if (contains(product.k.axes, axis)) {
      if (dimension.chain >= 0 || c < 1) return std::nullopt;
      dimension.chain = axis, dimension.stride = c;
    } else if (contains(product.n.axes, axis)) {
      if (dimension.point >= 0 || c < 1) return std::nullopt;
      dimension.point = axis, dimension.dilation = c;
    } else if (lowering::plain_dimension(*operand.access, a) != static_cast<int>(d)) {
      return std::nullopt;
    }
  }
  return dimension;
}

bool is_channel(const KernelStep& step, const KernelOperand& operand, const PixelDimension& dimension) {
  return lowering::plain_dimension(*operand.access, at(dimension.point)) ==
             static_cast<int>(dimension.dimension) &&
         !lowering::may_leave(operand.access->map[dimension.dimension], step.op.box, dimension.extent);
}

}  // namespace

std::optional<Pixels> find_pixels(const KernelStep& step, const MatrixProduct& product) {
  const KernelOperand& operand = step.in[product.right];
  const std::vector<int>&columns = product.n.axes, &chain = product.k.axes;
  if (operand.buffer->format != product.panel || chain.size() != 2) return std::nullopt;
  for (const std::vector<int>* group : {&columns, &chain}) {
    for (const int a : *group) {
      if (step.axes[at(a)].run_time) return std::nullopt;
    }
  }
  Pixels pixels;
  std::size_t found = 0;
  for (std::size_t d = 0; d < operand.access->map.size(); ++d) {
    const std::optional<PixelDimension> dimension = pixel_dimension(step, product, d);
    if (!dimension) return std::nullopt;
    found += dimension->point >= 0 ? 1 : 0;
    if (dimension->chain >= 0) {
      pixels.spatial.push_back(*dimension);
    } else if (dimension->point >= 0) {
      if (pixels.channel >= 0 || !is_channel(step, operand, *dimension)) return std::nullopt;
      pixels.channel = dimension->point;
    }
  }
  const auto& spatial = pixels.spatial;
  if (spatial.size() != 2 || pixels.channel < 0 || found != columns.size()) return std::nullopt;
  if (spatial[0].chain != chain[0] || spatial[1].chain != chain[1]) return std::nullopt;
  if (columns[0] != pixels.channel) return std::nullopt;
  const std::int64_t height = pixels_read(step, pixels, 0, step.op.box[at(chain[0])].extent);
  const bool rows_inside = spatial[0].low >= 0 && spatial[0].low + height <= spatial[0].extent;
  pixels.stacked = rows_inside && spatial[1].dilation == 1 && points(step, pixels, 0) > 1 &&
                   pixel_run(step, pixels, step.extent(pixels.channel)) < stacked_below;
  if (pixel_run(step, pixels, step.extent(pixels.channel)) < shortest_run) return std::nullopt;
  return pixels;
}

std::int64_t points(const KernelStep& step, const Pixels& pixels, std::size_t k) {
  return pixels.spatial[k].point < 0 ? 1 : step.extent(pixels.spatial[k].point);
}

std::int64_t pixel_run(const KernelStep& step, const Pixels& pixels, std::int64_t channels) {
  return (pixels.spatial[1].dilation == 1 ? points(step, pixels, 1) : 1) *
         (pixels.stacked ? points(step, pixels, 0) : 1) * channels;
}

std::int64_t pixels_read(const KernelStep& step, const Pixels& pixels, std::size_t k, std::int64_t count) {
  const PixelDimension& dimension = pixels.spatial[k];
  return dimension.stride * (count - 1) + dimension.dilation * (points(step, pixels, k) - 1) + 1;
}

std::int64_t copied_elements(const KernelStep& step, const Pixels& pixels, std::int64_t rows,
                             std::int64_t channels) {
  const std::int64_t lines =
      pixels.stacked ? rows * points(step, pixels, 0) : pixels_read(step, pixels, 0, rows);
  return lines * pixels_read(step, pixels, 1, step.extent(pixels.spatial[1].chain)) * channels;
}

Pixels with_pitches(const KernelStep& step, const MatrixProduct& product, Pixels pixels) {
  pixels.pixel_pitch = (pixels.stacked ? points(step, pixels, 0) : 1) * product.n.size;
  pixels.row_pitch = pixels_read(step, pixels, 1, step.extent(pixels.spatial[1].chain)) * pixels.pixel_pitch;
  return pixels;
}

}  // namespace dojo::codegen
