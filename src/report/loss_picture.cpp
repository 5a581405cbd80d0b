#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "report/chart.h"
#include "report/run_pictures.h"

namespace dojo::report {
namespace {

constexpr double page_width = 960, left = 80, plot_width = 840;
constexpr double loss_top = 84, loss_height = 300, quality_top = 510, quality_height = 190, page_height = 760;
constexpr std::size_t most_points = 1200;  // of a line: more than there are pixels
constexpr std::size_t most_marks = 60;
constexpr double worst_r2 = -1;  // R2 has no lower end; what lies below is shown as that

// The columns of a history.csv.
class Run {
public:
  explicit Run(const training::HistoryTable& table) : table_(table) {}

  std::size_t size() const { return table_.rows.size(); }
  double at(std::size_t row, std::size_t column) const { return table_.rows[row][column]; }
  double step(std::size_t row) const { return at(row, 0); }
  const std::string& name(std::size_t column) const { return table_.columns[column]; }
  std::vector<std::size_t> columns_of(std::string_view start) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < table_.columns.size(); ++i)
      if (table_.columns[i].starts_with(start)) found.push_back(i);
    return found;
  }

  // Of each value that is validated, in the order of the file (training/history.h).
  std::vector<std::size_t> merits() const { return columns_of_all({"r2.", "accuracy."}); }
  std::vector<std::size_t> errors() const { return columns_of_all({"rmse.", "error."}); }

private:
  std::vector<std::size_t> columns_of_all(std::initializer_list<std::string_view> starts) const {
    std::vector<std::size_t> found;
    for (const std::string_view start : starts)
      std::ranges::copy(columns_of(start), std::back_inserter(found));
    std::ranges::sort(found);
    return found;
  }

  const training::HistoryTable& table_;
};

// Means of the numbers among `window` values around each; none among them gives none.
std::vector<double> smoothed(const std::vector<double>& values, std::size_t window) {
  std::vector<double> sums = {0}, counts = {0};  // of the numbers ahead of each place
  for (const double value : values) {
    const bool counted = std::isfinite(value);
    sums.push_back(sums.back() + (counted ? value : 0));
    counts.push_back(counts.back() + (counted ? 1 : 0));
  }
  std::vector<double> result;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t first = i < window / 2 ? 0 : i - window / 2;
    const std::size_t last = std::min(values.size(), i + window / 2 + 1);
    const double count = counts[last] - counts[first];
    result.push_back(count == 0 ? std::numeric_limits<double>::quiet_NaN()
                                : (sums[last] - sums[first]) / count);
  }
  return result;
}

// All points, or the lowest and the highest of each of as many stretches as one can see.
std::vector<Point> thinned(std::vector<Point> points) {
  if (points.size() <= most_points) return points;
  const std::size_t stretches = most_points / 2;
  std::vector<Point> kept;
  for (std::size_t s = 0; s < stretches; ++s) {
    const auto first = points.begin() + static_cast<std::ptrdiff_t>(s * points.size() / stretches);
    const auto last = points.begin() + static_cast<std::ptrdiff_t>((s + 1) * points.size() / stretches);
    const auto lower = [](const Point& a, const Point& b) { return a.y < b.y; };
    auto [low, high] = std::minmax_element(first, last, lower);
    if (high < low) std::swap(low, high);
    kept.push_back(*low);
    if (low != high) kept.push_back(*high);
  }
  return kept;
}

Axis steps_axis(const Run& run) {
  Extent extent;
  for (std::size_t row = 0; row < run.size(); ++row) extent.see(run.step(row));
  Axis axis = linear_axis(extent, 10);
  std::erase_if(axis.ticks, [](double tick) { return tick != std::floor(tick); });
  axis.label = "step";
  return axis;
}

// From 0, or over powers of ten where the loss falls by more than a plain axis can show.
Axis loss_axis(const Extent& extent) {
  const bool falls_far = !extent.empty() && extent.low > 0 && extent.high > 30 * extent.low;
  Extent from_zero = extent;
  from_zero.see(0);
  Axis axis = falls_far ? logarithmic_axis(extent) : whole_axis(extent.empty() ? extent : from_zero, 6);
  axis.label = falls_far ? "loss (logarithmic)" : "loss";
  return axis;
}

std::vector<std::size_t> validated_rows(const Run& run, const std::vector<std::size_t>& qualities) {
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < run.size(); ++row)
    if (std::ranges::any_of(qualities, [&](std::size_t column) { return !std::isnan(run.at(row, column)); }))
      rows.push_back(row);
  return rows;
}

Series points_of(const Run& run, const std::vector<double>& values, std::string name, std::string colour,
                 double width, double opacity) {
  Series series{.name = std::move(name), .colour = std::move(colour), .size = width, .opacity = opacity};
  for (std::size_t row = 0; row < values.size(); ++row) {
    const double value = std::isfinite(values[row]) ? values[row] : std::numeric_limits<double>::quiet_NaN();
    series.points.push_back({run.step(row), value});
  }
  series.points = thinned(std::move(series.points));
  return series;
}

// "loss", "loss of angle".
std::string words_for(const std::string& column) {
  return column == "loss" ? column : "loss of " + column.substr(5);
}

