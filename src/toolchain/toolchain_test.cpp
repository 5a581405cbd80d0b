// Does the toolchain give the same bytes every time, and one clear sentence for what does not compile?
#include "toolchain/toolchain.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>

#include "base/cache.h"
#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"
#include "toolchain/tool.h"

namespace dojo::toolchain {
namespace {

namespace fs = std::filesystem;

const SourceText trivial{"trivial.cpp",
                         "#include \"dojo.h\"\nint main() { dojo::barrier_all(); return 7; }\n"};

std::string message_of(std::vector<SourceText> sources) {
  try {
    build_program(std::move(sources));
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

// While it lasts nothing is found that was built before.
class EmptyCache {
public:
  EmptyCache() { ::setenv("XDG_CACHE_HOME", folder_.path().c_str(), 1); }
  ~EmptyCache() { ::unsetenv("XDG_CACHE_HOME"); }
  fs::path programs() const { return folder_.path() / "opendojo/programs"; }

private:
  TemporaryFolder folder_{"toolchain-test"};
};

std::vector<std::byte> built_anew(const BuildOptions& options = {}) {
  const EmptyCache none;
  return build_program({trivial}, options);
}

TEST(Toolchain, BuildsTheSameBytesWithOneThreadAndWithTwo) {
  const std::vector<std::byte> one = built_anew({.host_threads = 1});
  const std::vector<std::byte> two = built_anew({.host_threads = 2});
  ASSERT_GT(one.size(), 64u);
  EXPECT_EQ(one[1], std::byte{'E'});
  EXPECT_TRUE(one == two);
}

// A program's hash, by which a run knows its own, must be the program's alone.
TEST(Toolchain, BuildsTheSameBytesInEveryEnvironment) {
  const std::vector<std::byte> right = built_anew();
  for (const auto& [name, value] :
       {std::pair{"CCC_OVERRIDE_OPTIONS", "#+-O0"}, std::pair{"CPATH", "/nowhere"},
        std::pair{"SOURCE_DATE_EPOCH", "no number"}}) {
    ::setenv(name, value, 1);
    EXPECT_TRUE(built_anew() == right) << name;
    ::unsetenv(name);
  }
}

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

TEST(Toolchain, TakesAProgramThatIsKeptForAllThatItFollowsFrom) {
  const EmptyCache cache;
  const std::vector<std::byte> right = build_program({trivial});
  ASSERT_EQ(files_in(cache.programs()), 1u);
  const Cache kept("programs");
  const std::string key = fs::directory_iterator(cache.programs())->path().filename();
  const std::vector<std::byte> mark{std::byte{1}};
  kept.keep(key, mark);
  EXPECT_EQ(build_program({trivial}), mark);

  SourceText renamed = trivial, changed = trivial;
  renamed.name = "other.cpp";
  changed.text += "\n";
  BuildOptions flag, base, vectors, threads;
  flag.extra_flags = {"-DX"};
  base.program_base = 0x2000;
  vectors.vlen_bits = 256;
  threads.node_threads = 2;
  EXPECT_NE(build_program({renamed}), mark);
  EXPECT_NE(build_program({changed}), mark);
  for (const BuildOptions& options : {flag, base, vectors, threads})
    EXPECT_NE(build_program({trivial}, options), mark);
  EXPECT_EQ(files_in(cache.programs()), 7u);

  write_text(cache.programs() / key, "damaged");
  EXPECT_EQ(build_program({trivial}), right);
}

TEST(Toolchain, BuildsOnlyWhatIsNotKept) {
  const EmptyCache cache;
  const SourceText wrong{"wrong.cpp", "int main() { return missing; }\n"};
  const std::vector<std::byte> right = build_program({trivial});
  const std::array<std::vector<SourceText>, 3> programs{
      {{trivial}, {{"two.cpp", "int main() { return 2; }\n"}}, {trivial}}};
  const auto elves = build_programs(programs);
  EXPECT_EQ(elves[0], right);
  EXPECT_EQ(elves[2], right);
  EXPECT_NE(elves[1], right);
  EXPECT_EQ(files_in(cache.programs()), 2u);
  EXPECT_THROW(build_program({wrong}), UserError);
  EXPECT_EQ(files_in(cache.programs()), 2u) << "what does not compile is not kept";
}

TEST(Toolchain, BuildsSeveralProgramsThatDoNotInfluenceEachOther) {
  const std::vector<std::vector<SourceText>> programs{
      {{"other.cpp", "int answer();\nint main() { return answer(); }\n"},
       {"answer.cpp", "int answer() { return 42; }\n"}},
      {trivial}};
  const auto elves = build_programs(programs);
  ASSERT_EQ(elves.size(), 2u);
  EXPECT_TRUE(elves[1] == build_program({trivial}));
  EXPECT_FALSE(elves[0] == elves[1]);
}

TEST(Toolchain, SaysWhichLineDoesNotCompileAndLeavesNothingBehind) {
  const TemporaryFolder nobody_elses("dojo-toolchain-test-");  // other tests build at the same time
  ::setenv("TMPDIR", nobody_elses.path().c_str(), 1);
  const std::string message = message_of({{"kernel.cpp", "int main() {\n  return missing;\n}\n"}});
  ::unsetenv("TMPDIR");
  EXPECT_NE(message.find("kernel.cpp:2:10"), std::string::npos) << message;
  EXPECT_NE(message.find("missing"), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_TRUE(fs::is_empty(nobody_elses.path()));
}

TEST(Toolchain, SaysWhichSymbolIsMissing) {
  const std::string message = message_of({{"kernel.cpp", "void nowhere();\nint main() { nowhere(); }\n"}});
  EXPECT_NE(message.find("nowhere"), std::string::npos) << message;
}

TEST(Toolchain, NamesThePackageOfAMissingCompiler) {
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", "/nonexistent", 1);
  const std::string message = message_of({trivial});
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_NE(message.find("apt install clang-22"), std::string::npos) << message;
}

TEST(Tool, SaysHowAToolEndedThatSaysNothingItself) {
  const TemporaryFolder folder("tool-test");
  const std::filesystem::path log = folder.path() / "log";
  const auto error = [&](const std::string& script) {
    EXPECT_FALSE(run_tool({"/bin/sh", "-c", script}, folder.path(), log));
    return first_error(log);
  };
  EXPECT_EQ(error("exit 3"), "error: sh ended with code 3 and said nothing");
  EXPECT_EQ(error("echo half a line; kill -SEGV $$"),
            "error: sh was ended by signal 11 (Segmentation fault); it may lack memory, or stack for code "
            "that deep");
  EXPECT_EQ(error("echo 'x.cpp:1: error: no'; exit 1"), "x.cpp:1: error: no");
  EXPECT_FALSE(run_tool({"/nowhere/tool"}, folder.path(), log));
  EXPECT_EQ(first_error(log), "error: tool cannot be started: No such file or directory");
}

TEST(Tool, SeesOnlyWhatChangesNoProgram) {
  const TemporaryFolder folder("tool-test");
  const std::filesystem::path log = folder.path() / "log";
  ::setenv("CPATH", "/nowhere", 1);
  ::setenv("LC_ALL", "C.UTF-8", 1);
  ::setenv("TMPDIR", folder.path().c_str(), 1);
  EXPECT_TRUE(run_tool({"/usr/bin/env"}, folder.path(), log));
  for (const char* name : {"CPATH", "LC_ALL", "TMPDIR"}) ::unsetenv(name);
  std::istringstream lines(read_text(log));
  std::map<std::string, std::string> seen;
  for (std::string line; std::getline(lines, line);)
    seen[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
  EXPECT_EQ(seen["LC_ALL"], "C");
  EXPECT_EQ(seen["TMPDIR"], folder.path().string());
  EXPECT_EQ(seen["PATH"], std::getenv("PATH"));
  for (const char* name : {"LC_ALL", "PATH", "TMPDIR", "HOME", "TERM"}) seen.erase(name);
  for (const auto& [name, value] : seen) ADD_FAILURE() << name << "=" << value;
}

}  // namespace
}  // namespace dojo::toolchain
