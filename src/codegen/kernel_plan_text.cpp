// A kernel's plan for people and tests.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "codegen/kernel.h"

namespace dojo::codegen {
namespace {

class PlanText {
public:
  PlanText(const KernelPlan& plan, const lowering::ComputeStep& step) : box_(step.op.box) {
    text_ = kind_of(plan);
    if (plan.multiply_adds != 0) text_ += fmt::format(", {} multiply-adds", plan.multiply_adds);
    text_ += "\n";
    if (plan.zeroed_first) line("the output is zeroed first");
    for (const KernelPlan& all : plan.all_samples) {
      std::visit([&](const auto& form) { describe(form); }, all.form);
      line("with samples missing");
    }
    std::visit([&](const auto& form) { describe(form); }, plan.form);
    for (const ScratchArea& area : plan.scratch)
      line(fmt::format("scratch {}: {} {}[{}]", area.offset, area.type, area.name, area.elements));
  }
  const std::string& text() const { return text_; }

private:
  void line(const std::string& words) { text_ += "  " + words + "\n"; }
  const std::string& name(int axis) const { return box_[static_cast<std::size_t>(axis)].name; }
  std::string names(const std::vector<int>& axes) const {
    std::string list;
    for (const int a : axes) list += (list.empty() ? "" : " ") + name(a);
    return list.empty() ? "-" : list;
  }

  void describe(const LoopsPlan&) {}

  void describe(const ChainPlan& chain) {
    line(chain.lane < 0 ? "one accumulator"
                        : fmt::format("{} accumulators along {}", chain.width, name(chain.lane)));
  }

  void describe(const Slice& slice, const ScatterOrder& order) {
    line(fmt::format("slice of {} elements{} under {}", slice.elements, slice.in_place ? " in place" : "",
                     names(slice.outer)));
    line(fmt::format("order {}; backwards {}{}", names(order.axes), names(order.backwards),
                     order.free ? "; the last one free" : ""));
  }

  void describe(const ScatterPlan& scatter) { describe(scatter.slice, scatter.order); }

  void describe(const char* what, const Block& block) {
    std::string axes;
    for (const int a : block.axes) {
      const std::int64_t extent = box_[static_cast<std::size_t>(a)].extent;
      axes += fmt::format(" {}:{}", name(a), extent);
      if (a == block.axes[0] && block.size != extent) axes += fmt::format(" by {}", block.size);
    }
    line(fmt::format("{}:{}", what, axes.empty() ? " -" : axes));
  }

  void describe(const Windows& windows) {
    line(fmt::format("right as windows{}: planes {}", windows.in_place ? " in place" : "",
                     names(windows.planes)));
    for (std::size_t k = 0; k < windows.spatial.size(); ++k) {
      const Window& window = windows.spatial[k];
      std::string taps;
      for (const auto& [axis, coefficient] : window.taps)
        taps += fmt::format(" + {}*{}", coefficient, name(axis));
      line(fmt::format("  {}*{}{} from {} of {}; phases {}, beyond {}, pitch {}", window.stride,
                       name(window.axis), taps, window.low, window.extent, window.phases, window.beyond,
                       windows.pitch[k]));
    }
  }

  void describe(const Pixels& pixels) {
    line(fmt::format("right as pixels{}: channel {}, pitch {} a pixel, {} a row",
                     pixels.stacked ? " stacked" : "", name(pixels.channel), pixels.pixel_pitch,
                     pixels.row_pitch));
    for (const PixelDimension& dimension : pixels.spatial)
      line(fmt::format(
          "  {}*{}{} from {} of {}", dimension.stride, name(dimension.chain),
          dimension.point < 0 ? "" : fmt::format(" + {}*{}", dimension.dilation, name(dimension.point)),
          dimension.low, dimension.extent));
  }

  void describe(const MatrixProduct& product) {
    const auto operand = [](std::size_t number, bool in_place, bool whole) {
      return fmt::format("in{}{}", number, in_place ? " in place" : whole ? " packed whole" : " packed");
    };
    line(fmt::format("{} panels: left {}, right {}", numerics::name(product.panel),
                     operand(product.left, product.left_in_place, product.left_whole),
                     product.listed() ? fmt::format("in{} at listed places", product.right)
                                      : operand(product.right, product.right_in_place, false)));
    describe("rows", product.m);
    describe("columns", product.n);
    describe("chain", product.k);
    if (product.windows) describe(*product.windows);
    if (product.pixels) describe(*product.pixels);
  }

  void describe(const MatrixPlan& matrix) {
    line(fmt::format(
        "outer {}{}; about {} instructions", names(matrix.outer),
        matrix.batch_chain < 0 ? "" : fmt::format("; batch {} in the chain", name(matrix.batch_chain)),
        matrix.cost));
    describe(matrix.product);
    line(fmt::format("sums {} a row{}", matrix.sums_stride, matrix.sums_in_place ? ", in place" : ""));
  }

  void describe(const MatrixScatterPlan& scatter) {
    describe(scatter.product);
    describe(scatter.slice, scatter.order);
  }

  const std::vector<graph::Axis>& box_;
  std::string text_;
};

}  // namespace

std::string to_text(const KernelPlan& plan, const lowering::ComputeStep& step) {
  return PlanText(plan, step).text();
}

}  // namespace dojo::codegen
