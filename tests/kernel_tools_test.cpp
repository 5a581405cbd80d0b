// dojo cc, dojo profile and dojo exec's arguments, input and memory, as the author of a kernel meets them.
//
// A test asks all it has to ask of one program.
#include <sys/stat.h>

#include <sstream>

#include "kernel_command.h"
#include "machine/variant_for_tests.h"
#include "support/json.h"
#include "system/guest_for_tests.h"

namespace dojo {
namespace {

constexpr std::uint64_t sram_bytes = 1310720;

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
  const std::string output = json.at("output").text();
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

// The program that names the lines is another's; whatever it answers is not ours to fall over.
TEST_F(KernelTools, ProfileRefusesWhatIsNoAnswer) {
  write("nothing.c", "int main(void) { return 0; }\n");
  expect_built("nothing.c -o nothing.elf");
  fs::create_directories(folder_ / "bin");
  for (const std::string& answer : {std::string("no JSON"), std::string(), std::string("[]"),
                                    std::string("{"), std::string(R"({"Symbol": [{"Line": "seven"}]})"),
                                    std::string(R"({"Symbol": [{"FunctionName": null}]})")}) {
    write("bin/llvm-symbolizer-22", fmt::format("#!/bin/sh\nprintf '%s' '{}'\n", answer));
    fs::permissions(folder_ / "bin/llvm-symbolizer-22", fs::perms::owner_all);
    const Said said =
        dojo("profile nothing.elf", "true", "PATH=" + (folder_ / "bin").string() + ":\"$PATH\"");
    EXPECT_EQ(said.exit_code, 2) << answer;
    EXPECT_NE(said.errors.find("llvm-symbolizer-22: does not say where 0x"), std::string::npos)
        << said.errors;
    EXPECT_NE(said.errors.find(fmt::format("but '{}'", answer)), std::string::npos) << said.errors;
  }
}

TEST_F(KernelTools, ProfileEveryCycleOnce) {
  write("saxpy.c", saxpy);
  expect_built("saxpy.c -DREPEAT=300 -o saxpy.elf");
  const Json run = Json::parse(dojo("exec --json saxpy.elf").words);
  const std::uint64_t cycles = run.at("cycles").count(), instructions = run.at("instructions").count();

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
    for (const Json& row : json.at(list).elements()) sum += row.at("cycles").count();
    EXPECT_EQ(sum, cycles) << list;
  }
  EXPECT_EQ(json.at("functions").at(0).at("name"), "saxpy");
  EXPECT_GT(json.at("functions").at(0).at("cycles").number(), 0.8 * static_cast<double>(cycles));
  EXPECT_TRUE(json.at("lines").at(0).at("name").text().ends_with("saxpy.c:6"));

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

TEST_F(KernelTools, BuildForTheMachinesOwnVectorLength) {
  write("half.toml", machine::variant_text("test6", "node.vlen_bits", "256"));
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

// By whatever name, link or hard link; and what cannot be written is known before the work.
TEST_F(KernelTools, NeverWriteOverWhatTheyRead) {
  write("h.cpp",
        "extern \"C\" { char begin_signature[8] = {1}, end_signature[8]; }\n"
        "int main() { return begin_signature[0] - 1; }\n");
  write("m.toml", machine::variant_text("d1", "node.threads", "4"));
  write("n.toml", "name = \"n\"\ndescription = \"of a test\"\nextends = \"m.toml\"\n");
  expect_built("h.cpp -o h.elf");
  fs::create_symlink("h.elf", folder_ / "link.elf");
  fs::create_hard_link(folder_ / "h.elf", folder_ / "hard.elf");
  fs::create_directory(folder_ / "folder");
  const auto files = [&] {
    return read_text(folder_ / "h.elf") + read_text(folder_ / "m.toml") + read_text(folder_ / "h.cpp");
  };
  const std::string before = files();
  for (const char* arguments :
       {"exec h.elf --trace h.elf", "exec h.elf --trace ./folder/../h.elf", "exec h.elf --trace link.elf",
        "exec h.elf --trace hard.elf", "profile h.elf --callgrind h.elf", "exec h.elf --signature h.elf",
        "exec h.elf --machine ./m.toml --trace m.toml", "profile h.elf --machine m.toml --callgrind m.toml",
        "exec h.elf --machine n.toml --trace m.toml", "profile h.elf --machine n.toml --callgrind m.toml",
        "cc --machine n.toml h.cpp -o m.toml", "cc h.cpp -o h.cpp", "cc --machine ./m.toml h.cpp -o m.toml",
        "cc -c h.cpp -o h.cpp"}) {
    expect_refused(arguments, {"would be overwritten by -", "name another"});
    EXPECT_EQ(files(), before) << arguments;
  }
  expect_refused("exec h.elf --signature s.txt --trace ./s.txt", {"s.txt", "both --trace and --signature"});
  for (const char* arguments : {"exec h.elf --signature", "exec h.elf --trace", "profile h.elf --callgrind",
                                "cc h.cpp -o", "cc -c h.cpp -o"}) {
    expect_refused(fmt::format("{} folder", arguments), {"folder: is a folder, not a file"});
    expect_refused(fmt::format("{} nowhere/file", arguments), {"nowhere/file: cannot be written: No such"});
  }
  // A machine that can be read only once.
  const Said once = dojo("exec h.elf --machine /dev/stdin", "cat m.toml");
  EXPECT_EQ(once.exit_code, 0) << once.errors;
  const std::string devices = dojo("exec h.elf --trace /dev/null --signature /dev/null").errors;
  EXPECT_EQ(devices.find("name two files"), std::string::npos) << devices;
}

TEST_F(KernelTools, WriteProgramsWholeOrNotAtAll) {
  write("h.c", "int main(void) { return 7; }\n");
  expect_refused("cc h.c -o /dev/full", {"/dev/full: cannot be written: No space left"});
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  for (const char* arguments : {"cc h.c -o fifo", "cc -c h.c -o fifo"})
    expect_refused(arguments, {"fifo: is a FIFO that nobody reads"});
  write("old.elf", "old");
  EXPECT_NE(dojo("cc h.c nothing_of_it.o -o old.elf").exit_code, 0);
  EXPECT_EQ(read_text(folder_ / "old.elf"), "old");
  expect_built("h.c -MMD -o old.elf");
  EXPECT_EQ(dojo("exec old.elf").exit_code, 7);
  EXPECT_NE(fs::status(folder_ / "old.elf").permissions() & fs::perms::owner_exec, fs::perms::none);
  EXPECT_EQ(read_text(folder_ / "old.d"), "old.elf: h.c\n");
}

}  // namespace
}  // namespace dojo