Panel loss_panel(const Run& run, const std::vector<std::size_t>& validated) {
  Panel panel{.left = left, .top = loss_top, .width = plot_width, .height = loss_height};
  panel.x = steps_axis(run);
  std::vector<std::size_t> losses = run.columns_of("loss");
  if (losses.size() == 2) losses.pop_back();  // a single output's loss is the loss
  const std::size_t window = 2 * (run.size() / 40) + 1;
  panel.title = window == 1 ? "Loss of each step"
                            : fmt::format("Loss of each step, and the mean of {} steps around it", window);
  Extent extent;
  std::vector<Series> raw, smooth;
  Series broken{.name = "not a finite number", .mark = Mark::crosses, .colour = colour(1), .size = 4};
  for (std::size_t i = 0; i < losses.size(); ++i) {
    std::vector<double> values;
    for (std::size_t row = 0; row < run.size(); ++row) values.push_back(run.at(row, losses[i]));
    for (const double value : values) extent.see(value);
    const std::string name = words_for(run.name(losses[i]));
    const bool plain = window == 1;
    const std::string& ink = colour(i == 0 ? 0 : i + 1);
    if (plain) {
      raw.push_back(points_of(run, values, name, ink, 2, 1));
    } else {
      if (i == 0) raw.push_back(points_of(run, values, "each step", ink, 1, 0.4));
      smooth.push_back(points_of(run, smoothed(values, window), name + ", mean", ink, 2, 1));
    }
    for (std::size_t row = 0; i == 0 && row < run.size(); ++row)
      if (!std::isfinite(values[row]))
        broken.points.push_back({run.step(row), std::numeric_limits<double>::infinity(),
                                 fmt::format("step {}: {}", run.step(row), values[row])});
  }
  panel.y = loss_axis(extent);
  if (validated.size() <= most_marks)
    for (const std::size_t row : validated) panel.marks.push_back(run.step(row));
  panel.series = std::move(raw);
  panel.series.insert(panel.series.end(), smooth.begin(), smooth.end());
  panel.series.push_back(std::move(broken));
  if (run.size() == 0) panel.instead = "no step has been done";
  return panel;
}

// The first of the validations with the highest mean merit, as trainer.h chooses the best network.
std::optional<std::size_t> best_of(const Run& run, const std::vector<std::size_t>& validated,
                                   const std::vector<std::size_t>& merits,
                                   const std::vector<std::size_t>& errors) {
  std::optional<std::size_t> best;
  std::optional<training::Score> score;
  for (const std::size_t row : validated) {
    const auto values = [&](const std::vector<std::size_t>& columns) {
      std::vector<double> all;
      for (const std::size_t column : columns) all.push_back(run.at(row, column));
      return all;
    };
    const training::Score here = training::score_of(values(merits), values(errors));
    if (score && !here.is_better_than(*score)) continue;
    score = here;
    best = row;
  }
  return best;
}

Panel quality_panel(const Run& run, const std::vector<std::size_t>& validated) {
  Panel panel{.left = left, .top = quality_top, .width = plot_width, .height = quality_height};
  const std::vector<std::size_t> names = run.columns_of("accuracy.");
  panel.title = names.empty()                   ? "R2 on the held-out frames"
                : run.columns_of("r2.").empty() ? "Accuracy on the held-out samples"
                                                : "R2 and accuracy on the held-out samples";
  panel.x = steps_axis(run);
  const std::vector<std::size_t> merits = run.merits(), errors = run.errors();
  Extent extent{0, 1};
  for (const std::size_t row : validated)
    for (const std::size_t column : merits)
      if (!std::isnan(run.at(row, column))) extent.see(std::max(worst_r2, run.at(row, column)));
  panel.y = whole_axis(extent, 5);
  panel.y.label = !names.empty() ? "" : extent.low <= worst_r2 ? "R2 (-1 or less at the bottom)" : "R2";
  Series constant{
      .name = "a constant predictor", .mark = Mark::dashes, .colour = std::string(grey), .size = 1};
  constant.points = {{panel.x.low, 0}, {panel.x.high, 0}};
  if (names.size() != merits.size()) panel.series.push_back(std::move(constant));
  const auto best = best_of(run, validated, merits, errors);
  Series ring{.name = "best", .mark = Mark::rings, .colour = colour(1), .size = 8};
  for (std::size_t i = 0; i < merits.size(); ++i) {
    const bool is_name = run.name(merits[i]).starts_with("accuracy.");
    Series line{.colour = colour(i == 0 ? 0 : i + 1), .size = 1.5};
    Series dots{.name = run.name(merits[i]).substr(is_name ? 9 : 3),
                .mark = Mark::dots,
                .colour = line.colour,
                .size = 3.5};
    for (const std::size_t row : validated) {
      const double merit = run.at(row, merits[i]);
      if (std::isnan(merit)) continue;  // of a label that is constant
      line.points.push_back({run.step(row), merit});
      const std::string figures = is_name
                                      ? fmt::format("{:.1f} % right", 100 * merit)
                                      : fmt::format("R2 {:.4f}, RMSE {:.4f}", merit, run.at(row, errors[i]));
      dots.points.push_back({run.step(row), merit,
                             fmt::format("step {}, epoch {}: {}", run.step(row), run.at(row, 1), figures)});
      if (row == best) ring.points.push_back({run.step(row), merit});
    }
    line.points = thinned(std::move(line.points));
    panel.series.push_back(std::move(line));
    panel.series.push_back(std::move(dots));
  }
  panel.series.push_back(std::move(ring));
  if (validated.empty()) panel.instead = "no epoch has ended yet";
  return panel;
}

}  // namespace

std::string loss_picture(const training::HistoryTable& table) {
  const Run run(table);
  const std::vector<std::size_t> validated = validated_rows(run, run.errors());
  Svg svg(page_width, page_height, "Loss and validation");
  draw(svg, loss_panel(run, validated));
  draw(svg, quality_panel(run, validated));
  if (!validated.empty() && validated.size() <= most_marks)
    svg.words(left + plot_width, loss_top - 32, "dotted: validations", R"(text-anchor="end" fill="#777")");
  return svg.finish();
}

}  // namespace dojo::report
