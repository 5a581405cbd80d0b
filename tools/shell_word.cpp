#include "shell_word.h"

#include <algorithm>
#include <cctype>

namespace dojo::tools {

std::string shell_word(std::string_view text) {
  const bool plain = std::ranges::all_of(text, [](unsigned char letter) {
    return std::isalnum(letter) != 0 ||
           std::string_view("/._-+=:,@%").find(static_cast<char>(letter)) != std::string_view::npos;
  });
  if (plain && !text.empty()) return std::string(text);
  std::string quoted = "'";
  for (const char letter : text) quoted += letter == '\'' ? "'\\''" : std::string(1, letter);
  return quoted + "'";
}

}  // namespace dojo::tools
