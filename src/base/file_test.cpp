#include "base/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>

#include "base/error.h"

namespace dojo {
namespace {

std::filesystem::path new_folder() {
  std::string name = testing::TempDir() + "dojo-file-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no folder";
  return name;
}

TEST(File, IsReplacedWhole) {
  const auto folder = new_folder(), file = folder / "text";
  write_text(file, "a longer text");
  write_text(file, "short");
  EXPECT_EQ(read_text(file), "short");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  std::filesystem::remove_all(folder);
}

TEST(File, ThatIsADeviceStaysOne) {
  write_text("/dev/null", "gone");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_THROW(write_text("/dev/full", "no room"), UserError);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
  EXPECT_FALSE(std::filesystem::exists("/dev/full.partial"));
}

TEST(File, ThatIsAPipeIsWrittenTo) {
  const auto folder = new_folder(), pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  auto reader = std::async(std::launch::async, [&] { return read_text(pipe); });
  write_text(pipe, "through");
  EXPECT_EQ(reader.get(), "through");
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  std::filesystem::remove_all(folder);
}

TEST(File, ThatCannotBeWrittenIsRefused) {
  EXPECT_THROW(write_text("/nowhere/file", "text"), UserError);
  EXPECT_THROW(write_text("/", "text"), UserError);
}

}  // namespace
}  // namespace dojo
