// The dojo command as a user meets it: exit codes, and what it says on which stream.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>

#include "base/file.h"
#include "machine/variant_for_tests.h"
#include "support/command_test.h"
#include "support/json.h"

namespace dojo {
namespace {

// Ctrl-C, once the program has read the letter `given` from a standard input that holds no more.
Said interrupted(const std::string& arguments, char given, const std::filesystem::path& folder) {
  const std::filesystem::path words = folder / "words", input = folder / "input";
  std::filesystem::remove(input);
  EXPECT_EQ(::mkfifo(input.c_str(), 0600), 0);
  const int letters = ::open(input.c_str(), O_RDWR);
  EXPECT_EQ(::write(letters, &given, 1), 1);
  const std::string line =
      fmt::format("exec {} {} <>{} >{} 2>&1", dojo_command(), arguments, input.string(), words.string());
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGINT, SIG_DFL);
    execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
    _exit(127);
  }
  const auto unread = [&] {
    int bytes = 0;
    return ::ioctl(letters, FIONREAD, &bytes) != 0 || bytes != 0;
  };
  for (int waits = 0; waits < 6000 && unread(); ++waits)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_FALSE(unread());
  kill(child, SIGINT);
  int status = 0;
  waitpid(child, &status, 0);
  ::close(letters);
  return {exit_code_of(status), read_text(words)};
}

class Exec : public CommandTest {
protected:
  // Runs `dojo` with `arguments`, which may redirect; in the environment `before`.
  static Said dojo(const std::string& arguments, const std::string& before = "") {
    return shell(fmt::format("{}{} {}", before, dojo_command(), arguments));
  }
};

TEST_F(Exec, PrintsTheProgramsTextThenWhatItDid) {
  const std::string path = program("static const char text[] = \"good day\\n\";",
                                   "system_call(64, 1, address(text), 9); return 0;");
  const Said said = dojo("exec " + path);
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_TRUE(said.words.starts_with("good day\n")) << said.words;
  for (const std::string_view word : {"instructions", "cycles", "per cycle", "issue"})
    EXPECT_NE(said.words.find(word), std::string::npos) << word;
  EXPECT_EQ(dojo("exec --no-timing " + path).words.find("cycles"), std::string::npos);
}

TEST_F(Exec, EndsWithTheProgramsExitCode) {
  EXPECT_EQ(dojo("exec --nodes 5 " + program("", "return 10 + csr_node();") + " >&2 2>/dev/null").exit_code,
            14);
}

TEST_F(Exec, SaysTheSameInJsonForAnyNumberOfHostThreads) {
  const std::string path = program("alignas(8) static volatile uint64_t full; static uint64_t word;", R"(
    const uint64_t next = (csr_node() + 1) % csr_nodes();
    dojo_put(address(&full), at(next, &word), address(&word), 8);
    dojo_wait(address(&full), 1);
    return 0;
  )");
  const Said one = dojo("exec --json --nodes 40 --threads 1 " + path);
  const Said two = dojo("exec --json --nodes 40 --threads 2 " + path);
  EXPECT_EQ(one.words, two.words);
  const Json json = Json::parse(one.words);
  EXPECT_EQ(json.at("outcome"), "finished");
  EXPECT_GT(json.at("cycles"), 0u);
}

TEST_F(Exec, AGuestThatTrapsEndsWithThreeAndItsRegisters) {
  const Said said = dojo("exec " + program("", "*(volatile uint64_t*)16 = 1; return 0;") + " 2>&1");
  EXPECT_EQ(said.exit_code, 3);
  for (const std::string_view word : {"store to 0x10", "_start", "sd", "a0"})
    EXPECT_NE(said.words.find(word), std::string::npos) << word << " in " << said.words;
}

