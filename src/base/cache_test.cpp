// Does a cache give back what it was given, and nothing else, whatever becomes of its files?
#include "base/cache.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>

#include "base/file.h"
#include "base/parallel.h"
#include "base/temporary_folder.h"

namespace dojo {
namespace {

namespace fs = std::filesystem;

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

class CacheTest : public testing::Test {
protected:
  void SetUp() override { ::setenv("XDG_CACHE_HOME", folder_.path().c_str(), 1); }
  void TearDown() override { ::unsetenv("XDG_CACHE_HOME"); }
  fs::path entry(std::string_view key) const { return folder_.path() / "opendojo/test" / key; }

  TemporaryFolder folder_{"dojo-cache-test"};
};

TEST_F(CacheTest, GivesBackWhatItWasGiven) {
  const Cache cache("test");
  EXPECT_FALSE(cache.find("a"));
  for (const std::string& value : {std::string(), std::string("one"), std::string(100'000, 'x')}) {
    cache.keep("a", bytes_of(value));
    EXPECT_EQ(cache.find("a"), bytes_of(value));
  }
  EXPECT_FALSE(cache.find("b"));
  EXPECT_EQ(Cache("test").find("a"), bytes_of(std::string(100'000, 'x')));
  EXPECT_FALSE(Cache("other").find("a"));
}

TEST_F(CacheTest, FindsNothingInADamagedEntry) {
  const Cache cache("test");
  cache.keep("a", bytes_of("value"));
  const std::vector<std::byte> whole = read_file(entry("a"));
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    write_file(entry("a"), std::span(whole).first(bytes));
    EXPECT_FALSE(cache.find("a")) << bytes;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::vector<std::byte> changed = whole;
    changed[at] ^= std::byte{1};
    write_file(entry("a"), changed);
    EXPECT_FALSE(cache.find("a")) << at;
  }
  cache.keep("a", bytes_of("value"));
  EXPECT_EQ(cache.find("a"), bytes_of("value"));
}

TEST_F(CacheTest, DoesWithoutAPlace) {
  const auto expect_nothing_kept = [](const std::string& why) {
    const Cache cache("test");
    cache.keep("a", bytes_of("value"));
    EXPECT_FALSE(cache.find("a")) << why;
  };
  const std::string file = folder_.path() / "file";
  write_text(file, "");
  for (const std::string& place : {std::string("/proc/nowhere"), std::string("/dev/null"), file}) {
    ::setenv("XDG_CACHE_HOME", place.c_str(), 1);
    expect_nothing_kept(place);
  }
  fs::create_directories(entry("a"));
  ::setenv("XDG_CACHE_HOME", folder_.path().c_str(), 1);
  expect_nothing_kept("a folder in the way");
  EXPECT_EQ(std::distance(fs::directory_iterator(entry("")), {}), 1) << "nothing left behind";

  const std::string home = std::getenv("HOME") != nullptr ? std::getenv("HOME") : "";
  ::setenv("XDG_CACHE_HOME", "relative", 1);
  ::unsetenv("HOME");
  expect_nothing_kept("no home");
  EXPECT_FALSE(fs::exists("relative"));
  if (!home.empty()) ::setenv("HOME", home.c_str(), 1);
}

TEST_F(CacheTest, IsFilledByManyAtOnce) {
  const std::vector<std::byte> value = bytes_of(std::string(200'000, 'y'));
  parallel_for(8, 200, [&](std::size_t) {
    const Cache cache("test");
    if (const auto found = cache.find("a")) {
      EXPECT_EQ(*found, value);
    }
    cache.keep("a", value);
  });
  EXPECT_EQ(Cache("test").find("a"), value);
  EXPECT_EQ(std::distance(fs::directory_iterator(entry("")), {}), 1) << "nothing but the entry";
}

TEST_F(CacheTest, ForgetsWhatIsOld) {
  const Cache cache("test");
  cache.keep("old", bytes_of("1"));
  cache.keep("young", bytes_of("2"));
  write_text(entry("old.AbCdEf"), "of a process that was killed");
  const auto now = fs::file_time_type::clock::now();
  fs::last_write_time(entry("old"), now - std::chrono::days(31));
  fs::last_write_time(entry("old.AbCdEf"), now - std::chrono::days(31));
  fs::last_write_time(entry("young"), now - std::chrono::days(29));
  cache.keep("new", bytes_of("3"));
  EXPECT_FALSE(fs::exists(entry("old")));
  EXPECT_FALSE(fs::exists(entry("old.AbCdEf")));
  EXPECT_EQ(cache.find("young"), bytes_of("2"));
  EXPECT_EQ(cache.find("new"), bytes_of("3"));
}

TEST_F(CacheTest, ForgetsTheOldestOfTooMuch) {
  const Cache cache("test");
  const auto now = fs::file_time_type::clock::now();
  for (const auto& [name, hours] : {std::pair{"oldest", 3}, std::pair{"older", 2}, std::pair{"old", 1}}) {
    cache.keep(name, {});
    fs::resize_file(entry(name), std::uintmax_t{1} << 29);
    fs::last_write_time(entry(name), now - std::chrono::hours(hours));
  }
  cache.keep("new", bytes_of("1"));
  EXPECT_FALSE(fs::exists(entry("oldest")));
  EXPECT_FALSE(fs::exists(entry("older"))) << "with the newer ones it is more than a GiB";
  EXPECT_TRUE(fs::exists(entry("old")));
  EXPECT_EQ(cache.find("new"), bytes_of("1"));
}

}  // namespace
}  // namespace dojo
