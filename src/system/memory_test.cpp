// Does the memory of the machine ask the host for room only where it is used, and say exactly what is
// missing?
#include "system/memory.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "system/computer.h"
#include "system/guest_for_tests.h"

namespace dojo::system {
namespace {

// More than the addresses of any process.
constexpr std::uint64_t too_much = std::uint64_t{1} << 56;
constexpr std::string_view too_large =
    "HBM of an interface processor: this computer cannot reserve 72057594037927936 bytes of memory for it";

Computer with_too_much_hbm(unsigned nodes) {
  machine::Machine machine = machine::read_machine("d1");
  machine.interface.hbm_bytes = too_much;
  return Computer(machine, nodes);
}

template <typename Work>
std::string refused(Work work) {
  try {
    work();
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST(HostMemory, ALaunchThatUsesNoHbmNeedsNone) {
  Computer computer = with_too_much_hbm(2);
  const LaunchResult result = computer.launch(guest("", "return 7;"), 0, 0, {});
  EXPECT_EQ(result.outcome, Outcome::finished);
  EXPECT_EQ(result.exit_code, 7);
}

TEST(HostMemory, WhoUsesHbmIsToldWhatTheHostHasNoRoomFor) {
  Computer computer = with_too_much_hbm(1);
  const std::byte some[8] = {};
  EXPECT_EQ(refused([&] { computer.write_hbm(1, 64, some); }), too_large);
  EXPECT_EQ(refused([&] { computer.read_hbm(4, 0, 8); }), too_large);
  EXPECT_EQ(refused([&] { computer.read_hbm(4, 0, 8); }), too_large) << "the same again";
}

// One node's put ends the launch, whatever the others are about.
TEST(HostMemory, ALaunchThatUsesHbmIsToldTheSameOnEveryNumberOfHostThreads) {
  const Program program = guest("static uint64_t word; alignas(8) static volatile uint64_t never;", R"(
    if (csr_node() == 3) { dojo_put(0, hbm(0, 64), address(&word), 8); return 0; }
    if (csr_node() == 1) for (;;) {}
    dojo_wait(address(&never), 1);
    return 0;)");
  for (const bool timing : {true, false})
    for (const unsigned host_threads : {1u, 4u}) {
      Computer computer = with_too_much_hbm(6);
      LaunchOptions options;
      options.host.threads = host_threads;
      options.host.timing = timing;
      options.max_instructions = 5'000'000;
      EXPECT_EQ(refused([&] { computer.launch(program, 0, 0, options); }), too_large);
    }
}

}  // namespace
}  // namespace dojo::system
