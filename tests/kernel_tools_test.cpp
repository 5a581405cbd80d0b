// dojo cc, dojo profile and dojo exec's arguments, input and memory, as the author of a kernel meets them.
//
// A test asks all it has to ask of one program.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "base/file.h"
#include "system/guest_for_tests.h"

namespace dojo {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::uint64_t sram_bytes = 1310720;

struct Said {
  int exit_code = 0;
  std::string words, errors;
};

class KernelTools : public testing::Test {
protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("dojo-kernel-tools-{}", getpid());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Runs `dojo` in the test's folder; its input is what the command `feeder` writes.
  Said dojo(const std::string& arguments, const std::string& feeder = "true") const {
    const fs::path command = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "dojo";
    const std::string line = fmt::format("cd {} && {} | {} {} >words 2>errors", folder_.string(), feeder,
                                         command.string(), arguments);
    Said said;
    said.exit_code = WEXITSTATUS(std::system(line.c_str()));
    said.words = read_text(folder_ / "words");
    said.errors = read_text(folder_ / "errors");
    return said;
  }

  void write(const std::string& name, std::string_view text) const { write_text(folder_ / name, text); }

  void expect_built(const std::string& arguments) const {
    const Said said = dojo("cc " + arguments);
    ASSERT_EQ(said.exit_code, 0) << said.errors;
    EXPECT_EQ(said.words + said.errors, "");
  }

  // Exit code 2 and one sentence that says every word of `words`.
  void expect_refused(const std::string& arguments, const std::vector<std::string>& words) const {
    const Said said = dojo(arguments);
    EXPECT_EQ(said.exit_code, 2) << arguments;
    EXPECT_TRUE(said.errors.starts_with("dojo: ")) << arguments << ": " << said.errors;
    EXPECT_EQ(std::ranges::count(said.errors, '\n'), 1) << said.errors;
    EXPECT_EQ(said.words, "") << arguments;
    for (const std::string& word : words)
      EXPECT_NE(said.errors.find(word), std::string::npos) << word << " in: " << said.errors;
  }

