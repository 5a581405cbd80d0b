// Is an ELF file read as the ABI describes it, and whatever else the bytes may be refused with its reason?
#include "toolchain/elf.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "base/temporary_folder.h"
#include "toolchain/tool.h"

namespace dojo::toolchain {
namespace {

// A program of code, data and zeros that clang and lld make; begins at 0x1000.
std::vector<std::byte> build(const std::string& march) {
  const TemporaryFolder folder("elf-test");
  write_text(folder.path() / "sample.cpp",
             "volatile unsigned long counter = 5, zeros[100];\n"
             "extern \"C\" __attribute__((noinline)) unsigned long twice(unsigned long x) { return x * 2; }\n"
             "extern \"C\" void _start() { for (;;) counter = twice(zeros[counter]); }\n");
  const bool built = run_tool({find_tool("clang-22", "clang-22").string(), "--target=riscv64-unknown-elf",
                               "-march=" + march, "-mno-relax", "-O1", "-nostdlib", "-static", "-fuse-ld=lld",
                               "-ffreestanding", "-Wl,--image-base=0x1000", "-o", "sample.elf", "sample.cpp"},
                              folder.path(), folder.path() / "log");
  if (!built) refuse("clang-22", "{}", read_text(folder.path() / "log"));
  return read_file(folder.path() / "sample.elf");
}

const std::vector<std::byte>& sample() {
  static const std::vector<std::byte> elf = build("rv64gcv_zvl512b");
  return elf;
}

std::string refusal(std::span<const std::byte> elf) {
  try {
    read_elf(elf, "sample");
  } catch (const UserError& error) {
    return error.what();
  }
  return {};
}

template <typename Word>
std::vector<std::byte> with(std::size_t offset, Word value) {
  std::vector<std::byte> elf = sample();
  std::memcpy(elf.data() + offset, &value, sizeof value);
  return elf;
}

TEST(Elf, IsReadWithItsSegmentsAndSymbols) {
  const Elf elf = read_elf(sample(), "sample");
  const auto symbol = [&](std::string_view name) {
    const auto found = std::ranges::find(elf.symbols, name, &ElfSymbol::name);
    if (found == elf.symbols.end()) refuse("sample", "has no symbol '{}'", name);
    return *found;
  };
  const ElfSymbol start = symbol("_start"), twice = symbol("twice"), counter = symbol("counter"),
                  zeros = symbol("zeros");
  EXPECT_EQ(elf.entry, start.address);
  EXPECT_TRUE(start.code && start.function && twice.code && twice.function);
  EXPECT_FALSE(counter.code || counter.function);
  EXPECT_EQ(counter.size, 8u);
  EXPECT_EQ(zeros.size, 800u);
  EXPECT_GE(elf.end(), zeros.address + zeros.size);
  for (const ElfSegment& segment : elf.segments) {
    EXPECT_GE(segment.address, 0x1000u);
    EXPECT_LE(segment.end(), elf.end());
    EXPECT_EQ(segment.executable, segment.address <= twice.address && twice.address < segment.end());
    if (counter.address < segment.address || counter.address >= segment.end()) continue;
    EXPECT_TRUE(segment.writable);
    EXPECT_EQ(std::to_integer<int>(segment.bytes.at(counter.address - segment.address)), 5);
  }
}

TEST(Elf, NamesTheVectorLengthThatClangCompiledFor) {
  for (const unsigned bits : {128u, 256u, 512u, 1024u})
    EXPECT_EQ(read_elf(build("rv64gcv_zvl" + std::to_string(bits) + "b"), "sample").promised_vlen_bits, bits);
  EXPECT_EQ(read_elf(build("rv64gc"), "sample").promised_vlen_bits, 0u);
}

TEST(Elf, RefusesEveryTruncationWithoutReadingBeyond) {
  const auto& elf = sample();
  for (std::size_t size = 0; size < elf.size(); ++size) {
    const std::vector<std::byte> cut(elf.begin(), elf.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(refusal(cut), "") << size << " of " << elf.size();
  }
  EXPECT_EQ(refusal(elf), "");
}

TEST(Elf, NamesWhatIsWrong) {
  EXPECT_NE(refusal(with<std::uint8_t>(0, 1)).find("not an ELF"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint8_t>(4, 1)).find("64-bit"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint8_t>(5, 2)).find("little-endian"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint16_t>(16, 1)).find("still has to be linked"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint16_t>(16, 4)).find("not an executable"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint16_t>(16, 3)).find("position-independent"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint16_t>(18, 62)).find("RISC-V"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint64_t>(24, 0x10)).find("not executable"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint64_t>(32, ~0ull - 8)).find("program headers"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint64_t>(32, ~0ull - 8)).find("from byte 18446744073709551607 on"),
            std::string::npos);
  EXPECT_NE(refusal(with<std::uint64_t>(40, ~0ull - 8)).find("section headers"), std::string::npos);
  EXPECT_NE(refusal(with<std::uint16_t>(56, 0)).find("no program headers"), std::string::npos);
}

// Program header i: flags at 4, offset at 8, bytes in the file at 32 and in memory at 40.
TEST(Elf, TakesSegmentsWithoutFlagsForWhatTheirSectionsAre) {
  std::vector<std::byte> elf = sample();
  const Elf before = read_elf(elf, "sample");
  const std::size_t count = std::to_integer<std::size_t>(elf[56]);
  for (std::size_t i = 0; i < count; ++i) std::memset(elf.data() + 64 + 56 * i + 4, 0, 4);
  const Elf after = read_elf(elf, "sample");
  ASSERT_EQ(after.segments.size(), before.segments.size());
  for (std::size_t i = 0; i < after.segments.size(); ++i) {
    EXPECT_EQ(after.segments[i].executable, before.segments[i].executable);
    EXPECT_EQ(after.segments[i].writable, before.segments[i].writable);
  }
  std::memset(elf.data() + 40, 0, 8);  // no sections
  const Elf without = read_elf(elf, "sample");
  for (const ElfSegment& segment : without.segments) EXPECT_TRUE(segment.executable && segment.writable);
}

TEST(Elf, DoesNotAskWhereTheBytesLieThatASegmentDoesNotHave) {
  std::vector<std::byte> elf = sample();
  const std::size_t count = std::to_integer<std::size_t>(elf[56]);
  bool any = false;
  for (std::size_t at = 64; at < 64 + 56 * count; at += 56) {
    std::uint32_t type;
    std::memcpy(&type, elf.data() + at, sizeof type);
    if (type != 1 || (std::to_integer<unsigned>(elf[at + 4]) & 2) == 0) continue;
    const std::uint64_t beyond = elf.size() + 4096, nothing = 0;
    std::memcpy(elf.data() + at + 32, &nothing, sizeof nothing);
    std::memcpy(elf.data() + at + 8, &beyond, sizeof beyond);
    any = true;
  }
  EXPECT_EQ(refusal(elf), "");
  EXPECT_TRUE(any);
}

TEST(Elf, SurvivesRandomDamage) {
  Random random(11);
  unsigned refused = 0;
  for (unsigned round = 0; round < 3000; ++round) {
    std::vector<std::byte> elf = sample();
    const unsigned hits = 1 + static_cast<unsigned>(random.below(8));
    for (unsigned i = 0; i < hits; ++i) {
      // Mostly in the headers, where damage decides what is read.
      const std::size_t at = random.below(2) ? random.below(400) : random.below(elf.size());
      elf[at] = static_cast<std::byte>(random.below(256));
    }
    refused += !refusal(elf).empty();
  }
  EXPECT_GT(refused, 500u);
}

}  // namespace
}  // namespace dojo::toolchain
