#include <algorithm>
#include <cmath>

#include "report/chart.h"
#include "report/run_pictures.h"

namespace dojo::report {
namespace {

using training::OutputQuality;

constexpr double sheet_width = 1180, row_height = 450, square = 320;
constexpr double scatter_left = 80, sequence_left = 490, sequence_width = 650, plot_top = 84;
constexpr std::size_t most_in_order = 600;  // frames that one can tell apart
constexpr std::size_t most_dots = 5000;

// What the number of a label means; nothing for labels that this program does not know.
std::string unit_of(const std::string& label) {
  if (label == "angle") return ", share of full lock (right: +)";
  if (label == "throttle") return ", share of full";
  return "";
}

// Predictions of a frame whose label was measured, both finite.
bool is_pair(const OutputQuality& value, std::size_t frame) {
  return std::isfinite(value.measured[frame]) && std::isfinite(value.predicted[frame]);
}

std::string title_of(const OutputQuality& value) {
  return value.output == value.label ? value.label : fmt::format("{} (output {})", value.label, value.output);
}

std::string figures(const OutputQuality& value, std::string_view what) {
  const auto broken = std::ranges::count_if(value.predicted, [](float one) { return !std::isfinite(one); });
  std::string text = fmt::format("{} {}", value.predicted.size(), what);
  if (value.judged == 0) text += ", none with this value measured";
  if (value.judged != 0 && value.judged != value.predicted.size())
    text += fmt::format(", {} with this value measured", value.judged);
  if (value.judged != 0 && value.classes_are_names)
    text += fmt::format(": {:.1f} % of the classes right", 100 * *value.accuracy);
  if (value.judged != 0 && !value.classes_are_names)
    text += fmt::format(": R2 {}, RMSE {:.4f}, MAE {:.4f} (a constant predictor: RMSE {:.4f})",
                        training::r2_text(value.quality.r2), value.quality.rmse, value.quality.mae,
                        value.quality.constant_rmse);
  if (broken != 0) text += fmt::format("; {} predictions are not finite", broken);
  return text;
}

Panel scatter_panel(const OutputQuality& value, double top) {
  Panel panel{.left = scatter_left, .top = top, .width = square, .height = square};
  Extent extent;
  std::size_t pairs = 0;
  double mean = 0;
  for (std::size_t f = 0; f < value.predicted.size(); ++f) {
    if (!is_pair(value, f)) continue;
    extent.see(value.measured[f]);
    extent.see(value.predicted[f]);
    mean += value.measured[f];
    ++pairs;
  }
  panel.x = panel.y = whole_axis(extent, 5);
  panel.x.label = "true" + unit_of(value.label);
  panel.y.label = "predicted";
  if (pairs == 0) {
    panel.instead = "no true value to compare with";
    return panel;
  }
  mean /= static_cast<double>(pairs);
  const double low = panel.x.low, high = panel.x.high;
  const std::size_t every = (pairs + most_dots - 1) / most_dots;
  Series dots{.mark = Mark::dots, .colour = colour(0), .size = pairs > 1000 ? 1.8 : 2.5};
  dots.name = every == 1 ? "a frame" : fmt::format("1 of {} frames", every);
  dots.opacity = pairs > 1000 ? 0.3 : pairs > 200 ? 0.45 : 0.65;
  std::size_t seen = 0;
  for (std::size_t f = 0; f < value.predicted.size(); ++f)
    if (is_pair(value, f) && seen++ % every == 0)
      dots.points.push_back({value.measured[f], value.predicted[f]});
  panel.series = {{.name = "equal", .colour = "#444444", .size = 1.2, .points = {{low, low}, {high, high}}},
                  {.name = "constant",
                   .mark = Mark::dashes,
                   .colour = colour(1),
                   .size = 1.2,
                   .points = {{low, mean}, {high, mean}}},
                  std::move(dots)};
  return panel;
}

// The first frames alone where there are too many.
Panel sequence_panel(const OutputQuality& value, double top, const std::vector<std::uint32_t>& frames,
                     std::string_view what) {
  Panel panel{.left = sequence_left, .top = top, .width = sequence_width, .height = square};
  const std::size_t count = std::min(value.predicted.size(), most_in_order);
  Series truth{.name = "true", .colour = "#444444", .size = 1.6};
  Series predicted{.name = "predicted", .colour = colour(0), .size = 1.6, .opacity = 0.85};
  Extent extent, numbers;
  for (std::size_t f = 0; f < count; ++f) {
    const double x = static_cast<double>(f + 1);
    if (f != 0 && frames[f] != frames[f - 1] + 1) {
      panel.marks.push_back(x - 0.5);
      for (Series* series : {&truth, &predicted}) series->points.push_back({x - 0.5, std::nan("")});
    }
    numbers.see(x);
    extent.see(value.measured[f]);
    extent.see(value.predicted[f]);
    truth.points.push_back({x, value.measured[f]});
    predicted.points.push_back({x, std::isfinite(value.predicted[f]) ? value.predicted[f] : std::nan("")});
  }
  panel.x = linear_axis(numbers, 8);
  std::erase_if(panel.x.ticks, [](double tick) { return tick != std::floor(tick); });
  panel.y = whole_axis(extent, 5);
  panel.x.label =
      fmt::format("{}{}, in order of time",
                  count == value.predicted.size() ? "" : fmt::format("the first {} ", count), what);
  if (!panel.marks.empty()) panel.x.label += "; dotted: others lie between";
  panel.y.label = value.label;
  if (value.judged == 0) truth.points.clear();
  panel.series = {std::move(truth), std::move(predicted)};
  return panel;
}

}  // namespace

std::string predictions_picture(const std::vector<OutputQuality>& values,
                                const std::vector<std::uint32_t>& frames, std::string_view what) {
  std::vector<const OutputQuality*> shown;  // many places in a frame are no line over frames
  for (const OutputQuality& value : values)
    if (value.places == 1) shown.push_back(&value);
  Svg svg(sheet_width, row_height * static_cast<double>(shown.size()) + 20, "Predicted and true");
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const double top = row_height * static_cast<double>(i) + plot_top;
    Panel scatter = scatter_panel(*shown[i], top);
    scatter.title = title_of(*shown[i]);
    draw(svg, scatter);
    draw(svg, sequence_panel(*shown[i], top, frames, what));
    svg.words(sequence_left, top - 32, figures(*shown[i], what), "");
  }
  return svg.finish();
}

}  // namespace dojo::report