  fs::path folder_;
};

std::uint64_t number_behind(const std::string& text, std::string_view word) {
  const std::size_t at = text.find(word);
  return at == std::string::npos ? 0 : std::stoull(text.substr(at + word.size()));
}

TEST_F(KernelTools, CompileAndRunHelloWorld) {
  write("hello.cpp", "#include <stdio.h>\nint main() { puts(\"hello, node\"); }\n");
  expect_built("hello.cpp -o hello.elf");
  const Said quiet = dojo("exec hello.elf --quiet");
  EXPECT_EQ(quiet.exit_code, 0);
  EXPECT_EQ(quiet.words, "hello, node\n");
  EXPECT_EQ(quiet.errors, "");

  const Said six = dojo("exec hello.elf --nodes 6");
  EXPECT_EQ(six.exit_code, 0);
  std::string all;
  for (int node = 0; node < 6; ++node) all += "hello, node\n";
  EXPECT_TRUE(six.words.starts_with(all + "nodes         6\n")) << six.words;

  const Json json = Json::parse(dojo("exec hello.elf --json").words);
  EXPECT_EQ(json.at("output"), "hello, node\n");
  EXPECT_EQ(json.at("exit_code"), 0);
  EXPECT_LT(json.at("memory_bytes_used"), 64 * 1024);
}

TEST_F(KernelTools, CompileManyFilesWithTheUsersFlags) {
  fs::create_directories(folder_ / "include");
  write("include/answer.h", "int answer(void);\n");
  write("one.c", "#include \"answer.h\"\nint answer(void) { return ANSWER; }\n");
  write("two.c", "#include \"answer.h\"\nint main(void) { return answer(); }\n");
  // As clang names them: one object per file.
  const Said objects = dojo("cc -c -O2 -Wall -I include -DANSWER=41 one.c two.c");
  EXPECT_EQ(objects.exit_code, 0) << objects.errors;
  EXPECT_TRUE(fs::exists(folder_ / "one.o"));
  EXPECT_TRUE(fs::exists(folder_ / "two.o"));
  EXPECT_FALSE(fs::exists(folder_ / "a.elf"));
  EXPECT_NE(dojo("cc -E -Iinclude -DANSWER=43 one.c").words.find("return 43;"), std::string::npos);
  expect_built("one.o two.o");
  EXPECT_EQ(dojo("cc -x c++ - -o piped.elf", "echo 'int main() { return 17; }'").errors, "");
  EXPECT_EQ(dojo("exec piped.elf").exit_code, 17);
  EXPECT_EQ(dojo("exec a.elf").exit_code, 41);
}

TEST_F(KernelTools, GiveProgramsArgumentsInputFloatsAndAHeap) {
  write("library.c", R"(
    #include <math.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    static void* volatile kept;
    int main(int count, char** arguments) {
      for (int i = 1; i < count; ++i) printf("<%s>", arguments[i]);
      printf("%s\n", arguments[count] == NULL ? "" : "no end");
      double sum = 0, value;
      while (scanf("%lf", &value) == 1) sum += value;
      printf("%.3f|%g|%e|%8.2f|%-8.1f|%+.0f|%a\n", sum, sum, sum, sum, sum, sum, 0.75);
      printf("%.15f %g %g %.3f\n", sqrt(2.0), HUGE_VAL, -HUGE_VAL, sin(1.0));
      unsigned char* bytes = malloc(100000);
      memset(bytes, 7, 100000);
      bytes = realloc(bytes, 200000);
      bytes[199999] = 9;
      printf("%d %d", bytes[99999], bytes[199999]);
      free(bytes);
      kept = malloc(100000000);
      printf(" %s\n", kept == NULL ? "none" : "some");
      fprintf(stderr, "an error\n");
      return count;
    }
  )");
  expect_built("library.c -o library.elf");
  const Said said = dojo("exec --quiet library.elf -- 'two words' '' --json -x", "printf '1.5 2.25\\n3e2 '");
  EXPECT_EQ(said.exit_code, 5) << "the program's own name and four arguments";
  // What the same program says on this computer.
  EXPECT_EQ(said.words,
            "<two words><><--json><-x>\n"
            "303.750|303.75|3.037500e+02|  303.75|303.8   |+304|0x1.8p-1\n"
            "1.414213562373095 inf -inf 0.841\n"
            "7 9 none\n");
  EXPECT_EQ(said.errors, "an error\n");
  EXPECT_EQ(dojo("exec --quiet library.elf").exit_code, 1);

  // Every node reads the whole input.
  const Json json = Json::parse(dojo("exec --json --nodes 2 library.elf", "echo 2.5").words);
  const std::string output = json.at("output");
  EXPECT_NE(output.find("2.500|"), output.rfind("2.500|")) << output;
  EXPECT_EQ(json.at("error_output"), "an error\nan error\n");
}

// y = a x + y with the rounding of each operation, as the program is to have it.
std::string saxpy_on_this_computer() {
  std::string lines;
  for (int i = 0; i < 500; ++i) {
    const volatile float product = 0.3f * (0.7f * static_cast<float>(i));
    const volatile float sum = product + 1 / static_cast<float>(i + 1);
    lines += fmt::format("{:.9e}\n", static_cast<double>(sum));
  }
  return lines;
}

constexpr std::string_view saxpy = R"(
  #include <stdio.h>
  float x[500], y[500], z[500];
  __attribute__((noinline)) void saxpy(int n, float a, const float* __restrict from,
                                       const float* __restrict plus, float* __restrict to) {
    for (int i = 0; i < n; ++i) to[i] = a * from[i] + plus[i];
  }
  int main() {
    for (int i = 0; i < 500; ++i) x[i] = 0.7f * i, y[i] = 1.0f / (i + 1);
    for (int times = 0; times < REPEAT; ++times) saxpy(500, 0.3f, x, y, z);
    if (REPEAT == 1)
      for (int i = 0; i < 500; ++i) printf("%.9e\n", (double)z[i]);
  }
)";

