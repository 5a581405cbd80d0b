// dojo exec --trace: what the lines say, held against what the program left.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>

#include "base/file.h"
#include "support/command_test.h"
#include "support/json.h"
#include "support/pattern.h"

namespace dojo {
namespace {

class ExecTrace : public CommandTest {
protected:
  // `arguments` may redirect.
  static Said dojo(const std::string& arguments) {
    return shell(fmt::format("{} {}", dojo_command(), arguments));
  }
  std::vector<std::string> lines() const {
    std::istringstream text(read_text(file("trace")));
    std::vector<std::string> all;
    for (std::string line; std::getline(text, line);) all.push_back(line);
    return all;
  }
};

// Mixes integers, bytes, vectors and calls, and ends by a trap with all of it in registers.
constexpr std::string_view mixing = R"(
static uint8_t bytes[64]; static uint64_t words[64]; static float floats[64];
__attribute__((noinline)) uint64_t mix(uint64_t i) { words[i] = words[i / 2] * 31 + bytes[i]; return words[i] >> 3; }
)";
constexpr std::string_view work = R"(
  uint64_t sum = 1;
  for (uint64_t i = 0; i < 64; ++i) { bytes[i] = (uint8_t)(i * 7 + sum); floats[i] = (float)i; }
  for (uint64_t i = 0; i < 64; ++i) sum += mix(i) + (uint64_t)(floats[i] * 2.5f) + csr_node();
  __atomic_fetch_add(&words[0], sum, __ATOMIC_RELAXED);
  *(volatile uint64_t*)16 = sum;
  return 0;
)";

TEST_F(ExecTrace, RegistersAndMemoryFollowFromItsLines) {
  const std::string path = program(mixing, work);
  const Said said = dojo(fmt::format("exec --json --trace {} {} 2>/dev/null", file("trace"), path));
  EXPECT_EQ(said.exit_code, 3);
  const Json json = Json::parse(said.words);
  const std::vector<std::string> all = lines();
  ASSERT_EQ(all.size(), json.at("instructions").count() + 1);  // and the one that trapped
  EXPECT_NE(all.back().find("exception trap_store_access_fault"), std::string::npos) << all.back();

  std::map<unsigned, std::uint64_t> x;
  std::map<std::uint64_t, std::uint8_t> memory;
  const std::string pattern =
      R"(^core   0: 0 0x([0-9a-f]{16}) \(0x([0-9a-f]{4}|[0-9a-f]{8})\)( x(\d+) +0x([0-9a-f]{16}))?(.*) ; node 0 thread 0 <.*> (.*)$)";
  const std::string store = R"( mem 0x([0-9a-f]{16}) 0x([0-9a-f]+))", load = R"( mem 0x([0-9a-f]{16})$)";
  std::size_t loads = 0;
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    const Match found = first_match(all[i], pattern);
    ASSERT_FALSE(found.empty()) << all[i];
    const std::string& rest = found[6];
    if (!found[3].empty())
      x[static_cast<unsigned>(std::stoul(found[4]))] = std::stoull(found[5], nullptr, 16);
    if (const Match access = first_match(rest, store); !access.empty()) {
      const std::uint64_t address = std::stoull(access[1], nullptr, 16);
      const std::string& digits = access[2];
      for (std::size_t byte = 0; byte * 2 < digits.size(); ++byte)
        memory[address + byte] = static_cast<std::uint8_t>(
            std::stoul(digits.substr(digits.size() - 2 * byte - 2, 2), nullptr, 16));
    } else if (const Match read = first_match(rest, load); !read.empty() && found[7].starts_with("ld ")) {
      std::uint64_t value = 0;
      const std::uint64_t address = std::stoull(read[1], nullptr, 16);
      for (unsigned byte = 0; byte < 8; ++byte) value |= std::uint64_t{memory[address + byte]} << (8 * byte);
      ASSERT_EQ(value, std::stoull(found[5], nullptr, 16)) << all[i];
      ++loads;
    }
  }
  EXPECT_GT(loads, 10u);

  const Json registers = json.at("stranded").at(0).at("registers");
  unsigned number = 1, compared = 0;
  for (const char* name :
       {"ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0",  "a1",  "a2", "a3", "a4", "a5", "a6",
        "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"}) {
    const auto known = x.find(number++);
    if (known == x.end()) continue;
    EXPECT_EQ(fmt::format("{:#x}", known->second), registers.at(name).text()) << name;
    ++compared;
  }
  EXPECT_GT(compared, 5u);
}

