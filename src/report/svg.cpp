#include "report/svg.h"

#include <cmath>
#include <cstdint>

#include "base/error.h"

namespace dojo::report {
namespace {

constexpr std::string_view unknown = "\xEF\xBF\xBD";  // U+FFFD

// Bytes of the UTF-8 character at the front; 0 if there is none (RFC 3629).
std::size_t character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : 0); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool surrogate = first == 0xED && byte(1) > 0x9F, beyond = first == 0xF4 && byte(1) > 0x8F;
  const bool no_character = first == 0xEF && byte(1) == 0xBF && byte(2) >= 0xBE;  // U+FFFE, U+FFFF
  return overlong || surrogate || beyond || no_character ? 0 : length;
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