TEST_F(Exec, AGuestWhoseCallsGoTooDeepIsToldSo) {
  const std::string path = program(R"(
    [[gnu::noinline]] static uint64_t deep(uint64_t levels) {
      volatile uint64_t here[64];
      here[levels % 64] = levels;
      return deep(levels + 1) + here[levels % 64];
    })",
                                   "return deep(0);");
  const Said said = dojo("exec " + path + " 2>&1");
  EXPECT_EQ(said.exit_code, 3);
  EXPECT_NE(said.words.find("; sp is below the thread's stack, 0x13c000 to 0x140000\n"), std::string::npos)
      << said.words;
  const Said other = dojo("exec " + program("", "*(volatile uint64_t*)16 = 1; return 0;") + " 2>&1");
  EXPECT_EQ(other.words.find("thread's stack"), std::string::npos) << other.words;
}

TEST_F(Exec, ARunawayGuestEndsWithThree) {
  const std::string path = program("", "for (volatile int i = 0;; i = i + 1) {} return 0;");
  EXPECT_EQ(dojo("exec --max-instructions 10000 " + path + " 2>/dev/null").exit_code, 3);
  // It stops behind a block; what it says is what it did.
  const Said said = dojo("exec --max-instructions 1 " + path + " 2>&1");
  const std::size_t at = said.words.find("instructions  ");
  ASSERT_NE(at, std::string::npos) << said.words;
  const auto done = std::stoull(said.words.substr(at + 14));
  EXPECT_NE(said.words.find(fmt::format("still running after {} instructions\n", done)), std::string::npos)
      << said.words;
}

// Only a program that ends by itself has an exit code.
TEST_F(Exec, AGuestThatDoesNotFinishHasNoExitCode) {
  const std::string path = program("", "*(volatile uint64_t*)16 = 1; return 0;");
  EXPECT_NE(dojo("exec " + path + " 2>/dev/null").words.find("exit code     none: trapped\n"),
            std::string::npos);
  EXPECT_TRUE(Json::parse(dojo("exec --json " + path + " 2>/dev/null").words).at("exit_code").is_null());
}

// Ctrl-C says where the program was, whether it ran, was traced or waited for input.
TEST_F(Exec, CtrlCEndsTheProgramWhereItStands) {
  const std::string path = program("static char letter;", R"(
    while (letter != 'r') system_call(63, 0, address(&letter), 1);
    for (volatile int i = 0;; i = i + 1) {})");
  const std::string trace = (folder_ / "trace").string();
  const auto stopped = [&](const std::string& arguments, char given) {
    const Said said = interrupted(fmt::format("exec {} {}", arguments, path), given, folder_);
    EXPECT_EQ(said.exit_code, 130) << arguments;
    for (const std::string_view word : {"interrupted\n", "thread 0: was running\n  at 0x", "+0x", " sp 0"})
      EXPECT_NE(said.words.find(word), std::string::npos) << word << " in " << said.words;
    return said.words;
  };
  constexpr char run = 'r', wait_for_another = 'w';
  EXPECT_NE(stopped("", run).find("exit code     none: interrupted\n"), std::string::npos);
  stopped("--nodes 3", run);
  stopped("", wait_for_another);
  stopped("--trace " + trace, run);
  EXPECT_TRUE(read_text(trace).ends_with('\n'));
  const std::string json = stopped("--json", run);
  EXPECT_FALSE(Json::parse(json.substr(0, json.rfind("}\n") + 1)).contains("cycles"));
}

TEST_F(Exec, WhatCannotBeSaidIsNoSuccess) {
  const std::string path = program("static const char text[] = \"good day\\n\";",
                                   "system_call(64, 1, address(text), 9); return 0;");
  for (const char* how : {"", "--quiet", "--json"}) {
    const Said said = dojo(fmt::format("exec {} {} 2>&1 >/dev/full", how, path));
    EXPECT_EQ(said.exit_code, 2) << how;
    EXPECT_EQ(said.words, "dojo: standard output: cannot be written\n") << how;
  }
}

