#include "report/chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace dojo::report {
namespace {

constexpr double letter_pixels = 6.2;  // of the legend's text, on average and a little more

// Where a panel's values lie on the page.
class Canvas {
public:
  Canvas(Svg& svg, const Panel& panel) : svg_(svg), panel_(panel) {}

  double x(double value) const { return panel_.left + panel_.width * panel_.x.place(value); }
  double y(double value) const { return panel_.top + panel_.height * (1 - panel_.y.place(value)); }

  void draw(const Series& series) {
    if (series.points.empty()) return;
    switch (series.mark) {
      case Mark::line:
        return line(series, "");
      case Mark::dashes:
        return line(series, R"( stroke-dasharray="6 4")");
      case Mark::dots:
        return circles(series, fmt::format(R"(fill="{}" fill-opacity="{}")", series.colour, series.opacity));
      case Mark::rings:
        return circles(series, fmt::format(R"(fill="none" stroke="{}" stroke-width="2")", series.colour));
      case Mark::crosses:
        return crosses(series);
    }
  }

private:
  std::optional<std::pair<double, double>> place(const Point& point) const {
    if (std::isnan(point.x) || std::isnan(point.y)) return std::nullopt;
    return std::pair{x(point.x), y(point.y)};
  }

  void line(const Series& series, std::string_view dashes) {
    std::string path, piece, dots;
    std::size_t joined = 0;  // points of the piece
    const auto end_piece = [&] {
      if (joined > 1) path += piece;
      if (joined == 1) dots += fmt::format("{}h0", piece);
      piece.clear();
      joined = 0;
    };
    for (const Point& point : series.points) {
      const auto at = place(point);
      if (!at) {
        end_piece();
        continue;
      }
      piece += fmt::format("{}{} {}", joined++ == 0 ? "M" : "L", pixels(at->first), pixels(at->second));
    }
    end_piece();
    const std::string stroke =
        fmt::format(R"(fill="none" stroke="{}" stroke-opacity="{}" stroke-linejoin="round")", series.colour,
                    series.opacity);
    if (!path.empty())
      svg_.add(R"(<path d="{}" {} stroke-width="{}"{}/>)", path, stroke, pixels(series.size), dashes);
    if (!dots.empty())
      svg_.add(R"(<path d="{}" {} stroke-width="{}" stroke-linecap="round"/>)", dots, stroke,
               pixels(2 + 2 * series.size));
  }

  void circles(const Series& series, const std::string& style) {
    svg_.add("<g {}>", style);
    for (const Point& point : series.points)
      if (const auto at = place(point))
        svg_.add(R"(<circle cx="{}" cy="{}" r="{}"{}>)", pixels(at->first), pixels(at->second),
                 pixels(series.size), closed(point, "circle"));
    svg_.add("</g>");
  }

  void crosses(const Series& series) {
    svg_.add(R"(<g fill="none" stroke="{}" stroke-width="2">)", series.colour);
    for (const Point& point : series.points)
      if (const auto at = place(point)) {
        const std::string arm = pixels(series.size), back = pixels(-2 * series.size),
                          across = pixels(2 * series.size);
        svg_.add(R"(<path d="M{} {}m-{} -{}l{} {}m0 {}l{} {}"{}>)", pixels(at->first), pixels(at->second),
                 arm, arm, across, across, back, back, across, closed(point, "path"));
      }
    svg_.add("</g>");
  }

  // What ends an element's tag: "/" or its note and its name.
  static std::string closed(const Point& point, std::string_view element) {
    if (point.note.empty()) return "/";
    return fmt::format("><title>{}</title></{}", escaped(point.note), element);
  }

  Svg& svg_;
  const Panel& panel_;
};

void draw_axes(Svg& svg, const Panel& panel, const Canvas& canvas) {
  const double bottom = panel.top + panel.height, right = panel.left + panel.width;
  svg.add(R"(<g stroke="#e6e6e6">)");
  for (const double tick : panel.x.ticks)
    svg.add(R"(<path d="M{} {}V{}"/>)", pixels(canvas.x(tick)), pixels(panel.top), pixels(bottom));
  for (const double tick : panel.y.ticks)
    svg.add(R"(<path d="M{} {}H{}"/>)", pixels(panel.left), pixels(canvas.y(tick)), pixels(right));
  svg.add("</g>");
  if (!panel.marks.empty()) {
    svg.add(R"(<g stroke="#b8cfe0" stroke-dasharray="2 3">)");
    for (const double mark : panel.marks)
      svg.add(R"(<path d="M{} {}V{}"/>)", pixels(canvas.x(mark)), pixels(panel.top), pixels(bottom));
    svg.add("</g>");
  }
  svg.add(R"(<rect x="{}" y="{}" width="{}" height="{}" fill="none" stroke="#999"/>)", pixels(panel.left),
          pixels(panel.top), pixels(panel.width), pixels(panel.height));
  for (std::size_t k = 0; k < panel.x.ticks.size(); ++k)
    svg.words(canvas.x(panel.x.ticks[k]), bottom + 16, panel.x.tick_text(k), R"(text-anchor="middle")");
  for (std::size_t k = 0; k < panel.y.ticks.size(); ++k)
    svg.words(panel.left - 7, canvas.y(panel.y.ticks[k]) + 4, panel.y.tick_text(k), R"(text-anchor="end")");
  svg.words(panel.left + panel.width / 2, bottom + 36, panel.x.label, R"(text-anchor="middle" fill="#555")");
  const double x = panel.left - 50, y = panel.top + panel.height / 2;
  svg.words(x, y, panel.y.label,
            fmt::format(R"-(text-anchor="middle" fill="#555" transform="rotate(-90 {} {})")-", pixels(x),
                        pixels(y)));
}

// In a row above the panel, from the left, as far as there is room.
void draw_legend(Svg& svg, const Panel& panel) {
  double x = panel.left;
  const double y = panel.top - 10;
  std::size_t left_out = 0;
  for (const Series& series : panel.series) {
    if (series.name.empty() || series.points.empty()) continue;
    const double width = 28 + letter_pixels * static_cast<double>(series.name.size());
    if (left_out != 0 || x + width > panel.left + panel.width) {
      ++left_out;
      continue;
    }
    const Panel sample{.left = x, .top = y - 9, .width = 22, .height = 10};
    Series shown = series;
    shown.points = {{0.5, 0.5}};
    if (series.mark == Mark::line || series.mark == Mark::dashes) shown.points = {{0, 0.5}, {1, 0.5}};
    shown.opacity = std::max(0.5, series.opacity);
    Canvas(svg, sample).draw(shown);
    svg.words(x + 28, y, series.name, "");
    x += width + 18;
  }
  if (left_out != 0)
    svg.words(panel.left + panel.width, y + 7, fmt::format("and {} more", left_out),
              R"(text-anchor="end" fill="#777" font-size="9")");
}

}  // namespace

const std::string& colour(std::size_t index) {
  static const std::array<std::string, 7> colours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                     "#e69f00", "#56b4e9", "#444444"};
  return colours[index % colours.size()];
}

void draw(Svg& svg, const Panel& panel) {
  Canvas canvas(svg, panel);
  draw_axes(svg, panel, canvas);
  for (const Series& series : panel.series) canvas.draw(series);
  draw_legend(svg, panel);
  if (!panel.title.empty())
    svg.words(panel.left, panel.top - 32, panel.title, R"(font-size="15" font-weight="600" fill="#222")");
  if (!panel.instead.empty())
    svg.words(panel.left + panel.width / 2, panel.top + panel.height / 2, panel.instead,
              R"(text-anchor="middle" fill="#777")");
}

}  // namespace dojo::report
