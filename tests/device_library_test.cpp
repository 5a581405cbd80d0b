// What a program finds under it on a node: start-up, the C library and what it asks of the system,
// thread-local data, and the library that dojo cc compiles once and keeps.
#include <sstream>

#include "kernel_command.h"
#include "machine/variant_for_tests.h"

namespace dojo {
namespace {

using DeviceLibrary = KernelTools;

// A program's own function of the name of one of POSIX's is the one that it calls, and leaves the streams
// alone.
TEST_F(DeviceLibrary, LeavesTheNamesOfPosixToPrograms) {
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

// A shim in front of the compiler counts what it is asked to compile. It is told all in its own text, for of
// the environment it sees only what every tool does.
TEST_F(DeviceLibrary, IsCompiledOnce) {
  fs::create_directories(folder_ / "bin");
  write("bin/clang++-22", fmt::format("#!/bin/sh\necho \"$@\" >> {}\nexec env PATH='{}' clang++-22 \"$@\"\n",
                                      (folder_ / "calls").string(), std::getenv("PATH")));
  fs::permissions(folder_ / "bin/clang++-22", fs::perms::owner_all);
  write("hello.c", "#include <stdio.h>\nint main(void) { puts(\"hello\"); }\n");
  const auto compiled = [&](const std::string& place, const std::string& options = "") {
    const std::string line = fmt::format(
        "cd {0} && : > calls && PATH={0}/bin:\"$PATH\" XDG_CACHE_HOME={1} {2} cc {3} hello.c -o hello.elf "
        "2>errors",
        folder_.string(), place, dojo_command(), options);
    EXPECT_EQ(std::system(line.c_str()), 0) << read_text(folder_ / "errors");
    EXPECT_EQ(read_text(folder_ / "errors"), "");
    EXPECT_EQ(dojo("exec --quiet hello.elf" + std::string(options.empty() ? "" : " " + options)).words,
              "hello\n");
    std::istringstream calls(read_text(folder_ / "calls"));
    int count = 0;
    for (std::string call; std::getline(calls, call);) {
      count += call.find(" -c ") != std::string::npos;
      EXPECT_TRUE(call.starts_with("--no-default-config ")) << call;
    }
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
  write("half.toml", machine::variant_text("test6", "node.vlen_bits", "256"));
  EXPECT_EQ(compiled(cache, "--machine half.toml"), all);
  EXPECT_EQ(compiled(cache, "--machine half.toml"), 0);
  EXPECT_EQ(compiled(cache), 0);
  for (const auto& entry : fs::directory_iterator(folder_ / "cache/opendojo/device-library"))
    fs::resize_file(entry.path(), entry.file_size() / 2);
  EXPECT_EQ(compiled(cache), all);
  EXPECT_EQ(compiled(cache), 0);

  // Several at once, from nothing.
  fs::remove_all(folder_ / "cache");
  const std::string many =
      fmt::format("cd {} && for i in 1 2 3 4; do XDG_CACHE_HOME={} {} cc hello.c -o $i.elf & done; wait",
                  folder_.string(), cache, dojo_command());
  EXPECT_EQ(std::system(many.c_str()), 0);
  for (const char* name : {"1.elf", "2.elf", "3.elf", "4.elf"})
    EXPECT_TRUE(read_file(folder_ / name) == first) << name;
  EXPECT_EQ(compiled(cache), 0);
}

// What changes clang's own ways or puts other headers before ours, must change neither a program nor what is
// kept for later ones.
TEST_F(DeviceLibrary, IsTheSameInEveryEnvironment) {
  fs::create_directories(folder_ / "include");
  write("include/stdio.h", "#include_next <stdio.h>\n#define puts(text) printf(\"not %s\", text)\n");
  write("hello.c",
        "#include <stdio.h>\n"
        "int main(void) { puts(__DATE__[7] == '1' ? \"the seventies\" : \"hello\"); }\n");
  const auto built = [&](const std::string& name, const std::string& variables) {
    const Said said = dojo(fmt::format("cc hello.c -o {}", name), "true", variables);
    EXPECT_EQ(said.exit_code, 0) << said.errors;
    EXPECT_EQ(said.words + said.errors, "") << variables;
    return read_file(folder_ / name);
  };
  const std::string cache = fmt::format("XDG_CACHE_HOME={} ", (folder_ / "cache").string());
  const std::vector<std::byte> right = built("right.elf", cache);
  EXPECT_EQ(dojo("exec --quiet right.elf").words, "hello\n");
  for (const std::string& variable :
       {std::string("CCC_OVERRIDE_OPTIONS='#+-O0'"), "CPATH=" + (folder_ / "include").string(),
        "C_INCLUDE_PATH=" + (folder_ / "include").string(), std::string("SOURCE_DATE_EPOCH=0")})
    EXPECT_TRUE(built("other.elf", cache + variable) == right) << variable;

  // The library made where all of them are set is the one that is made where none is.
  fs::remove_all(folder_ / "cache");
  built("other.elf",
        cache + "CCC_OVERRIDE_OPTIONS='#+-O0' CPLUS_INCLUDE_PATH=/nowhere LIBRARY_PATH=/nowhere");
  EXPECT_TRUE(built("other.elf", cache) == right);
}

// From the first constructor to the last destructor, and a pure virtual function at which a constructor
// arrives.
TEST_F(DeviceLibrary, BeginsAndEndsCppPrograms) {
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
TEST_F(DeviceLibrary, LinksAsAWhole) {
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
TEST_F(DeviceLibrary, HasThreadLocalData) {
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

}  // namespace
}  // namespace dojo
