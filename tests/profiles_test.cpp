// Does code that clang builds for RVA22U64 and RVA23U64 run, with what it makes of ordinary C, and end as on
// this computer? The longest vectors that such code may count on have 128 bits; the machine's have 512.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "dojo_command.h"

namespace dojo {
namespace {

namespace fs = std::filesystem;

struct Profile {
  std::string march;
  std::vector<std::string> instructions;  // that the program must hold, or this test says nothing
};

void PrintTo(const Profile& profile, std::ostream* out) { *out << profile.march; }

class Profiles : public testing::TestWithParam<Profile> {
protected:
  int run(const std::string& command) const {
    return WEXITSTATUS(std::system(fmt::format("cd {} && {}", folder_.path().string(), command).c_str()));
  }
  int dojo(const std::string& arguments) const {
    return run(fmt::format("{} {}", dojo_command(), arguments));
  }
  std::string text(const char* name) const { return read_text(folder_.path() / name); }

  TemporaryFolder folder_{"dojo-profiles"};
};

TEST_P(Profiles, EndAsOnThisComputer) {
  const std::string source = DOJO_SOURCE_DIR "/tests/profiles.c", flags = "-O2 -ffp-contract=off";
  ASSERT_EQ(run(fmt::format("clang-22 {} {} -o here -lm && ./here > wanted", flags, source)), 0);
  ASSERT_EQ(dojo(fmt::format("cc {} -march={} {} -o program.elf", flags, GetParam().march, source)), 0);
  ASSERT_EQ(dojo("disassemble program.elf > listing"), 0);
  const std::string listing = text("listing");
  for (const std::string& instruction : GetParam().instructions)
    EXPECT_NE(listing.find(" " + instruction), std::string::npos) << instruction << " is not in the program";
  ASSERT_EQ(dojo("exec program.elf > said"), 0) << text("said");
  const std::string wanted = text("wanted");
  EXPECT_FALSE(wanted.empty());
  EXPECT_EQ(text("said").substr(0, wanted.size()), wanted);
}

INSTANTIATE_TEST_SUITE_P(
    Of, Profiles,
    testing::Values(Profile{"rva22u64",
                            {"sh3add", "andn", "clz", "cpop", "rev8", "prefetch.w", "cbo.zero", "cbo.flush"}},
                    Profile{"rva23u64",
                            {"czero.", "fli.", "fround", "c.mul", "c.not", "c.lbu", "c.sb", "c.mop.",
                             "mop.r.", "mop.rr.", "wrs.nto", "prefetch.w", "cbo.zero", "vclz.v", "vcpop.v",
                             "vrol.vv", "vandn.vv", "vwsll.vi"}}),
    [](const auto& chosen) { return chosen.param.march; });

}  // namespace
}  // namespace dojo
