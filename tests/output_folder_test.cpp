// Has a folder one owner at a time, whatever others make, lock and remove in between?
#include "output_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"

namespace {

// What happens once, between the opening of a folder and the lock on it.
std::function<void()>& before_lock() {
  static std::function<void()> hook;
  return hook;
}
bool lock_is_refused = false;  // once
std::vector<std::filesystem::path> synced;

}  // namespace

// In place of the C library's.
extern "C" int flock(int descriptor, int operation) noexcept {
  if (const auto hook = std::exchange(before_lock(), nullptr)) hook();
  if (std::exchange(lock_is_refused, false)) return errno = EWOULDBLOCK, -1;
  return static_cast<int>(::syscall(SYS_flock, descriptor, operation));
}
extern "C" int fsync(int descriptor) {
  synced.push_back(std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", descriptor)));
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

namespace dojo::tools {
namespace {

namespace fs = std::filesystem;

class OutputFolderTest : public testing::Test {
protected:
  static void expect_refused(const fs::path& folder, std::string_view words) {
    expect_refused_by([&] { const OutputFolder refused(folder); }, folder, words);
  }

  template <typename Work>
  static void expect_refused_by(Work work, const fs::path& folder, std::string_view words) {
    try {
      work();
      ADD_FAILURE() << folder;
    } catch (const UserError& error) {
      EXPECT_EQ(error.where(), folder.string());
      EXPECT_TRUE(error.what_alone().starts_with(words)) << error.what();
    }
  }

  const TemporaryFolder own_{"dojo-output-folder"};
  const fs::path above_ = own_.path() / "above", folder_ = above_ / "folder";
};

TEST_F(OutputFolderTest, IsOneCommandsAtATimeAndGoneIfNothingIsInIt) {
  {
    const OutputFolder mine(folder_);
    expect_refused(folder_, "is being written by another run");
    EXPECT_TRUE(fs::exists(folder_));
  }
  EXPECT_TRUE(fs::is_empty(own_.path()));
  {
    const OutputFolder mine(folder_);
    write_text(folder_ / "result", "words");
  }
  EXPECT_TRUE(fs::exists(folder_ / "result"));
}

// With it a power cut would take the checkpoints that are in it.
TEST_F(OutputFolderTest, OutlivesAPowerCut) {
  synced.clear();
  const OutputFolder mine(folder_);
  EXPECT_EQ(synced, (std::vector{own_.path(), above_}));
}

// The one before removes its folder and ends; a third makes it anew and locks it.
TEST_F(OutputFolderTest, ThatSomebodyElseMadeAndLockedMeanwhileIsRefused) {
  std::optional<OutputFolder> third;
  fs::create_directories(folder_);
  before_lock() = [&] {
    fs::remove(folder_);
    third.emplace(folder_);
  };
  expect_refused(folder_, "is being written by another run");
  EXPECT_TRUE(fs::exists(folder_));
  third.reset();
  EXPECT_FALSE(fs::exists(folder_)) << "whoever made it removes it";
}

TEST_F(OutputFolderTest, ThatSomebodyRemovedMeanwhileIsMadeAnew) {
  before_lock() = [&] { fs::remove_all(above_); };
  const OutputFolder mine(folder_);
  ASSERT_TRUE(fs::exists(folder_));
  expect_refused(folder_, "is being written by another run");
}

TEST_F(OutputFolderTest, ThatIsRefusedLeavesNothing) {
  lock_is_refused = true;  // by one who is gone a moment later
  expect_refused(folder_, "is being written by another run");
  EXPECT_TRUE(fs::is_empty(own_.path()));
  expect_refused(folder_ / std::string(300, 'x'), "cannot be made");
  EXPECT_TRUE(fs::is_empty(own_.path()));
  write_text(own_.path() / "file", "");
  expect_refused(own_.path() / "file", "cannot be made: Not a directory");
  expect_refused(own_.path() / "file" / "folder", "cannot be made: Not a directory");
  expect_refused("/proc/nowhere", "cannot be made");
}

// Whoever only asks hears the same, and makes nothing on the way.
TEST_F(OutputFolderTest, IsRefusedToWhoOnlyAsksAsToWhoMakesIt) {
  write_text(own_.path() / "file", "");
  fs::create_symlink("loop", own_.path() / "loop");
  fs::create_symlink("nowhere", own_.path() / "astray");
  fs::create_directories(own_.path() / "tub/images");
  write_text(own_.path() / "tub/manifest.json", "");
  fs::create_directories(own_.path() / "taken");
  const OutputFolder taken(own_.path() / "taken");
  const auto count = [&] { return std::distance(fs::recursive_directory_iterator(own_.path()), {}); };
  const auto before = count();
  for (const fs::path& folder :
       {fs::path("/dev/null/x"), fs::path("/proc/x"), fs::path("/proc/x/y"), own_.path() / "file",
        own_.path() / "file/below", own_.path() / "loop", own_.path() / "loop/below", own_.path() / "astray",
        own_.path() / "astray/below", own_.path() / "tub", own_.path() / "tub/images", own_.path() / "taken",
        folder_ / std::string(300, 'x'), own_.path() / std::string(300, 'x')}) {
    std::string words;
    try {
      const OutputFolder refused(folder);
      ADD_FAILURE() << folder;
    } catch (const UserError& error) {
      words = error.what_alone().substr(0, error.what_alone().find(':'));
    }
    expect_refused_by([&] { refuse_unusable_folder(folder); }, folder, words);
  }
  for (const fs::path& folder : {folder_, above_, own_.path(), fs::path("relative/new")})
    EXPECT_NO_THROW(refuse_unusable_folder(folder)) << folder;
  EXPECT_EQ(count(), before);
}

TEST_F(OutputFolderTest, StaysWhileAnotherHasTheOneAboveIt) {
  std::optional<OutputFolder> inner(folder_);
  const OutputFolder outer(above_);
  inner.reset();
  EXPECT_FALSE(fs::exists(folder_));
  EXPECT_TRUE(fs::exists(above_));
  write_text(above_ / "result", "words");
}

}  // namespace
}  // namespace dojo::tools
