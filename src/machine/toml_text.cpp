// What toml++ 3.3 has no defined answer to is refused before it sees it.
#include "machine/toml_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace dojo::machine {
namespace {

// Letters beyond ASCII outside of texts and remarks (here they are refused everywhere), and a table's bracket
// that no name follows.
void refuse_bad_lines(const std::string& path, std::string_view text) {
  constexpr std::string_view blank = " \t";
  constexpr std::string_view first_of_name =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-\"'";
  for (std::size_t number = 1, begin = 0; begin < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    if (std::ranges::any_of(line, [](char c) { return (c & 0x80) != 0; }))
      refuse(fmt::format("{}:{}", path, number), "a machine file holds nothing but ASCII characters");
    const auto skip_blank = [&] { line.remove_prefix(std::min(line.find_first_not_of(blank), line.size())); };
    skip_blank();
    if (!line.starts_with('[')) continue;
    line.remove_prefix(line.starts_with("[[") ? 2 : 1);
    skip_blank();
    if (line.empty() || !first_of_name.contains(line.front()))
      refuse(fmt::format("{}:{}", path, number), "not valid TOML: no name follows '['");
  }
}

// Behind the text that begins at `at` with a quotation mark, or behind its line if that does not end it.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const bool lines = text.substr(at, 3) == std::string(3, quote);
  const std::string_view marks = text.substr(at, lines ? 3 : 1);
  for (at += marks.size(); at < text.size() && (lines || text[at] != '\n'); ++at) {
    if (text[at] == '\\' && quote == '"')
      ++at;
    else if (text.substr(at, marks.size()) == marks)
      return at + marks.size();
  }
  return std::min(at, text.size());
}

// A '}' where a list wants an element.
void refuse_bad_lists(const std::string& path, std::string_view text) {
  char before = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '}' && (before == '[' || before == ','))
      refuse(fmt::format("{}:{}", path, 1 + std::count(text.begin(), text.begin() + at, '\n')),
             "not valid TOML: '}}' follows '{}'", before);
    if (c == '#') {
      at = std::min(text.find('\n', at), text.size());
      continue;
    }
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') before = c;
    at = c == '"' || c == '\'' ? end_of_string(text, at) : at + 1;
  }
}

}  // namespace

toml::table parse_toml(const std::string& path, std::string_view text) {
  refuse_bad_lines(path, text);
  refuse_bad_lists(path, text);
  try {
    return toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    refuse(fmt::format("{}:{}", path, error.source().begin.line), "not valid TOML: {}", error.description());
  }
}

}  // namespace dojo::machine
