// Right operands as pixels (pixel_plan.cpp): the list of places, the copy, and the products.
#include <fmt/format.h>

#include <algorithm>

#include "base/index.h"
#include "codegen/matrix_plan.h"
#include "codegen/product_writer.h"

namespace dojo::codegen {
namespace {

// Where the image's pixel 0 would lie under the present blocks.
std::string image_origin(const KernelStep& step, const MatrixProduct& product, const Pixels& pixels,
                         const Scope& scope) {
  const KernelOperand& operand = step.in[product.right];
  const std::vector<std::int64_t> strides = step.strides(operand);
  std::string source = operand.pointer;
  for (std::size_t a = 0; a < step.axes.size(); ++a) {
    const int axis = static_cast<int>(a);
    if (strides[a] == 0) continue;
    if (operand.shifted && axis == step.step.tile_axis) source += fmt::format(" + {} * first", strides[a]);
    if (contains(product.k.axes, axis)) continue;
    if (!contains(product.n.axes, axis))
      source += fmt::format(" + {} * {}", strides[a], step.axes[a].variable);
    else if (axis == pixels.channel && scope.starts.contains(axis))
      source += fmt::format(" + {} * {}", strides[a], scope.starts.at(axis));
  }
  return source;
}

}  // namespace

void list_places(KernelWriter& to, const MatrixProduct& product, const Pixels& pixels) {
  const KernelStep& step = to.step();
  CodeText& code = to.code();
  const PixelDimension &rows = pixels.spatial[0], &columns = pixels.spatial[1];
  const auto variable = [&](int axis) -> const std::string& { return step.axes[at(axis)].variable; };
  to.declare_scratch("staged");
  to.declare_scratch("places");
  code.open(fmt::format("for (long {0} = 0; {0} < {1}; ++{0})", variable(rows.chain), product.k.size));
  code.line(fmt::format(
      "for (long {0} = 0; {0} < {1}; ++{0}) places[{2} * {1} + {0}] = static_cast<int32_t>({3} * {2} + {4} * "
      "{0});",
      variable(columns.chain), step.extent(columns.chain), variable(rows.chain),
      (pixels.stacked ? 1 : rows.stride) * pixels.row_pitch, columns.stride * pixels.pixel_pitch));
  code.close();
  if (!pixels.stacked) return;
  const std::vector<std::int64_t> strides = step.strides(step.in[product.right]);
  to.declare_scratch("lines");
  code.open(
      fmt::format("for (long {0} = 0; {0} < {1}; ++{0})", variable(rows.point), points(step, pixels, 0)));
  code.line(
      fmt::format("for (long {0} = 0; {0} < {1}; ++{0}) lines[{2} * {1} + {0}] = static_cast<int32_t>({3} * "
                  "{2} + {4} * {0});",
                  variable(pixels.channel), product.n.size, variable(rows.point), strides[at(rows.point)],
                  strides[at(pixels.channel)]));
  code.close();
}

void copy_pixels(KernelWriter& to, const MatrixProduct& product, const Pixels& pixels, const Scope& scope) {
  const KernelStep& step = to.step();
  CodeText& code = to.code();
  const KernelOperand& operand = step.in[product.right];
  const PixelDimension &rows = pixels.spatial[0], &columns = pixels.spatial[1];
  const std::vector<std::int64_t> size_under = sizes_under(operand.buffer->shape);
  const std::string source = image_origin(step, product, pixels, scope);
  const std::int64_t width = pixels_read(step, pixels, 1, step.extent(columns.chain));
  const std::int64_t begin = std::clamp<std::int64_t>(-columns.low, 0, width);
  const std::int64_t end = std::clamp<std::int64_t>(columns.extent - columns.low, begin, width);
  const std::int64_t height = pixels_read(step, pixels, 0, step.op.box[at(rows.chain)].extent);
  const bool rows_leave = rows.low < 0 || rows.low + height > rows.extent;
  if (rows_leave || begin > 0 || end < width) {
    code.line(
        "#pragma clang loop vectorize(assume_safety) vectorize_width(16, scalable) interleave(disable)");
    code.line(fmt::format("for (long e = 0; e < {}; ++e) staged[e] = 0;",
                          copied_elements(step, pixels, product.k.size, product.n.size)));
  }
  const LoopAxis& chain = scope.axes[at(rows.chain)];
  const std::int64_t channels = product.n.size;
  const std::string& v = chain.variable;
  const std::string start = scope.starts.contains(rows.chain) ? scope.starts.at(rows.chain) : "0";
  const std::int64_t skipped = (begin + columns.low) * size_under[columns.dimension];
  if (pixels.stacked) {
    code.line(fmt::format("for (long {0} = 0; {0} < {1}; ++{0})", v, chain.count));
    code.line(fmt::format(
        "  dojo::transpose(staged + {} * {} + {}, {}, {} + {} * ({} * ({} + {}) + {}) + {}, lines, {}, {});",
        pixels.row_pitch, v, begin * pixels.pixel_pitch, pixels.pixel_pitch, source,
        size_under[rows.dimension], rows.stride, v, start, rows.low, skipped, pixels.pixel_pitch,
        end - begin));
    return;
  }
  code.open(fmt::format("for (long {0}_place = 0; {0}_place < {1} * ({2} - 1) + {3}; ++{0}_place)", v,
                        rows.stride, chain.count, rows.dilation * (points(step, pixels, 0) - 1) + 1));
  code.line(
      fmt::format("const long {0}_pixel = {0}_place + {1} * {2} + {3};", v, rows.stride, start, rows.low));
  if (rows_leave)
    code.line(fmt::format("if (static_cast<unsigned long>({}_pixel) >= {}) continue;", v, rows.extent));
  code.line(fmt::format(
      "dojo::transpose(staged + {} * {}_place + {}, {}, {} + {} * {}_pixel + {}, {}, {}, {});",
      pixels.row_pitch, v, begin * channels, channels, source, size_under[rows.dimension], v, skipped,
      step.strides(operand)[at(pixels.channel)], scope.axes[at(pixels.channel)].count, end - begin));
  code.close();
}

void multiply_pixels(KernelWriter& to, const MatrixProduct& product, const Pixels& pixels,
                     const std::string& left, std::int64_t left_stride, std::int64_t stride, Into into,
                     const Scope& scope) {
  const KernelStep& step = to.step();
  const std::int64_t channels = product.n.size;
  const bool beside = pixels.spatial[1].dilation == 1;
  std::string from = "staged", sums = "sums";
  std::size_t open = 0;
  for (std::size_t k = pixels.stacked ? 1 : 0; k < (beside ? 1 : 2); ++k) {
    const PixelDimension& dimension = pixels.spatial[k];
    if (dimension.point < 0) continue;
    to.open_loop(dimension.point, scope), ++open;
    const std::string& v = step.axes[at(dimension.point)].variable;
    from += fmt::format(" + {} * {}", dimension.dilation * (k == 0 ? pixels.row_pitch : channels), v);
    sums += fmt::format(" + {} * {}", (k == 0 ? points(step, pixels, 1) : 1) * channels, v);
  }
  to.code().line(fmt::format("dojo::matmul_listed({}, {}, {}, places, {}, {}, {}, {}, {}, {});", left,
                             left_stride, from, sums, stride, size_text(product.m, scope),
                             pixel_run(step, pixels, channels), size_text(product.k, scope),
                             into == Into::present_sums));
  for (std::size_t k = 0; k < open; ++k) to.code().close();
}

}  // namespace dojo::codegen
