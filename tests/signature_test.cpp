// Does dojo exec --signature write what Spike would: for a program that qemu-riscv64 runs as well, the same
// bytes as od prints of qemu's, and the same padding?
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "isa/extensions.h"
#include "support/command_test.h"
#include "system/guest_for_tests.h"

namespace dojo {
namespace {

namespace fs = std::filesystem;

class Signature : public CommandTest {
protected:
  void program(std::string_view globals, std::string_view body, std::string_view flags) const {
    fs::permissions(CommandTest::program(globals, body, flags), fs::perms::owner_all);
  }
  int run(const std::string& command) const {
    return dojo::run(fmt::format("cd {} && {}", folder_.string(), command));
  }
};

// A signature of 123 bytes, after scalar, float and vector work; written to standard output as well.
constexpr std::string_view globals = R"(
  asm(".data\n.balign 64\n.globl begin_signature\nbegin_signature: .fill 123, 1, 0x5a\n"
      ".globl end_signature\nend_signature: .balign 64\n");
  extern "C" char begin_signature[], end_signature[];
  static float x[16];
)";
constexpr std::string_view body = R"(
  for (int i = 0; i < 16; ++i) x[i] = (float)(i * i) / 7;
  asm volatile("" ::: "memory");
  for (int i = 0; i < 16; ++i) ((float*)begin_signature)[i] = x[i] * x[i] + 1;
  uint64_t state = 1;
  for (int i = 8; i < 13; ++i) ((uint64_t*)begin_signature)[i] = state = state * 6364136223846793005u + i;
  begin_signature[122] = 'z';
  system_call(64, 1, address(begin_signature), end_signature - begin_signature);
  return 0;
)";

TEST_F(Signature, IsWhatTheProgramLeftUnderQemu) {
  program(globals, body, "-O3 -Wl,--image-base=0x10000");
  ASSERT_EQ(run(fmt::format("qemu-riscv64 -cpu {} program.elf > theirs", isa::qemu_processor(512))), 0);
  ASSERT_EQ(read_file(file("theirs")).size(), 123u);
  ASSERT_EQ(run("head -c 5 /dev/zero >> theirs"), 0);  // to the end of a line of 4, 8 or 16 bytes
  for (const unsigned granularity : {4u, 8u}) {
    ASSERT_EQ(run(fmt::format("head -c {} theirs | od -An -v -tx{} -w{} --endian=little | tr -d ' ' > wanted",
                              granularity == 4 ? 124 : 128, granularity, granularity)),
              0);
    const Said said =
        dojo(fmt::format("exec program.elf --signature ours --signature-granularity {}", granularity));
    ASSERT_EQ(said.exit_code, 0);
    EXPECT_EQ(read_text(file("ours")), read_text(file("wanted"))) << granularity;
    EXPECT_GT(said.words.size(), 123u);
  }
  ASSERT_EQ(dojo("exec program.elf --signature four --no-timing").exit_code, 0);
  ASSERT_EQ(dojo("exec program.elf --signature more --signature-granularity 16").exit_code, 0);
  const std::string four = read_text(file("four")), more = read_text(file("more"));
  EXPECT_EQ(std::ranges::count(four, '\n'), 31);
  EXPECT_EQ(std::ranges::count(more, '\n'), 8);
  EXPECT_EQ(more.substr(0, 32),
            four.substr(27, 8) + four.substr(18, 8) + four.substr(9, 8) + four.substr(0, 8));
}

// Tests that end by tohost, linked where the public ones are, and those that trap leave one too.
TEST_F(Signature, IsWrittenHoweverTheProgramEnds) {
  constexpr std::string_view high = "-mcmodel=medany -Wl,--image-base=0x80000000";
  std::string with_tohost(globals);
  with_tohost += "extern \"C\" { volatile uint64_t tohost __attribute__((used)); }";
  program(with_tohost, "begin_signature[0] = 1; tohost = 1; for (;;) {} return 0;", high);
  EXPECT_EQ(dojo("exec program.elf --signature ours").exit_code, 0);
  EXPECT_TRUE(read_text(file("ours")).starts_with("5a5a5a01\n5a5a5a5a\n"));
  program(globals, "begin_signature[1] = 2; *(volatile uint64_t*)16 = 1; return 0;", high);
  EXPECT_EQ(dojo("exec program.elf --nodes 2 --signature ours").exit_code, 3);
  EXPECT_TRUE(read_text(file("ours")).starts_with("5a5a025a\n"));
  EXPECT_TRUE(read_text(file("ours")).ends_with("\n005a5a5a\n"));
}

TEST_F(Signature, IsRefusedWhereThereIsNone) {
  const auto refused = [&](const std::string& options, std::string_view words) {
    const Said said = dojo("exec program.elf " + options);
    EXPECT_EQ(said.exit_code, 2) << options;
    EXPECT_NE(said.errors.find(words), std::string::npos) << said.errors;
    EXPECT_EQ(std::ranges::count(said.errors, '\n'), 1);
  };
  program("", "return 0;", "");
  refused("--signature ours", "has no symbol begin_signature");
  EXPECT_FALSE(fs::exists(file("ours")));
  program("asm(\".globl begin_signature, end_signature\\nbegin_signature = 8192\\nend_signature = 4096\");",
          "return 0;", "");
  refused("--signature ours", "a signature from 0x2000 to 0x1000, which is no part of a node's memory");
  program(
      "asm(\".globl begin_signature, end_signature\\nbegin_signature = 4096\\nend_signature = 0x140001\");",
      "return 0;", "");
  refused("--signature ours", "from 0x1000 to 0x140001");
  program(globals, body, "");
  refused("--signature ours --signature-granularity 0", "--signature-granularity");
  refused("--signature-granularity 4", "--signature");
  refused("--signature /nowhere/at/all", "/nowhere/at/all");
}

}  // namespace
}  // namespace dojo