// Cycles as the file's own lines have them: a line number, then the events in the order of "events:".
std::uint64_t callgrind_cycles(const std::string& text) {
  std::istringstream lines(text);
  std::uint64_t sum = 0, line = 0, cycles = 0;
  for (std::string words; std::getline(lines, words);)
    if (!words.empty() && std::isdigit(static_cast<unsigned char>(words[0])) != 0) {
      std::istringstream(words) >> line >> cycles;
      sum += cycles;
    }
  return sum;
}

TEST_F(KernelTools, VectoriseALoopAsItIsWritten) {
  write("saxpy.c", saxpy);
  expect_built("saxpy.c -DREPEAT=1 -o saxpy.elf");
  const Said once = dojo("exec --quiet saxpy.elf");
  EXPECT_EQ(once.exit_code, 0);
  EXPECT_EQ(once.words, saxpy_on_this_computer());

  const std::string text = dojo("disassemble saxpy.elf").words;
  const std::size_t begin = text.find("<saxpy>:"), end = text.find(">:", begin + 8);
  ASSERT_NE(begin, std::string::npos);
  const std::string loop = text.substr(begin, end - begin);
  for (const std::string_view word : {"vsetvli", "e32, m4", "vle32.v", "vfmul.vf", "vfadd.vv", "vse32.v"})
    EXPECT_NE(loop.find(word), std::string::npos) << word << " in\n" << loop;

  expect_built("saxpy.c -DREPEAT=1 -mllvm -riscv-v-register-bit-width-lmul=1 -o narrow.elf");
  EXPECT_EQ(dojo("exec --quiet narrow.elf").words, saxpy_on_this_computer());
  EXPECT_EQ(dojo("disassemble narrow.elf").words.find("e32, m4"), std::string::npos);
}

TEST_F(KernelTools, ProfileEveryCycleOnce) {
  write("saxpy.c", saxpy);
  expect_built("saxpy.c -DREPEAT=300 -o saxpy.elf");
  const Json run = Json::parse(dojo("exec --json saxpy.elf").words);
  const std::uint64_t cycles = run.at("cycles"), instructions = run.at("instructions");

  const Said table = dojo("profile saxpy.elf --callgrind saxpy.callgrind");
  EXPECT_EQ(table.exit_code, 0) << table.errors;
  EXPECT_NE(table.words.find(fmt::format("{0} cycles, {0} of all threads", cycles)), std::string::npos)
      << table.words;
  // The hottest function is the first row.
  const std::size_t head = table.words.find("function\n");
  ASSERT_NE(head, std::string::npos);
  const std::string first = table.words.substr(head + 9, table.words.find('\n', head + 9) - head - 9);
  EXPECT_TRUE(first.ends_with("  saxpy")) << first;

  const std::string callgrind = read_text(folder_ / "saxpy.callgrind");
  EXPECT_TRUE(callgrind.starts_with("# callgrind format\n"));
  EXPECT_EQ(callgrind_cycles(callgrind), cycles);
  EXPECT_EQ(number_behind(callgrind, "summary: "), cycles);

  const Json json = Json::parse(dojo("profile saxpy.elf --json").words);
  EXPECT_EQ(json.at("launch_cycles"), cycles);
  EXPECT_EQ(json.at("total").at("cycles"), cycles);
  EXPECT_EQ(json.at("total").at("instructions"), instructions);
  for (const auto& [cause, count] : json.at("total").at("cycles_by_cause").items())
    EXPECT_EQ(count, run.at("cycles_by_cause").at(cause)) << cause;
  for (const char* list : {"functions", "lines"}) {
    std::uint64_t sum = 0;
    for (const Json& row : json.at(list)) sum += row.at("cycles").get<std::uint64_t>();
    EXPECT_EQ(sum, cycles) << list;
  }
  EXPECT_EQ(json.at("functions").at(0).at("name"), "saxpy");
  EXPECT_GT(json.at("functions").at(0).at("cycles").get<double>(), 0.8 * static_cast<double>(cycles));
  EXPECT_TRUE(json.at("lines").at(0).at("name").get<std::string>().ends_with("saxpy.c:6"));

  fs::copy_file(folder_ / "saxpy.elf", folder_ / "it's a $name.elf");
  EXPECT_EQ(Json::parse(dojo("profile \"it's a \\$name.elf\" --json").words).at("lines"), json.at("lines"));

  // On several nodes it is the cycles of all threads.
  const Json three = Json::parse(dojo("profile saxpy.elf --json --nodes 3").words);
  EXPECT_EQ(three.at("launch_cycles"), cycles);
  EXPECT_EQ(three.at("total").at("cycles"), 3 * cycles);
}

