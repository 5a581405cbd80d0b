// Does an installed dojo work from anywhere: moved, copied, called through a link, without the sources?
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "support/command.h"
#include "support/pattern.h"

namespace dojo {
namespace {

namespace fs = std::filesystem;

// Installed from the folder of the build, then moved; beside it a folder to work in.
class Installed : public testing::Test {
protected:
  void SetUp() override {
    const fs::path first = folder_.path() / "first";
    const Said said = shell(fmt::format("cmake --install '{}' --prefix '{}' 2>&1",
                                        fs::path(dojo_command()).parent_path().string(), first.string()));
    ASSERT_EQ(said.exit_code, 0) << said.words;
    fs::rename(first, moved_);
    fs::create_directory(work_);
  }

  // `line` in a folder of its own, with nothing of ours in the environment.
  Said in_work(const std::string& line) const {
    return shell(fmt::format("cd '{}' && env -i PATH='{}/bin':/usr/bin:/bin sh -c '{}' 2>&1", work_.string(),
                             moved_.string(), line));
  }

  const TemporaryFolder folder_{"dojo-installed"};
  const fs::path moved_ = folder_.path() / "moved here", work_ = folder_.path() / "work";
};

TEST_F(Installed, ReadsItsOwnMachines) {
  const fs::path file = moved_ / "share/opendojo/machines/test6.toml";
  write_text(file, replaced(read_text(file), "description = \"[^\"]*\"",
                            "description = \"changed where it is installed\""));
  const Said said = in_work("dojo machine test6");
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_TRUE(said.words.starts_with("test6: changed where it is installed\n")) << said.words;
}

TEST_F(Installed, BuildsAndRunsAProgramWithItsOwnLibrary) {
  write_text(work_ / "hello.c", "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 7; }\n");
  Said said = in_work("dojo cc hello.c -o hello.elf && dojo exec hello.elf --quiet");
  EXPECT_EQ(said.words, "hello\n");
  EXPECT_EQ(said.exit_code, 7);

  write_text(moved_ / "share/opendojo/device/hosted/start.cpp", "#error \"the installed one\"\n");
  said = in_work("dojo cc hello.c -o hello.elf");
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_NE(said.words.find("the installed one"), std::string::npos) << said.words;
}

TEST_F(Installed, TrainsThroughALink) {
  fs::create_symlink(moved_ / "bin/dojo", work_ / "link");
  const Said said = in_work(
      "./link train \"$(dirname \"$(readlink link)\")/../share/opendojo/models/pilotnet.onnx\" "
      "--machine test6 --drives 1 --check");
  EXPECT_EQ(said.exit_code, 0) << said.words;
}

}  // namespace
}  // namespace dojo
