// Does what is written arrive whole, and does what is no plain file stay what it is?
#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>

#include "base/error.h"
#include "base/parallel.h"
#include "base/temporary_folder.h"

namespace {

std::function<void(int)> when_synced;
bool locks_are_known = true;

}  // namespace

// In place of the C library's.
extern "C" int fsync(int descriptor) {
  if (when_synced) when_synced(descriptor);
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}
extern "C" int flock(int descriptor, int operation) noexcept {
  if (!locks_are_known) return errno = ENOSYS, -1;
  return static_cast<int>(::syscall(SYS_flock, descriptor, operation));
}

namespace dojo {
namespace {

namespace fs = std::filesystem;

class File : public testing::Test {
protected:
  void TearDown() override {
    when_synced = nullptr;
    locks_are_known = true;
  }

  // Writes in a process of its own, which is killed when all is written and nothing renamed.
  void write_and_be_killed(const fs::path& path, std::string_view text) {
    const pid_t child = ::fork();
    if (child == 0) {
      when_synced = [](int) { ::kill(::getpid(), SIGKILL); };
      write_text(path, text);
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }

  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }

  const TemporaryFolder own_{"dojo-file"};
  const fs::path folder_ = own_.path();
};

TEST_F(File, IsReplacedAsAWhole) {
  write_text(folder_ / "words", "one");
  write_text(folder_ / "words", "another");
  EXPECT_EQ(read_text(folder_ / "words"), "another");
  EXPECT_EQ(files(), 1u);
}

// At each moment at which it matters the disk knows what is needed: the bytes before they have the name, and
// the name before anybody is told.
TEST_F(File, OutlivesAPowerCut) {
  write_text(folder_ / "words", "one");
  std::vector<std::string> synced;
  when_synced = [&](int descriptor) {
    struct stat state{};
    ASSERT_EQ(::fstat(descriptor, &state), 0);
    synced.push_back(S_ISDIR(state.st_mode) ? "folder: " + read_text(folder_ / "words")
                                            : fmt::format("{} bytes of a file", state.st_size));
  };
  write_text(folder_ / "words", "another");
  EXPECT_EQ(synced, (std::vector<std::string>{"7 bytes of a file", "folder: another"}));
}

TEST_F(File, ThatTwoWriteAtOnceIsOneOfTheirs) {
  when_synced = [&](int) {
    when_synced = nullptr;
    write_text(folder_ / "words", "of who began later");
  };
  write_text(folder_ / "words", "of who ended later");
  EXPECT_EQ(read_text(folder_ / "words"), "of who ended later");
  EXPECT_EQ(files(), 1u);

  parallel_for(8, 400, [&](std::size_t i) {
    write_text(folder_ / "words", std::string(1000, static_cast<char>('a' + i % 26)));
    const std::string read = read_text(folder_ / "words");
    EXPECT_EQ(read, std::string(1000, read[0]));
  });
  EXPECT_EQ(files(), 1u);
}

TEST_F(File, ThatAKilledWriterLeftBesideItIsTakenOver) {
  write_text(folder_ / "words", "one");
  for (int time = 0; time < 3; ++time) {
    write_and_be_killed(folder_ / "words", "a long text that never arrives");
    EXPECT_EQ(read_text(folder_ / "words"), "one");
    EXPECT_EQ(files(), 2u) << time;
  }
  write_text(folder_ / "words", "another");
  EXPECT_EQ(read_text(folder_ / "words"), "another");
  EXPECT_EQ(files(), 1u);
}

TEST_F(File, IsWrittenWhereLocksAreUnknown) {
  locks_are_known = false;
  write_and_be_killed(folder_ / "words", "one");
  write_text(folder_ / "words", "another");
  EXPECT_EQ(read_text(folder_ / "words"), "another");
  EXPECT_EQ(files(), 2u) << "what was left may be somebody's";
}

// Also where what a killed one left has other rights or is none of ours.
TEST_F(File, HasTheUsualRights) {
  const mode_t mask = ::umask(027);
  fs::create_directory(folder_ / "words.partial");
  write_text(folder_ / "words", "one");
  ::umask(mask);
  EXPECT_EQ(fs::status(folder_ / "words").permissions(), static_cast<fs::perms>(0640));
  EXPECT_EQ(files(), 2u);
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