TEST_F(KernelTools, PassOnWhatTheCompilerSays) {
  write("bad.c", "int main(void) { return nothing; }\n");
  const Said bad = dojo("cc bad.c -o bad.elf");
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_NE(bad.errors.find("bad.c:1:25: error: use of undeclared identifier 'nothing'"), std::string::npos)
      << bad.errors;
  EXPECT_FALSE(fs::exists(folder_ / "bad.elf"));

  write("open.c", "int nowhere(void);\nint main(void) { return nowhere(); }\n");
  const Said open = dojo("cc open.c -o open.elf");
  EXPECT_EQ(open.exit_code, 1);
  EXPECT_NE(open.errors.find("nowhere"), std::string::npos) << open.errors;
  EXPECT_FALSE(fs::exists(folder_ / "open.elf"));

  expect_refused("cc", {"no file"});
  expect_refused("cc -o x.elf --machine nosuch bad.c", {"nosuch"});
  EXPECT_FALSE(fs::exists(folder_ / "x.elf"));
}

TEST_F(KernelTools, RunWhatNoNodeHoldsAndSayByHowMuch) {
  write("large.c", R"(
    #include <stdio.h>
    #include <stdlib.h>
    static unsigned table[1 << 20];
    static unsigned deep(unsigned levels) {
      volatile unsigned here[1024] = {levels};
      return levels == 0 ? 0 : deep(levels - 1) + here[0];
    }
    int main(void) {
      for (unsigned i = 0; i < 1 << 20; i += 1024) table[i] = i;
      volatile char* more = malloc(30 << 20);
      if (more == NULL) return 1;
      more[(30 << 20) - 1] = 3;
      printf("%u %u %d\n", table[1023 * 1024], deep(1000), more[(30 << 20) - 1]);
    }
  )");
  expect_built("large.c -o large.elf");
  expect_refused("exec large.elf", {"does not fit a node", "bytes over"});
  const Said said = dojo("exec large.elf --memory 64M");
  EXPECT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_TRUE(said.words.starts_with("1047552 500500 3\n")) << said.words;
  const std::uint64_t used = number_behind(said.words, "memory "), over = number_behind(said.words, "used, ");
  EXPECT_EQ(used, over + sram_bytes) << said.words;
  EXPECT_GT(used, (4u << 20) + (30u << 20) + 1000 * 4096);
  EXPECT_LT(used, 40u << 20);
  EXPECT_NE(said.words.find("no node can run it"), std::string::npos) << said.words;
  EXPECT_EQ(Json::parse(dojo("exec large.elf --memory 65536k --json").words).at("memory_bytes_used"), used);

  for (const char* size : {"0", "1", "64", "4k", "60K", "5G", "64X", "64MB", "M", "-64M", "+64M", "64.5M",
                           "0x100000", "100001", "' 64M'", "99999999999999999999", "17179869184G", "''"})
    expect_refused(fmt::format("exec large.elf --memory={}", size), {"--memory"});
  expect_refused("exec large.elf --memory ''", {"--memory"});
}

