#include "data/text_lines.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "base/file.h"

namespace dojo::data {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path, Faults& faults) {
  std::error_code failure;
  if (!fs::is_regular_file(path, failure)) {
    faults.note(path.string(), failure ? "cannot be read: " + failure.message() : "is no file");
    return "";
  }
  try {
    return read_text(path);
  } catch (const UserError& error) {
    faults.note(path.string(), error.what_alone());
    return "";
  }
}

}  // namespace

std::vector<TextLine> lines_of(const fs::path& path, Faults& faults) {
  constexpr std::string_view blank(" \t\r\0", 4);
  const std::string text = text_of(path, faults);
  std::vector<TextLine> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t newline = text.find('\n', begin), end = std::min(newline, text.size());
    const std::string_view whole(text.data() + begin, end - begin);
    const std::size_t first = std::min(whole.find_first_not_of(blank), whole.size());
    const std::size_t last = std::max(first, whole.find_last_not_of(blank) + 1);  // npos + 1 is 0
    TextLine line{std::string(whole.substr(first, last - first)), false, newline != std::string::npos};
    line.had_nul = whole.substr(0, first).contains('\0') || whole.substr(last).contains('\0');
    lines.push_back(std::move(line));
    begin = end + 1;
  }
  return lines;
}

}  // namespace dojo::data
