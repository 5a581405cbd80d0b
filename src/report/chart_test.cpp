#include "report/chart.h"

#include <gtest/gtest.h>

#include <cmath>

namespace dojo::report {
namespace {

TEST(Svg, WritesNumbersShort) {
  EXPECT_EQ(pixels(0), "0");
  EXPECT_EQ(pixels(-0.001), "0");
  EXPECT_EQ(pixels(12), "12");
  EXPECT_EQ(pixels(12.5), "12.5");
  EXPECT_EQ(pixels(-0.256), "-0.26");
  EXPECT_EQ(pixels(99.999), "100");
}

// A network's names are any bytes; a browser refuses a file with a single wrong one.
TEST(Svg, MakesXmlTextOfAnyBytes) {
  EXPECT_EQ(escaped("a<b> & \"c\""), "a&lt;b&gt; &amp; &quot;c&quot;");
  EXPECT_EQ(escaped("Stra\xC3\x9F"
                    "e \xE2\x82\xAC"),
            "Stra\xC3\x9F"
            "e \xE2\x82\xAC");
  const std::string unknown = "\xEF\xBF\xBD";
  EXPECT_EQ(escaped(std::string("a\0b\x1B", 4)), "a" + unknown + "b" + unknown);
  EXPECT_EQ(escaped("\xC3"), unknown);                              // cut
  EXPECT_EQ(escaped("\xC0\xAF"), unknown + unknown);                // overlong
  EXPECT_EQ(escaped("\xED\xA0\x80"), unknown + unknown + unknown);  // a surrogate
  EXPECT_EQ(escaped("\xEF\xBF\xBF"), unknown + unknown + unknown);  // no character
}

// A plot from 0 to 10 both ways, a pixel for a tenth, whose upper left corner is (100, 50).
std::string drawn(Series series) {
  Panel panel{.left = 100, .top = 50, .width = 100, .height = 100};
  panel.x.high = panel.y.high = 10;
  panel.series = {std::move(series)};
  Svg svg(300, 200, "test");
  draw(svg, panel);
  return svg.finish();
}

void expect_has(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
}

TEST(Chart, DrawsPointsWhereTheyAre) {
  expect_has(drawn({.mark = Mark::dots, .size = 3, .points = {{2.5, 5, "a & b"}, {10, 0}}}),
             "<circle cx=\"125\" cy=\"100\" r=\"3\"><title>a &amp; b</title></circle>\n"
             "<circle cx=\"200\" cy=\"150\" r=\"3\"/>");
  expect_has(drawn({.points = {{0, 0}, {5, 10}, {20, -7}}}), "d=\"M100 150L150 50L200 150\"");
}

TEST(Chart, CutsALineWhereThereIsNoNumberAndShowsWhatStandsAlone) {
  const std::string text = drawn({.points = {{0, 1}, {1, 1}, {2, NAN}, {3, 2}, {4, NAN}, {5, 1}, {6, 1}}});
  expect_has(text, "d=\"M100 140L110 140M150 140L160 140\"");
  expect_has(text, "d=\"M130 130h0\"");
  expect_has(drawn({.points = {{5, 5}}}), "d=\"M150 100h0\"");
  const std::string none = drawn({.name = "nothing", .points = {{NAN, NAN}}});
  EXPECT_EQ(none.find("nan"), std::string::npos);
}

TEST(Chart, NamesInTheLegendOnlyWhatIsThere) {
  expect_has(drawn({.name = "speed <x>", .points = {{1, 1}}}), ">speed &lt;x&gt;</text>");
  EXPECT_EQ(drawn({.name = "absent"}).find("absent"), std::string::npos);
}

}  // namespace
}  // namespace dojo::report
