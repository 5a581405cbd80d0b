#include "report/svg.h"

#include <cmath>
#include <cstdint>

#include "base/error.h"
#include "base/utf8.h"

namespace dojo::report {
namespace {

constexpr std::string_view unknown = "\xEF\xBF\xBD";  // U+FFFD

// The same as utf8_character(), for what XML allows: U+FFFE and U+FFFF are not.
std::size_t character(std::string_view text) {
  const std::size_t length = utf8_character(text);
  return text.starts_with("\xEF\xBF\xBE") || text.starts_with("\xEF\xBF\xBF") ? 0 : length;
}

}  // namespace

std::string pixels(double value) {
  DOJO_ENSURE(std::isfinite(value));
  const auto hundredths = static_cast<std::int64_t>(std::llround(value * 100));
  const std::int64_t size = hundredths < 0 ? -hundredths : hundredths;
  std::string text = fmt::format("{}{}", hundredths < 0 ? "-" : "", size / 100);
  if (size % 100 != 0) text += fmt::format(".{:02}", size % 100);
  if (size % 100 != 0 && text.back() == '0') text.pop_back();
  return text;
}

std::string escaped(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = character(text);
    const std::string_view one = text.substr(0, length == 0 ? 1 : length);
    text.remove_prefix(one.size());
    if (length == 0 || (length == 1 && static_cast<unsigned char>(one[0]) < ' ')) {
      result += unknown;
    } else if (one == "&") {
      result += "&amp;";
    } else if (one == "<") {
      result += "&lt;";
    } else if (one == ">") {
      result += "&gt;";
    } else if (one == "\"") {
      result += "&quot;";
    } else {
      result += one;
    }
  }
  return result;
}

Svg::Svg(double width, double height, std::string_view title) {
  add(R"(<?xml version="1.0" encoding="UTF-8"?>)");
  add(R"(<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}" )"
      R"(font-family="system-ui, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif" font-size="12" fill="#333">)",
      pixels(width), pixels(height));
  add("<title>{}</title>", escaped(title));
  add(R"(<rect width="{}" height="{}" fill="#fff"/>)", pixels(width), pixels(height));
}

void Svg::words(double x, double y, std::string_view words, std::string_view style) {
  add(R"(<text x="{}" y="{}" {}>{}</text>)", pixels(x), pixels(y), style, escaped(words));
}

}  // namespace dojo::report