// The functions of POSIX that programs from elsewhere call: declared, linked and answered. A program's own
// function of the same name is the one that it calls, and leaves the streams alone.
TEST_F(KernelTools, AnswerWhatPosixProgramsAsk) {
  write("posix.c", R"(
    #include <errno.h>
    #include <signal.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <sys/stat.h>
    #include <sys/time.h>
    #include <time.h>
    #include <unistd.h>
    #include <utime.h>
    static double seconds(clockid_t clock) {
      struct timespec now;
      return clock_gettime(clock, &now) == 0 ? now.tv_sec + now.tv_nsec * 1e-9 : -1;
    }
    static void say(const char* what, long answer) {
      printf("%s %ld %s\n", what, answer, answer != -1 ? "-" : errno == ENOENT ? "ENOENT" : "another error");
      errno = 0;
    }
    int main(void) {
      struct stat state;
      char bytes[16];
      say("rename", rename("a", "b"));
      say("unlink", unlink("a"));
      say("remove", remove("a"));
      say("utime", utime("a", NULL));
      say("stat", stat("a", &state));
      say("lstat", lstat("a", &state));
      say("access", access("a", R_OK));
      say("mkdir", mkdir("a", 0777));
      say("chdir", chdir("a"));
      say("getcwd", getcwd(bytes, sizeof bytes) == NULL ? -1 : 0);
      say("fopen", fopen("a", "w") == NULL ? -1 : 0);
      say("getentropy", getentropy(bytes, sizeof bytes));
      say("sigprocmask", sigprocmask(SIG_BLOCK, NULL, NULL));
      const double begin = seconds(CLOCK_MONOTONIC);
      say("sleep", sleep(2));
      say("usleep", usleep(250000));
      const struct timespec half = {0, 500000000};
      say("nanosleep", nanosleep(&half, NULL));
      struct timespec until = {10, 0};
      const double slept = seconds(CLOCK_MONOTONIC) - begin;
      say("clock_nanosleep", clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL));
      printf("%.3f %.3f\n", slept, seconds(CLOCK_REALTIME));
      say("clock_gettime", clock_gettime(77, &until) == -1 && errno == EINVAL ? 0 : 1);
      say("clock_getres", clock_getres(CLOCK_REALTIME, &until) == 0 ? until.tv_nsec : -1);
    }
  )");
  expect_built("posix.c -o posix.elf");
  const Said said = dojo("exec --quiet posix.elf");
  EXPECT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_EQ(said.errors, "") << "every system call exists";
  std::string right;
  for (const char* name : {"rename", "unlink", "remove", "utime", "stat", "lstat", "access", "mkdir", "chdir",
                           "getcwd", "fopen"})
    right += fmt::format("{} -1 ENOENT\n", name);
  for (const char* name : {"getentropy", "sigprocmask", "sleep", "usleep", "nanosleep", "clock_nanosleep"})
    right += fmt::format("{} 0 -\n", name);
  EXPECT_EQ(said.words, right + "2.750 10.000\nclock_gettime 0 -\nclock_getres 1 -\n");

  write("own.c", R"(
    #include <stdio.h>
    #include <stdlib.h>
    int read(int a) { return a + 1; }
    int write(int a) { return a + 2; }
    int link(int a) { return a + 4; }
    int sleep(int a) { return a + 8; }
    int main(void) {
      int number = 0;
      scanf("%d", &number);
      printf("%d\n", sleep(link(write(read(number)))));
    }
  )");
  expect_built("own.c -o own.elf");
  EXPECT_EQ(dojo("exec --quiet own.elf", "echo 100").words, "115\n");
}

