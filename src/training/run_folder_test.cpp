// Is a run's folder described once, and as the documentation describes it?
#include "training/run_folder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "base/file.h"

namespace dojo::training {
namespace {

namespace fs = std::filesystem;

const fs::path root = DOJO_SOURCE_DIR;

bool is_no_test(const fs::path& file) {
  return (file.extension() == ".h" || file.extension() == ".cpp") && !file.stem().string().ends_with("_test");
}

TEST(RunFolder, HasItsNamesInOnePlace) {
  for (const char* folder : {"src", "tools"})
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (!is_no_test(entry.path()) || entry.path().filename() == "run_folder.h") continue;
      const std::string text = read_text(entry.path());
      for (const RunFile& file : run_files)
        EXPECT_EQ(text.find(fmt::format("\"{}\"", file.name)), std::string::npos)
            << entry.path() << " names " << file.name << " once more";
    }
}

// The row of each file in the table, whose last column says when it is written.
TEST(RunFolder, IsAsTheDocumentationHasIt) {
  const std::string page = read_text(root / "docs/training.md");
  const std::size_t table = page.find("## What a run leaves in its folder");
  ASSERT_NE(table, std::string::npos);
  for (const RunFile& file : run_files) {
    const std::size_t row = page.find(fmt::format("`{}`", file.name), table), end = page.find('\n', row);
    ASSERT_NE(row, std::string::npos) << file.name;
    const std::string words = page.substr(row, end - row);
    EXPECT_EQ(words.find("| at the end", words.find(" | ")) != std::string::npos, file.of_the_end) << words;
  }
  EXPECT_NE(page.find(fmt::format("`{}/`", program_folder), table), std::string::npos);
}

TEST(RunFolder, LosesTheCheckpointLast) { EXPECT_EQ(run_files.back().name, checkpoint_file); }

}  // namespace
}  // namespace dojo::training
