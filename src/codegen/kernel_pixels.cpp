// The right operand of a weight gradient as pixels: where the chain runs over the pixels of an image and the
// columns over channels and points of the convolution's kernel, a copy with the channels last,
// [row][column][channel], holds the columns of every chain step side by side. A point of the kernel is then
// only another place to start from; points next to each other along the last dimension even lie so. Where
// that gives few columns, all rows that a chain step reads are stacked before the channels: [chain
// row][column][point row][channel]. Zeros stand for what lies outside the image.
#include <fmt/format.h>

#include <algorithm>

#include "base/index.h"
#include "codegen/kernel_writer.h"
#include "lowering/access.h"

namespace dojo::codegen {
namespace {

constexpr std::int64_t stacked_below = 33;  // columns: more fill two tiles

}  // namespace

// Whether the right operand can be used so; sets pixels_.
bool KernelWriter::plan_pixels() {
  pixels_ = {};
  const Operand& operand = *right_;
  if (element_type(operand.buffer->format) != panel_type_ || k_.axes.size() != 2) return false;
  for (const std::vector<int>* group : {&n_.axes, &k_.axes}) {
    for (const int a : *group) {
      if (axes_[at(a)].run_time) return false;
    }
  }
  std::size_t columns = 0;
  for (std::size_t d = 0; d < operand.access->map.size(); ++d) {
    const graph::AffineIndex& index = operand.access->map[d];
    PixelDimension dim;
    dim.dimension = d, dim.low = index.offset, dim.extent = operand.buffer->shape[d];
    for (std::size_t a = 0; a < axes_.size(); ++a) {
      const std::int64_t c = index.coefficients[a];
      if (c == 0) continue;
      const int axis = static_cast<int>(a);
      if (contains(k_.axes, axis)) {
        if (dim.chain >= 0 || c < 1) return false;
        dim.chain = axis, dim.stride = c;
      } else if (contains(n_.axes, axis)) {
        if (dim.point >= 0 || c < 1) return false;
        dim.point = axis, dim.dilation = c;
        ++columns;
      } else if (lowering::plain_dimension(*operand.access, a) != static_cast<int>(d)) {
        return false;
      }
    }
    if (dim.chain >= 0) {
      pixels_.spatial.push_back(dim);
    } else if (dim.point >= 0) {
      if (pixels_.channel >= 0 ||
          lowering::plain_dimension(*operand.access, at(dim.point)) != static_cast<int>(d) ||
          lowering::may_leave(index, op_.box, dim.extent))
        return false;
      pixels_.channel = dim.point;
    }
  }
  const auto& spatial = pixels_.spatial;
  if (spatial.size() != 2 || pixels_.channel < 0 || columns != n_.axes.size()) return false;
  if (spatial[0].chain != k_.axes[0] || spatial[1].chain != k_.axes[1]) return false;
  if (n_.axes[0] != pixels_.channel) return false;
  const std::int64_t height = pixels_read(0, op_.box[at(k_.axes[0])].extent);
  const bool rows_inside = spatial[0].low >= 0 && spatial[0].low + height <= spatial[0].extent;
  pixels_.stacked = rows_inside && spatial[1].dilation == 1 && points(0) > 1 &&
                    pixel_run(extent(pixels_.channel)) < stacked_below;
  if (pixel_run(extent(pixels_.channel)) < 8) return false;
  pixels_.used = true;
  return true;
}

std::int64_t KernelWriter::points(std::size_t k) const {
  return pixels_.spatial[k].point < 0 ? 1 : extent(pixels_.spatial[k].point);
}

std::int64_t KernelWriter::pixel_run(std::int64_t channels) const {
  return (pixels_.spatial[1].dilation == 1 ? points(1) : 1) * (pixels_.stacked ? points(0) : 1) * channels;
}

// Rows (columns) of the image that `count` chain steps along a dimension read.
std::int64_t KernelWriter::pixels_read(std::size_t k, std::int64_t count) const {
  const PixelDimension& dim = pixels_.spatial[k];
  return dim.stride * (count - 1) + dim.dilation * (points(k) - 1) + 1;
}

std::int64_t KernelWriter::pixel_elements(std::int64_t rows, std::int64_t channels) const {
  const std::int64_t lines = pixels_.stacked ? rows * points(0) : pixels_read(0, rows);
  return lines * pixels_read(1, extent(k_.axes[1])) * channels;
}

void KernelWriter::begin_pixels() {
  const PixelDimension& rows = pixels_.spatial[0];
  const PixelDimension& columns = pixels_.spatial[1];
  pixels_.pixel_pitch = (pixels_.stacked ? points(0) : 1) * n_.size;
  pixels_.row_pitch = pixels_read(1, extent(k_.axes[1])) * pixels_.pixel_pitch;
  reserve(pixel_elements(k_.size, n_.size), panel_type_, "staged");
  reserve(k_.most() + 2, "int32_t", "places");
  const std::string& row = axes_[at(rows.chain)].variable;
  const std::string& column = axes_[at(columns.chain)].variable;
  code_.open(fmt::format("for (long {0} = 0; {0} < {1}; ++{0})", row, k_.size));
  code_.line(fmt::format(
      "for (long {0} = 0; {0} < {1}; ++{0}) places[{2} * {1} + {0}] = static_cast<int32_t>({3} * {2} + {4} * "
      "{0});",
      column, extent(columns.chain), row, (pixels_.stacked ? 1 : rows.stride) * pixels_.row_pitch,
      columns.stride * pixels_.pixel_pitch));
  code_.close();
  if (!pixels_.stacked) return;
  const graph::AffineIndex strides = lowering::linear(*right_->access, axes_.size(), right_->buffer->shape);
  const std::string& point = axes_[at(rows.point)].variable;
  const std::string& channel = axes_[at(pixels_.channel)].variable;
  reserve(pixels_.pixel_pitch, "int32_t", "lines");
  code_.open(fmt::format("for (long {0} = 0; {0} < {1}; ++{0})", point, points(0)));
  code_.line(
      fmt::format("for (long {0} = 0; {0} < {1}; ++{0}) lines[{2} * {1} + {0}] = static_cast<int32_t>({3} * "
                  "{2} + {4} * {0});",
                  channel, n_.size, point, strides.coefficients[at(rows.point)],
                  strides.coefficients[at(pixels_.channel)]));
  code_.close();
}

// Fills the copy for the present blocks.
void KernelWriter::stage_pixels(const BlockStarts& starts) {
  const PixelDimension& rows = pixels_.spatial[0];
  const PixelDimension& columns = pixels_.spatial[1];
  const graph::AffineIndex strides = lowering::linear(*right_->access, axes_.size(), right_->buffer->shape);
  std::vector<std::int64_t> size_under(right_->buffer->shape.size(), 1);
  for (std::size_t d = size_under.size() - 1; d-- > 0;)
    size_under[d] = size_under[d + 1] * right_->buffer->shape[d + 1];
  std::string source = right_->pointer;
  for (std::size_t a = 0; a < axes_.size(); ++a) {
    const int axis = static_cast<int>(a);
    const std::int64_t stride = strides.coefficients[a];
    if (stride == 0) continue;
    if (right_->shifted && axis == step_.tile_axis) source += fmt::format(" + {} * first", stride);
    if (contains(k_.axes, axis)) continue;
    if (!contains(n_.axes, axis))
      source += fmt::format(" + {} * {}", stride, axes_[a].variable);
    else if (axis == pixels_.channel && starts.contains(axis))
      source += fmt::format(" + {} * {}", stride, starts.at(axis));
  }
  const std::int64_t width = pixels_read(1, extent(columns.chain));
  const std::int64_t begin = std::clamp<std::int64_t>(-columns.low, 0, width);
  const std::int64_t end = std::clamp<std::int64_t>(columns.extent - columns.low, begin, width);
  const std::int64_t height = pixels_read(0, op_.box[at(rows.chain)].extent);
  const bool rows_leave = rows.low < 0 || rows.low + height > rows.extent;
  if (rows_leave || begin > 0 || end < width) {
    code_.line(
        "#pragma clang loop vectorize(assume_safety) vectorize_width(16, scalable) interleave(disable)");
    code_.line(fmt::format("for (long e = 0; e < {}; ++e) staged[e] = 0;", pixel_elements(k_.size, n_.size)));
  }
  const std::string& v = axes_[at(rows.chain)].variable;
  const std::string start = starts.contains(rows.chain) ? starts.at(rows.chain) : "0";
  const std::int64_t skipped = (begin + columns.low) * size_under[columns.dimension];
  if (pixels_.stacked) {
    code_.line(fmt::format("for (long {0} = 0; {0} < {1}; ++{0})", v, k_.count));
    code_.line(fmt::format(
        "  dojo::transpose(staged + {} * {} + {}, {}, {} + {} * ({} * ({} + {}) + {}) + {}, lines, {}, {});",
        pixels_.row_pitch, v, begin * pixels_.pixel_pitch, pixels_.pixel_pitch, source,
        size_under[rows.dimension], rows.stride, v, start, rows.low, skipped, pixels_.pixel_pitch,
        end - begin));
    return;
  }
  code_.open(fmt::format("for (long {0}_place = 0; {0}_place < {1} * ({2} - 1) + {3}; ++{0}_place)", v,
                         rows.stride, k_.count, rows.dilation * (points(0) - 1) + 1));
  code_.line(
      fmt::format("const long {0}_pixel = {0}_place + {1} * {2} + {3};", v, rows.stride, start, rows.low));
  if (rows_leave)
    code_.line(fmt::format("if (static_cast<unsigned long>({}_pixel) >= {}) continue;", v, rows.extent));
  code_.line(
      fmt::format("dojo::transpose(staged + {} * {}_place + {}, {}, {} + {} * {}_pixel + {}, {}, {}, {});",
                  pixels_.row_pitch, v, begin * n_.size, n_.size, source, size_under[rows.dimension], v,
                  skipped, strides.coefficients[at(pixels_.channel)], n_.count, end - begin));
  code_.close();
}

// One product for each point of the kernel, or for each row of points where those of a row lie side by side.
void KernelWriter::multiply_pixels(const std::string& left, std::int64_t left_stride, const std::string& c,
                                   std::int64_t c_stride, bool accumulate) {
  const auto size = [](const Block& block) {
    return block.inner == 1 ? block.count : fmt::format("{} * {}", block.count, block.inner);
  };
  const bool beside = pixels_.spatial[1].dilation == 1;
  std::string from = "staged", to = c;
  std::size_t open = 0;
  for (std::size_t k = pixels_.stacked ? 1 : 0; k < (beside ? 1 : 2); ++k) {
    const PixelDimension& dim = pixels_.spatial[k];
    if (dim.point < 0) continue;
    open += open_loop(dim.point);
    const std::string& v = axes_[at(dim.point)].variable;
    from += fmt::format(" + {} * {}", dim.dilation * (k == 0 ? pixels_.row_pitch : n_.size), v);
    to += fmt::format(" + {} * {}", (k == 0 ? points(1) : 1) * n_.size, v);
  }
  code_.line(fmt::format("dojo::matmul_listed({}, {}, {}, places, {}, {}, {}, {}, {}, {});", left,
                         left_stride, from, to, c_stride, size(m_), pixel_run(n_.size), size(k_),
                         accumulate));
  for (std::size_t k = 0; k < open; ++k) code_.close();
}

AffineText KernelWriter::pixel_index(std::int64_t row_stride) const {
  AffineText index = panel_index(m_, Block{}, row_stride);
  index.strides[at(pixels_.channel)] = 1;
  const std::int64_t stride[] = {pixels_.stacked ? n_.size : points(1) * n_.size, pixels_.pixel_pitch};
  for (std::size_t k = 0; k < 2; ++k) {
    if (pixels_.spatial[k].point >= 0) index.strides[at(pixels_.spatial[k].point)] = stride[k];
  }
  return index;
}

}  // namespace dojo::codegen