TEST_F(Exec, TheUsersMistakesEndWithTwoAndOneSentence) {
  const std::string good = program("", "return 0;");
  const std::string bad = (folder_ / "bad.elf").string();
  write_text(bad, "this is no program");
  for (const std::string& arguments :
       {"exec " + bad, std::string("exec /nowhere/at/all.elf"), "exec --machine nosuch " + good,
        "exec --nodes 355 " + good, "disassemble " + bad, std::string("machine nosuch")}) {
    const Said said = dojo(arguments + " 2>&1 >/dev/null");
    EXPECT_EQ(said.exit_code, 2) << arguments;
    EXPECT_TRUE(said.words.starts_with("dojo: ")) << said.words;
    EXPECT_EQ(std::ranges::count(said.words, '\n'), 1) << said.words;
  }
  EXPECT_EQ(dojo("exec --no-such-option " + good + " 2>/dev/null").exit_code, 2);
  EXPECT_EQ(dojo("exce program.elf 2>&1").words, "dojo: 'exce' is no command; --help lists them\n");
}

TEST_F(Exec, WithoutAPlaceForTemporaryFilesOneSentenceSaysSo) {
  const std::string good = program("", "return 0;");
  for (const std::string& arguments : {std::string("cc x.cpp"), "profile " + good}) {
    const Said said = dojo(arguments + " 2>&1", "TMPDIR=/nowhere ");
    EXPECT_EQ(said.exit_code, 2);
    EXPECT_TRUE(said.words.ends_with("dojo: TMPDIR: names no folder for temporary files\n")) << said.words;
    EXPECT_NE(
        dojo(arguments + " 2>&1", "TMPDIR=/proc ").words.find("dojo: /proc: cannot hold temporary files: "),
        std::string::npos);
  }
}

TEST_F(Exec, NumbersAreTakenAsTheyAreWritten) {
  const std::string good = program("", "return 0;");
  for (const auto& [option, range] : std::vector<std::pair<std::string, std::string>>{
           {"--nodes", "1 to the nodes of the machine"},
           {"--max-instructions", "0 to 18446744073709551615"},
           {"--threads", "0 to 1024"},
           {"--gdb", "0 to 65535"},
           {"--signature s --signature-granularity", "1 to 4096"}})
    for (const std::string value : {"-1", "1e3", "0x10", "010", "99999999999999999999", "x"}) {
      const Said said = dojo(fmt::format("exec {} {}={} 2>&1", good, option, value));
      EXPECT_EQ(said.exit_code, 2) << option << " " << value;
      EXPECT_EQ(said.words,
                fmt::format("dojo: {}: '{}' is no whole number from {}; --help lists the options\n",
                            option.substr(option.rfind("--")), value, range));
    }
}

// The sentence is exact: what a program counts on and what the machine has.
TEST_F(Exec, AProgramForLongerVectorsIsRefused) {
  program("", "return 7;");
  const auto path = folder_ / "program.elf", longer = folder_ / "longer.toml";
  write_file(path, system::build_guest(system::guest_source("", "return 7;"), "-march=rv64gcv_zvl1024b"));
  for (const char* command : {"exec", "profile"}) {
    const Said said = dojo(fmt::format("{} {} 2>&1", command, path.string()));
    EXPECT_EQ(said.exit_code, 2);
    EXPECT_EQ(
        said.words,
        fmt::format("dojo: {}: is compiled for vectors of at least 1024 bits (zvl1024b); a node of d1 has "
                    "512\n",
                    path.string()));
  }
  write_text(longer, machine::variant_text("d1", "node.vlen_bits", "1024"));
  EXPECT_EQ(dojo(fmt::format("exec --quiet --machine {} {}", longer.string(), path.string())).exit_code, 7);
}

TEST_F(Exec, DisassemblesFromTheEntryOn) {
  const Said said = dojo("disassemble " + program("", "dojo_quiet(); return 0;"));
  EXPECT_EQ(said.exit_code, 0);
  for (const std::string_view word : {"<_start>:", "dj.quiet", "ecall"})
    EXPECT_NE(said.words.find(word), std::string::npos) << word;
}

TEST_F(Exec, ListsTheMachinesParametersAndWhatFollows) {
  const Said said = dojo("machine d1");
  EXPECT_EQ(said.exit_code, 0);
  for (const std::string_view word :
       {"mesh.link_bytes_per_cycle", "Hot Chips 34", "plausible from 4 (fast) to 8 (slow)", "1.024 TFLOPS",
        "362.5 TFLOPS", "442.5 MB"})
    EXPECT_NE(said.words.find(word), std::string::npos) << word;
}

}  // namespace
}  // namespace dojo
