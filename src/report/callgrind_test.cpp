#include "report/callgrind.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "base/temporary_folder.h"

namespace dojo::report {
namespace {

struct Row {
  std::string function, file;
  unsigned line;
};

std::string text_of(const std::vector<Row>& rows) {
  system::Profile profile;
  runtime::SourceLines places;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    profile[4 * i].instructions = 1;
    profile[4 * i].of(machine::Cause::issue) = 100 + i;
    places[4 * i] = {rows[i].function, rows[i].file, rows[i].line};
  }
  return callgrind_text("a.elf", profile, places);
}

TEST(Callgrind, NumbersNamesAndRepeatsNumbersAlone) {
  const std::string text = text_of({{"f", "a.c", 1}, {"f", "b.c", 2}, {"g", "a.c", 3}, {"h", "", 0}});
  EXPECT_NE(text.find("\nfl=(1) a.c\nfn=(1) f\n1 100 1 100 "), std::string::npos) << text;
  EXPECT_NE(text.find("\nfi=(2) b.c\n2 101 1 101 "), std::string::npos) << text;
  EXPECT_NE(text.find("\nfl=(1)\nfn=(2) g\n3 102 "), std::string::npos) << text;
  EXPECT_NE(text.find("\nfl=(3) ??\nfn=(3) h\n0 103 "), std::string::npos) << text;
}

// Names that would end a line, or be a line or a number of the format.
TEST(Callgrind, LetsNoNameForgeALine) {
  const std::string text = text_of({{"f\nsummary: 7", "a\n9 9 9\nb.c", 1}, {"(1) other", "(2)", 2}});
  EXPECT_EQ(text.find("\nsummary: 7"), std::string::npos) << text;
  EXPECT_EQ(text.find("\n9 9 9"), std::string::npos) << text;
  EXPECT_NE(text.find(") (1) other\n"), std::string::npos) << text;
  EXPECT_NE(text.find(") (2)\n"), std::string::npos) << text;
}

// valgrind's own reader finds every function with its cycles.
TEST(Callgrind, IsWhatItsAnnotatorReads) {
  if (std::system("command -v callgrind_annotate >/dev/null") != 0) GTEST_SKIP() << "no callgrind_annotate";
  const TemporaryFolder folder("dojo-callgrind");
  write_text(folder.path() / "a.callgrind",
             text_of({{"f", "a.c", 1}, {"(1) odd\nname", "a.c", 2}, {"f", "b.c", 3}}));
  const std::string said = (folder.path() / "said").string();
  ASSERT_EQ(std::system(fmt::format("callgrind_annotate --threshold=100 {} >{} 2>&1",
                                    (folder.path() / "a.callgrind").string(), said)
                            .c_str()),
            0)
      << read_text(said);
  const std::string words = read_text(said);
  for (const char* function : {"a.c:f", "a.c:(1) odd", "b.c:f"})
    EXPECT_NE(words.find(function), std::string::npos) << function << " in\n" << words;
  EXPECT_NE(words.find("303 "), std::string::npos) << words;
}

}  // namespace
}  // namespace dojo::report
