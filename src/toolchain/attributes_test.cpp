// Is the vector length that a program was compiled for read from its attributes, and a damaged section
// refused?
#include "toolchain/attributes.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"

namespace dojo::toolchain {
namespace {

TEST(Attributes, TakeTheLongestOfAnArchitecture) {
  EXPECT_EQ(promised_vlen_bits("rv64i2p1_v1p0_zvl128b1p0_zvl32b1p0_zvl64b1p0"), 128u);
  EXPECT_EQ(promised_vlen_bits("rv64i2p1_zvl1024b"), 1024u);
  EXPECT_EQ(promised_vlen_bits("rv64i2p1_zvl"), 0u);
  EXPECT_EQ(promised_vlen_bits("rv64i2p1_zvl12"), 0u);
  EXPECT_EQ(promised_vlen_bits("rv64i2p1_zvl99999999999999999999999b"), 0u);
  EXPECT_EQ(promised_vlen_bits("rv64i2p1_xzvl256b"), 0u);
}

// 'A', one subsection of "riscv" with one sub-subsection for the file: stack alignment 16, an architecture.
std::string section_for(const std::string& architecture) {
  const auto sized = [](std::string_view before, std::size_t size, std::string_view after) {
    std::string bytes(before);
    for (unsigned shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(size >> shift & 255));
    return bytes.append(after);
  };
  const std::string attributes = fmt::format("\x04\x10\x05{}{}", architecture, '\0');
  const std::string vendor = fmt::format("riscv{}{}", '\0', sized("\x01", 5 + attributes.size(), attributes));
  return sized("A", 4 + vendor.size(), vendor);
}

std::uint64_t read(const std::string& section) {
  return promised_vlen_bits(std::as_bytes(std::span(section)), "a test");
}

TEST(Attributes, ReadsWhatTheAbiDescribes) {
  EXPECT_EQ(read(section_for("rv64i2p1_zvl256b1p0")), 256u);
  EXPECT_EQ(read(""), 0u);
  EXPECT_EQ(read("B later format"), 0u);
}

TEST(Attributes, ACutSectionIsRefused) {
  const std::string whole = section_for("rv64i2p1_zvl256b1p0");
  for (std::size_t bytes = 2; bytes < whole.size(); ++bytes)
    EXPECT_THROW(read(whole.substr(0, bytes)), UserError) << bytes;
}

TEST(Attributes, AnyBytesAreReadOrRefused) {
  Random random(5);
  const std::string whole = section_for("rv64i2p1_zvl256b1p0");
  unsigned refused = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    std::string section = whole;
    for (std::uint64_t i = 1 + random.below(4); i != 0; --i)
      section[random.below(section.size())] = static_cast<char>(random.bits());
    try {
      read(section);
    } catch (const UserError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000u);
}

}  // namespace
}  // namespace dojo::toolchain