// A shim in front of the compiler counts what it is asked to compile.
TEST_F(KernelTools, CompileTheDeviceLibraryOnce) {
  fs::create_directories(folder_ / "bin");
  write("bin/clang++-22",
        "#!/bin/sh\necho \"$@\" >> \"$CALLS\"\nexec /usr/bin/env PATH=\"$REST\" clang++-22 \"$@\"\n");
  fs::permissions(folder_ / "bin/clang++-22", fs::perms::owner_all);
  write("hello.c", "#include <stdio.h>\nint main(void) { puts(\"hello\"); }\n");
  const auto compiled = [&](const std::string& place, const std::string& options = "") {
    const fs::path command = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "dojo";
    const std::string line = fmt::format(
        "cd {0} && : > calls && REST=\"$PATH\" CALLS={0}/calls PATH={0}/bin:\"$PATH\" XDG_CACHE_HOME={1} {2} "
        "cc "
        "{3} hello.c -o hello.elf 2>errors",
        folder_.string(), place, command.string(), options);
    EXPECT_EQ(std::system(line.c_str()), 0) << read_text(folder_ / "errors");
    EXPECT_EQ(read_text(folder_ / "errors"), "");
    EXPECT_EQ(dojo("exec --quiet hello.elf" + std::string(options.empty() ? "" : " " + options)).words,
              "hello\n");
    std::istringstream calls(read_text(folder_ / "calls"));
    int count = 0;
    for (std::string call; std::getline(calls, call);) count += call.find(" -c ") != std::string::npos;
    return count;
  };
  const std::string cache = (folder_ / "cache").string();
  const int all = compiled(cache);
  EXPECT_GT(all, 5) << "files of the library";
  const std::vector<std::byte> first = read_file(folder_ / "hello.elf");
  EXPECT_EQ(compiled(cache), 0);
  EXPECT_TRUE(read_file(folder_ / "hello.elf") == first);
  EXPECT_EQ(compiled("/dev/null"), all) << "no place for a cache";
  EXPECT_TRUE(read_file(folder_ / "hello.elf") == first);

  // Other vectors are another library; what is damaged is made anew.
  std::string text = read_text(fs::path(DOJO_SOURCE_DIR) / "machines/test6.toml");
  const std::string from = "vlen_bits            = { value = 512,";
  write("half.toml", text.replace(text.find(from), from.size(), "vlen_bits            = { value = 256,"));
  EXPECT_EQ(compiled(cache, "--machine half.toml"), all);
  EXPECT_EQ(compiled(cache, "--machine half.toml"), 0);
  EXPECT_EQ(compiled(cache), 0);
  for (const auto& entry : fs::directory_iterator(folder_ / "cache/opendojo/device-library"))
    fs::resize_file(entry.path(), entry.file_size() / 2);
  EXPECT_EQ(compiled(cache), all);
  EXPECT_EQ(compiled(cache), 0);

  // Several at once, from nothing.
  fs::remove_all(folder_ / "cache");
  const fs::path command = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "dojo";
  const std::string many =
      fmt::format("cd {} && for i in 1 2 3 4; do XDG_CACHE_HOME={} {} cc hello.c -o $i.elf & done; wait",
                  folder_.string(), cache, command.string());
  EXPECT_EQ(std::system(many.c_str()), 0);
  for (const char* name : {"1.elf", "2.elf", "3.elf", "4.elf"})
    EXPECT_TRUE(read_file(folder_ / name) == first) << name;
  EXPECT_EQ(compiled(cache), 0);
}

