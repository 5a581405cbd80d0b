// What a program writes to tohost: a result, the address of a system call, a character, or what nobody has.
#include "system/bare_metal_for_tests.h"

namespace dojo::system {
namespace {

using HostInterface = BareMetal;

TEST_F(HostInterface, AnEvenTohostIsASystemCall) {
  std::string said;
  text_output_ = [&](std::string_view words) { said += words; };
  const LaunchResult result = run_alone(R"(
    la s0, call
    la s1, tohost
    la s2, fromhost
    li s3, 3
  again:
    sd s0, (s1)
  1: ld t0, (s2)
    beqz t0, 1b
    sd zero, (s2)
    ld t1, (s0)
    li t2, 5
    bne t1, t2, bad
    li t0, 64
    sd t0, (s0)
    addi s3, s3, -1
    bnez s3, again
    li t0, 0x0101000000000021  # device 1: the character
    sd t0, (s1)
  2: ld t0, (s1)
    bnez t0, 2b
    li t0, 93
    sd t0, (s0)
    li t0, 7
    sd t0, 8(s0)
    sd s0, (s1)
  3: j 3b
  bad: li t0, 3
    sd t0, (s1)
    j 3b
)",
                                        R"(
.data
.align 6
call: .dword 64, 1, text, 5, 0, 0, 0, 0
text: .ascii "word\n"
)");
  EXPECT_EQ(result.outcome, Outcome::finished);
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(said, "word\nword\nword\n!");
}

TEST_F(HostInterface, ASystemCallThatNobodyServesIsAnsweredAndNamed) {
  const LaunchResult result = run_alone(R"(
    la s0, call
    la s1, tohost
    sd s0, (s1)
  1: ld t0, (s1)
    bnez t0, 1b
    ld t0, (s0)
    addi t0, t0, 38  # ENOSYS
    seqz t0, t0
    sd t0, (s1)
  2: j 2b
)",
                                        R"(
.data
.align 6
call: .dword 2011, 0, 0, 0, 0, 0, 0, 0
)");
  EXPECT_EQ(result.outcome, Outcome::finished);
  EXPECT_EQ(result.exit_code, 0);
  ASSERT_EQ(result.warnings.size(), 1u);
  EXPECT_NE(result.warnings[0].find("system call 2011 does not exist"), std::string::npos)
      << result.warnings[0];
}

TEST_F(HostInterface, ADeviceThatIsNotThereIsNamed) {
  const LaunchResult result = run_alone(R"(
    li t0, 0x0200000000000010
    la t1, tohost
    sd t0, (t1)
  1: j 1b
)");
  EXPECT_EQ(result.outcome, Outcome::trapped);
  ASSERT_FALSE(result.stranded.empty());
  EXPECT_NE(result.stranded[0].reason.find("tohost holds 0x200000000000010"), std::string::npos)
      << result.stranded[0].reason;
}

}  // namespace
}  // namespace dojo::system