TEST_F(ExecTrace, ShowsVectorsTilesAndControlRegisters) {
  const std::string path = program("alignas(64) static uint32_t data[32];", R"guest(
    asm volatile(R"(
      .option push
      .option arch, +xsfmm32a32f, +xsfmm32t, +xsfmmbase
      li t1, 4
      vsetvli t0, t1, e32, m1, ta, ma
      vid.v v3
      vse32.v v3, (%0)
      vle32.v v4, (%0)
      li t1, 16
      sf.vsettnt t0, t1, e32, w1
      li t2, 0x20000002
      sf.vtmv.t.v t2, v3
      csrwi 0x002, 3
      .option pop
    )" :: "r"(data) : "t0", "t1", "t2", "memory");
    return 0;)guest");
  EXPECT_EQ(dojo(fmt::format("exec --trace {} {} >/dev/null", file("trace"), path)).exit_code, 0);
  const std::string text = read_text(file("trace"));
  for (const std::string_view word :
       {"x5  0x0000000000000004 c3104_vl 0x0000000000000004 c3105_vtype 0x00000000000000d0",
        "e32 m1 l4 v3  0x0000", "00000003000000020000000100000000 ; node 0 thread 0", " mt4.2 0x0000",
        " c2_frm 0x0000000000000003", " vse32.v v3, (", "vle32.v v4, ("})
    EXPECT_NE(text.find(word), std::string::npos) << word << " in\n" << text;
  const std::size_t stored = text.find(" mem 0x");
  ASSERT_NE(stored, std::string::npos);
  EXPECT_EQ(text.substr(stored + 23, 35), " 0x00000003000000020000000100000000");
}

TEST_F(ExecTrace, IsTheSameEveryTimeAndChangesNoCycle) {
  const std::string path = program("static volatile uint64_t full; static uint64_t word;", R"(
    const uint64_t next = (csr_node() + 1) % csr_nodes();
    dojo_put(address(&full), at(next, &word), address(&word), 8);
    dojo_wait(address(&full), 1);
    return 0;)");
  const Said plain = dojo("exec --nodes 4 " + path);
  const Said first = dojo(fmt::format("exec --nodes 4 --threads 1 --trace {} {}", file("first"), path));
  const Said second = dojo(fmt::format("exec --nodes 4 --threads 2 --trace {} {}", file("second"), path));
  EXPECT_EQ(first.words, plain.words);
  EXPECT_EQ(second.words, plain.words);
  EXPECT_EQ(read_text(file("first")), read_text(file("second")));
  EXPECT_NE(read_text(file("first")).find("core  12: 0 0x"), std::string::npos);
}

TEST_F(ExecTrace, WhatCannotBeWrittenIsRefusedWithOneSentence) {
  const std::string path = program("", "for (volatile uint64_t i = 0; i < 100000; i = i + 1) {} return 0;");
  for (const std::string_view where : {"/dev/full", "/nowhere/trace", "/"}) {
    const Said said = dojo(fmt::format("exec --trace {} {} 2>&1 >/dev/null", where, path));
    EXPECT_EQ(said.exit_code, 2);
    EXPECT_TRUE(said.words.starts_with(fmt::format("dojo: {}", where))) << said.words;
    EXPECT_EQ(std::ranges::count(said.words, '\n'), 1) << said.words;
  }
}

}  // namespace
}  // namespace dojo
