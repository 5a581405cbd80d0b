// Does what is written arrive whole, and does what is no plain file stay what it is?
#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

namespace dojo {
namespace {

namespace fs = std::filesystem;

class File : public testing::Test {
protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("dojo-file-{}", getpid());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }

  fs::path folder_;
};

TEST_F(File, IsReplacedAsAWhole) {
  write_text(folder_ / "words", "one");
  write_text(folder_ / "words", "another");
  EXPECT_EQ(read_text(folder_ / "words"), "another");
  EXPECT_EQ(files(), 1u);
}

TEST_F(File, BehindALinkIsWrittenAndTheLinkStays) {
  write_text(folder_ / "words", "one");
  fs::create_symlink("words", folder_ / "link");
  write_text(folder_ / "link", "another");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(read_text(folder_ / "words"), "another");
}

// A device would be lost for the whole computer; a pipe can be made and looked at without rights.
TEST_F(File, ThatIsAPipeIsWrittenTo) {
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  write_text(pipe, "words");
  char buffer[16];
  EXPECT_EQ(::read(reader, buffer, sizeof buffer), 5);
  EXPECT_EQ(std::string_view(buffer, 5), "words");
  ::close(reader);
  EXPECT_TRUE(fs::is_fifo(pipe));
  EXPECT_EQ(files(), 1u);
}

TEST_F(File, ThatIsAFifoNobodyHasOpenIsRefusedAtOnce) {
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THROW(read_file(pipe), UserError);
  EXPECT_THROW(write_text(pipe, "words"), UserError);
  EXPECT_THROW(refuse_fifo_without_reader(pipe), UserError);
  EXPECT_TRUE(fs::is_fifo(pipe));
}

TEST_F(File, ThatAShellMadeOfACommandsOutputIsRead) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "words", 5), 5);
  ::close(ends[1]);
  EXPECT_EQ(read_text(fmt::format("/dev/fd/{}", ends[0])), "words");
  ::close(ends[0]);
}

TEST_F(File, ThatHasNoEndIsRefused) { EXPECT_THROW(read_file("/dev/zero"), UserError); }

TEST_F(File, ThatCannotBeWrittenIsNamed) {
  try {
    write_text(folder_ / "nowhere" / "words", "one");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_EQ(error.where(), (folder_ / "nowhere" / "words").string());
  }
  EXPECT_EQ(files(), 0u);
}

}  // namespace
}  // namespace dojo
