// SVG text, element by element. The same calls give the same bytes.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace dojo::report {

// Pixels with at most two decimals and no trailing zeros. Finite values only.
std::string pixels(double value);

// Any bytes as XML text: markup escaped; what XML does not allow, and bytes that are no UTF-8, become U+FFFD.
std::string escaped(std::string_view text);

class Svg {
public:
  // White, `width` x `height` pixels. `title` is what a browser calls the page.
  Svg(double width, double height, std::string_view title);

  // One line of finished markup.
  template <typename... Arguments>
  void add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    text_ += fmt::format(format, std::forward<Arguments>(arguments)...) + "\n";
  }
  // `style`: attributes beside the place.
  void words(double x, double y, std::string_view words, std::string_view style);

  std::string finish() const { return text_ + "</svg>\n"; }

private:
  std::string text_;
};

}  // namespace dojo::report
