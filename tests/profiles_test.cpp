// Does code that clang builds for RVA22U64 and RVA23U64 run, with what it makes of ordinary C, and end as on
// this computer? The longest vectors that such code may count on have 128 bits; the machine's have 512.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "support/command_test.h"

namespace dojo {
namespace {

struct Profile {
  std::string march;
  std::vector<std::string> instructions;  // that the program must hold, or this test says nothing
};

void PrintTo(const Profile& profile, std::ostream* out) { *out << profile.march; }

class Profiles : public CommandTest, public testing::WithParamInterface<Profile> {};

TEST_P(Profiles, EndAsOnThisComputer) {
  const std::string source = DOJO_SOURCE_DIR "/tests/profiles.c", flags = "-O2 -ffp-contract=off";
  const Said here = shell_in(folder_, fmt::format("clang-22 {} {} -o here -lm && ./here", flags, source));
  ASSERT_EQ(here.exit_code, 0) << here.errors;
  EXPECT_FALSE(here.words.empty());
  const Said built = dojo(fmt::format("cc {} -march={} {} -o program.elf", flags, GetParam().march, source));
  ASSERT_EQ(built.exit_code, 0) << built.errors;
  const std::string listing = dojo("disassemble program.elf").words;
  for (const std::string& instruction : GetParam().instructions)
    EXPECT_NE(listing.find(" " + instruction), std::string::npos) << instruction << " is not in the program";
  const Said said = dojo("exec program.elf");
  EXPECT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_EQ(said.words.substr(0, here.words.size()), here.words);
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
