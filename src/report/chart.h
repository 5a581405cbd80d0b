// Charts: panels with axes, and what is drawn into them.
#pragma once

#include <string>
#include <vector>

#include "report/axis.h"
#include "report/svg.h"

namespace dojo::report {

struct Point {
  double x = 0, y = 0;
  std::string note = {};  // what a browser shows when one points at it; dots and crosses only
};

enum class Mark {
  line,    // through all points; a point that is no number cuts it, one that stands alone is a dot
  dashes,  // the same, dashed
  dots,
  rings,
  crosses,
};

struct Series {
  std::string name = {};  // in the legend; empty: not there
  Mark mark = Mark::line;
  std::string colour = {};  // as SVG has it: "#0072b2"
  double size = 2;          // a line's width, a dot's radius
  double opacity = 1;
  std::vector<Point> points =
      {};  // beyond an axis they lie at its end; without two numbers they are left out
};

struct Panel {
  double left = 0, top = 0, width = 0, height = 0;  // of the plot itself, without the words around it
  std::string title = {};
  Axis x = {}, y = {};
  std::vector<double> marks = {};   // places on x: thin lines from top to bottom
  std::vector<Series> series = {};  // the last is on top
  std::string instead = {};         // words in the middle, where there is nothing to draw
};

// Colours that people tell apart whatever colours they see (Okabe and Ito, "Color Universal Design", 2008).
const std::string& colour(std::size_t index);
inline constexpr std::string_view grey = "#777777";

void draw(Svg& svg, const Panel& panel);

}  // namespace dojo::report