TEST_F(KernelTools, ProfileTheCLibraryInOneLine) {
  write("print.c", R"(
    #include <stdio.h>
    int main(void) {
      for (int i = 0; i < 20; ++i) printf("%g\n", i * 0.37);
    }
  )");
  expect_built("print.c -o print.elf");
  const std::string few = dojo("profile print.elf --rows 1000").words;
  const std::string all = dojo("profile print.elf --rows 1000 --all").words;
  EXPECT_EQ(few.find("/newlib/"), std::string::npos) << few;
  EXPECT_EQ(few.find("/libgcc/"), std::string::npos) << few;
  const auto rows = [](const std::string& table) {
    return std::ranges::count(table.substr(table.find("  line\n")), '\n');
  };
  const std::uint64_t folded = number_behind(few, "C library (");
  EXPECT_GT(folded, 100u) << few;
  EXPECT_EQ(static_cast<std::uint64_t>(rows(all)), rows(few) + folded - 1);
  EXPECT_NE(few.find("print.c:4"), std::string::npos) << few;
  EXPECT_NE(all.find("print.c:4"), std::string::npos);
  EXPECT_NE(all.find("/newlib/"), std::string::npos);
  // The functions are the same, and so is the sum.
  const auto before_lines = [](const std::string& table) { return table.substr(0, table.find("  line\n")); };
  EXPECT_EQ(before_lines(few), before_lines(all));
  EXPECT_EQ(few.substr(few.rfind('\n', few.size() - 2)), all.substr(all.rfind('\n', all.size() - 2)));
}

TEST_F(KernelTools, RunAProgramThatIsLinkedHigh) {
  const auto link = [&](const std::string& name, std::string_view globals, std::string_view body) {
    write_file(folder_ / name, system::build_guest(system::guest_source(globals, body),
                                                   "-mcmodel=medany -Wl,--image-base=0x80000000"));
  };
  link("high.elf", "static volatile uint64_t word = 40;",
       "word = word + 2; return address(&word) >> 31 == 1 ? word : 1;");
  EXPECT_EQ(dojo("exec high.elf").exit_code, 42);
  EXPECT_EQ(dojo("exec high.elf --memory 64M").exit_code, 42);

  for (const auto& [place, shown] : {std::pair{"0x1000", "0x1000"},
                                     {"0x7ffffff8", "0x7ffffff8"},
                                     {"0", "0x0"},
                                     {"0x80140000", "0x80140000"}}) {
    link("told.elf", fmt::format("asm(\".globl tohost\\ntohost = {}\");", place), "return 0;");
    expect_refused("exec told.elf", {"tohost", fmt::format(" {},", shown)});
  }
  link("told.elf", "asm(\".globl tohost\\ntohost = 0x80100000\");",
       "*(volatile uint64_t*)0x80100000 = 2 * 7 + 1; for (;;) {} return 0;");
  EXPECT_EQ(dojo("exec told.elf").exit_code, 7);
}

// From the first constructor to the last destructor, and a pure virtual function at which a constructor
// arrives.
TEST_F(KernelTools, BeginAndEndCppPrograms) {
  write("life.cpp", R"(
    #include <math.h>
    #include <stdio.h>
    #include <stdlib.h>
    struct Shape {
      Shape() { describe(); }
      virtual ~Shape() {}
      void describe() { if (getchar() == 'x') printf("%g\n", area()); }
      virtual double area() const = 0;
    };
    struct Disc : Shape {
      double area() const override { return M_PI; }
    };
    struct Noisy {
      const char* name;
      explicit Noisy(const char* n) : name(n) { printf("+%s ", name); }
      ~Noisy() { printf("-%s ", name); }
    } global("global");
    __attribute__((destructor)) void last() { puts("last"); }
    int main() {
      static Noisy local("local");
      atexit([] { printf("atexit "); });
      Shape* const shape = new Disc;
      printf("%.3f ", fma(shape->area(), 2, 0));
      delete shape;
    }
  )");
  expect_built("life.cpp -lm -o life.elf");
  const Said said = dojo("exec --quiet life.elf");
  EXPECT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_EQ(said.words, "+global +local 6.283 atexit -local -global last\n");
  EXPECT_EQ(dojo("exec --quiet life.elf", "echo x").exit_code, 134) << "as abort() ends";
}

