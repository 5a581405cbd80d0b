// Is what CONTRIBUTING.md tells newcomers to type so?
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "support/command.h"

namespace dojo {
namespace {

namespace fs = std::filesystem;

// The lines that stand indented in a section of the page.
std::string commands_under(const std::string& heading) {
  const std::string page = read_text(DOJO_SOURCE_DIR "/CONTRIBUTING.md");
  const std::size_t begin = page.find("## " + heading + "\n"), end = page.find("\n## ", begin);
  EXPECT_NE(begin, page.npos) << heading;
  std::string commands;
  for (std::size_t at = begin; (at = page.find("\n    ", at)) < end;) {
    at += 5;
    commands += page.substr(at, page.find('\n', at) - at) + "\n";
  }
  return commands;
}

TEST(Contributing, AMachineIsAddedByTheLinesOfThePage) {
  const TemporaryFolder folder("dojo-contributing");
  write_text(folder.path() / "lines", commands_under("Add a machine"));
  const Said said =
      shell(fmt::format("cd '{}' && PATH='{}':\"$PATH\" sh -e lines 2>&1", folder.path().string(),
                        fs::path(dojo_command()).parent_path().string()));
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_TRUE(said.words.starts_with("wide-links: A D1 die with links of 256 bytes a cycle\n")) << said.words;
  EXPECT_NE(said.words.find("reading B: 512 GB/s\n"), std::string::npos) << said.words;
}

// tests/contributing/run.sh builds and tests them, too.
TEST(Contributing, TheExamplesFitTheSources) {
  std::size_t examples = 0;
  for (const auto& entry : fs::directory_iterator(DOJO_SOURCE_DIR "/tests/contributing")) {
    if (entry.path().extension() != ".patch") continue;
    ++examples;
    const Said said = shell(fmt::format("cd '{}' && patch --dry-run --batch --fuzz=0 -p1 < '{}' 2>&1",
                                        DOJO_SOURCE_DIR, entry.path().string()));
    EXPECT_EQ(said.exit_code, 0) << entry.path() << ": mend the example, or write it anew\n" << said.words;
  }
  EXPECT_EQ(examples, 3u);
}

TEST(Contributing, EveryFileThatThePageNamesIsThere) {
  const std::string page = read_text(DOJO_SOURCE_DIR "/CONTRIBUTING.md");
  for (std::size_t at = 0; (at = page.find('`', at)) != page.npos;) {
    const std::size_t end = page.find('`', at + 1);
    const std::string name = page.substr(at + 1, end - at - 1);
    at = end + 1;
    const bool is_path = name.find('/') != name.npos && name.find_first_of(" *(") == name.npos;
    const bool is_made =
        name.starts_with("build/") || name.starts_with("out/") || name.find("NAME") != name.npos;
    if (!is_path || is_made) continue;
    EXPECT_TRUE(fs::exists(fs::path(DOJO_SOURCE_DIR) / name)) << name;
  }
}

}  // namespace
}  // namespace dojo
