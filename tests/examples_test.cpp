// Each file of examples/ is built and run by the commands of its own first paragraphs, and prints what they
// say.
//
// Another release of clang makes other code, so a number may differ from the one that is written by a tenth.
// DOJO_REGENERATE=1 in the environment writes what is printed now, there and into the index.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "support/command.h"

namespace dojo {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

const fs::path examples = fs::path(DOJO_SOURCE_DIR) / "examples";

Lines lines_of(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

Lines files() {
  Lines names;
  for (const auto& entry : fs::directory_iterator(examples))
    if (entry.path().extension() != ".md" && entry.path().extension() != ".py")
      names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

// What the comment at a file's top says. Commands and output are set off by four more spaces, a line "prints"
// between them.
constexpr std::string_view set_off = "//     ";
struct Header {
  Lines commands, output;
};

Header header_of(const std::string& text) {
  Header header;
  bool prints = false;
  for (const std::string& line : lines_of(text)) {
    if (!line.starts_with("//")) break;
    if (line == "// prints") prints = true;
    if (line.starts_with(set_off))
      (prints ? header.output : header.commands).push_back(line.substr(set_off.size()));
  }
  return header;
}

// As typed at the top of a checkout, but in a folder of its own.
Said typed(const Lines& commands) {
  const TemporaryFolder own("dojo-examples");
  const fs::path folder = own.path();
  fs::create_directory_symlink(fs::path(dojo_command()).parent_path(), folder / "build");
  fs::create_directory_symlink(examples, folder / "examples");
  write_text(folder / "commands",
             fmt::format("set -e\ncd {}\n{}\n", folder.string(), fmt::join(commands, "\n")));
  return shell_in(folder, "sh commands");
}

// Words are the same, and numbers nearly.
bool is_as_written(const std::string& printed, const std::string& written) {
  std::istringstream left(printed), right(written);
  std::string a, b;
  for (;;) {
    const bool more = static_cast<bool>(left >> a), as_well = static_cast<bool>(right >> b);
    if (!more || !as_well) return more == as_well;
    char *end_of_a = nullptr, *end_of_b = nullptr;
    const double x = std::strtod(a.c_str(), &end_of_a), y = std::strtod(b.c_str(), &end_of_b);
    if (std::string_view(end_of_a) != end_of_b || std::abs(x - y) > 0.1 * std::abs(y)) return false;
  }
}

bool are_as_written(const Lines& printed, const Lines& written) {
  return std::ranges::equal(printed, written, is_as_written);
}

void rewrite(const std::string& name, const Lines& output) {
  std::string text;
  bool is_old_output = false;
  for (const std::string& line : lines_of(read_text(examples / name))) {
    is_old_output = is_old_output && (line == "//" || line.starts_with(set_off));
    if (is_old_output) continue;
    text += line + "\n";
    if (line != "// prints") continue;
    is_old_output = true;
    text += "//\n";
    for (const std::string& printed : output) text += std::string(set_off) + printed + "\n";
  }
  write_text(examples / name, text);
}

class Example : public testing::TestWithParam<std::string> {};

TEST_P(Example, DoesWhatItsFirstParagraphsSay) {
  const Header header = header_of(read_text(examples / GetParam()));
  ASSERT_GE(header.commands.size(), 2u);
  for (const std::string& command : header.commands)
    EXPECT_TRUE(command.starts_with("build/dojo ")) << command;
  EXPECT_NE(header.commands.front().find(" examples/" + GetParam() + " "), std::string::npos);
  const Said said = typed(header.commands);
  EXPECT_EQ(said.exit_code, 0) << "the results are not right";
  EXPECT_EQ(said.errors, "");
  const Lines output = lines_of(said.words);
  if (std::getenv("DOJO_REGENERATE") != nullptr) return rewrite(GetParam(), output);
  EXPECT_TRUE(are_as_written(output, header.output))
      << fmt::format("prints\n{}\nnot\n{}", said.words, fmt::join(header.output, "\n"));
}

TEST_P(Example, CompilesWithoutAWarning) {
  const Said said = typed({fmt::format("build/dojo cc -Wall -Wextra -fsyntax-only examples/{}", GetParam())});
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_EQ(said.errors, "");
}

INSTANTIATE_TEST_SUITE_P(Folder, Example, testing::ValuesIn(files()),
                         [](const auto& chosen) { return fs::path(chosen.param).stem().string(); });

// A row for each file, with the last line that it prints.
TEST(Examples, TheIndexSaysWhatTheyPrint) {
  std::string index;
  Lines named;
  for (const std::string& line : lines_of(read_text(examples / "README.md"))) {
    const std::size_t name_end = line.find("](");
    if (!line.starts_with("| [") || name_end == std::string::npos) {
      index += line + "\n";
      continue;
    }
    named.push_back(line.substr(3, name_end - 3));
    const Header header = header_of(read_text(examples / named.back()));
    ASSERT_FALSE(header.output.empty());
    const std::size_t last_cell = line.rfind("| ", line.size() - 2);
    const std::string fresh = line.substr(0, last_cell) + "| " + header.output.back() + " |";
    if (std::getenv("DOJO_REGENERATE") == nullptr) {
      EXPECT_EQ(line, fresh) << "DOJO_REGENERATE=1 writes it";
    }
    index += fresh + "\n";
  }
  std::ranges::sort(named);
  EXPECT_EQ(named, files());
  if (std::getenv("DOJO_REGENERATE") != nullptr) write_text(examples / "README.md", index);
}

TEST(Examples, ANumberMayDifferByATenthAndNoWord) {
  EXPECT_TRUE(is_as_written("saxpy: 724 cycles, 27.6 of 32", "saxpy: 700 cycles, 26.1 of 32"));
  EXPECT_FALSE(is_as_written("saxpy: 724 cycles", "saxpy: 650 cycles"));
  EXPECT_FALSE(is_as_written("saxpy: 724 cycles", "dot: 724 cycles"));
  EXPECT_FALSE(is_as_written("724 cycles,", "724 cycles"));
  EXPECT_FALSE(is_as_written("724 cycles", "724 cycles more"));
}

}  // namespace
}  // namespace dojo