// What dojo.h declares is there, whether anything else of a file is used or not.
TEST_F(KernelTools, LinkAllOfTheDeviceLibrary) {
  write("all.cpp", R"(
    #include <stdio.h>
    #include "dojo.h"
    using namespace dojo;
    alignas(64) bf16 half[1024], turned[1024];
    alignas(64) float single[1024], staging[1024];
    unsigned char bytes[64];
    int lines[16];
    Semaphore full;
    int main() {
      for (int i = 0; i < 256; ++i) half[i] = static_cast<bf16>(static_cast<float>(i % 16));
      for (int i = 0; i < 16; ++i) lines[i] = 16 * i;
      transpose(turned, 16, half, 16, 16, 16);
      matmul(half, 16, turned, 16, single, 16, 16, 16, 16, false);
      matmul_listed(half, 16, half, lines, single, 16, 16, 16, 16, true);
      transpose(single, 16, staging, lines, 16, 16);
      transpose(staging, 16, single, 16, 16, 16);
      transpose(turned, 16, half, lines, 16, 16);
      fill(single, 2, 16);
      fill(half, static_cast<bf16>(2.f), 16);
      add(single, single, single, 16);
      to_bf16(half, single, 16);
      to_float(single, half, 16);
      to_float(staging, bytes, 16);
      split(turned, turned + 64, half, 8);
      pack_row(turned, 2, half, 1, 8);
      pack_row(staging, 2, single, 1, 8);
      pack_row(bytes, 2, bytes + 32, 1, 8);
      put_signal(0, staging, single, 16, &full);
      wait(&full, 1);
      put_hbm(hbm(0, 0), single, 64);
      get(staging, hbm(0, 0), 64);
      quiet();
      barrier_all();
      all_reduce(single, 16, staging, {1, 1});
      print("four: ");
      print(static_cast<unsigned long>(staging[15]));
      print("\n");
    }
  )");
  expect_built("all.cpp -o all.elf");
  const Said said = dojo("exec --quiet all.elf");
  EXPECT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_EQ(said.words, "four: 4\n");
}

// Whatever there is of it: where it is large, text and data must still not overlap.
TEST_F(KernelTools, HaveThreadLocalData) {
  for (const unsigned doubles : {1u, 8u, 9u, 40u, 500u}) {
    write("local.c", fmt::format(R"(
      #include <stdlib.h>
      _Thread_local int set = 41;
      _Thread_local double clear[{0}];
      int main(void) {{
        for (int i = 0; i < {0}; ++i)
          if (clear[i] != 0) return 1;
        clear[{0} - 1] = rand();
        return clear[{0} - 1] == 0 ? 2 : set + 1;
      }}
    )",
                                 doubles));
    expect_built("local.c -o local.elf");
    const Said said = dojo("exec --quiet local.elf");
    EXPECT_EQ(said.exit_code, 42) << doubles << ": " << said.errors;
  }
}

TEST_F(KernelTools, BuildForTheMachinesOwnVectorLength) {
  std::string text = read_text(fs::path(DOJO_SOURCE_DIR) / "machines/test6.toml");
  const std::string from = "vlen_bits            = { value = 512,";
  ASSERT_NE(text.find(from), std::string::npos);
  write("half.toml", text.replace(text.find(from), from.size(), "vlen_bits            = { value = 256,"));
  write("saxpy.c", saxpy);
  write("length.c", R"(
    #include <stdio.h>
    __attribute__((constructor)) static void say(void) {
      unsigned long bytes;
      asm volatile("csrr %0, vlenb" : "=r"(bytes));
      printf("vlenb = %lu\n", bytes);
    }
  )");
  expect_built("saxpy.c length.c -DREPEAT=1 -o saxpy.elf --machine half.toml");
  const Said said = dojo("exec saxpy.elf --quiet --machine half.toml");
  EXPECT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_EQ(said.words, "vlenb = 32\n" + saxpy_on_this_computer());
}

}  // namespace
}  // namespace dojo
