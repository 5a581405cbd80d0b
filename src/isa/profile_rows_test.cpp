// What the profiles RVA22U64 and RVA23U64 add to the scalar instructions, against formulas; and the encodings
// that must do nothing.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>

#include "isa/corners_for_tests.h"
#include "isa/one_instruction_test.h"

namespace dojo::isa {
namespace {

__extension__ using u128 = unsigned __int128;

constexpr std::uint64_t base = 0x1000, size = 4096;

struct World {
  std::array<std::byte, size> bytes{};
  Hart hart;
  World() { hart.memory = {bytes.data(), base, size, base, 0, 0}; }

  // Runs one instruction and returns whether it trapped.
  bool traps(std::uint32_t word) {
    hart.stop = Stop::none;
    execute_alone(hart, decode(word, base));
    return hart.stop == Stop::trap;
  }
};

// x3 = op(x1, x2).
std::uint64_t computed(std::uint32_t match, std::uint64_t a, std::uint64_t b) {
  World world;
  world.hart.x[1] = a;
  world.hart.x[2] = b;
  EXPECT_FALSE(world.traps(match | 3u << 7 | 1u << 15 | 2u << 20));
  return world.hart.x[3];
}

TEST(ProfileRows, ChooseAValueOrZero) {
  Random random(1);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t a = corner_integer(random), b = corner_integer(random);
    EXPECT_EQ(computed(0x0e005033, a, b), b == 0 ? 0 : a);
    EXPECT_EQ(computed(0x0e007033, a, b), b == 0 ? a : 0);
  }
}

// Every bit of a product of polynomials is a parity: bit k of a and b reversed around k.
TEST(ProfileRows, MultiplyWithoutCarries) {
  Random random(2);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t a = corner_integer(random), b = corner_integer(random);
    u128 product = 0;
    for (unsigned k = 0; k < 127; ++k) {
      unsigned parity = 0;
      for (unsigned j = k < 64 ? 0 : k - 63; j <= k && j < 64; ++j) parity ^= (a >> j & b >> (k - j) & 1);
      product |= static_cast<u128>(parity) << k;
    }
    EXPECT_EQ(computed(0x0a001033, a, b), static_cast<std::uint64_t>(product));
    EXPECT_EQ(computed(0x0a003033, a, b), static_cast<std::uint64_t>(product >> 64));
    EXPECT_EQ(computed(0x0a002033, a, b), static_cast<std::uint64_t>(product >> 63));
  }
}

TEST(ProfileRows, MayBeOperationsWriteZero) {
  for (unsigned n = 0; n < 32; ++n) {
    const std::uint32_t word = 0x81c04073 | (n >> 4) << 30 | (n >> 2 & 3) << 26 | (n & 3) << 20;
    EXPECT_EQ(computed(word & ~(2u << 20) & ~(1u << 15), ~std::uint64_t{0}, ~std::uint64_t{0}), 0u);
    EXPECT_EQ(disassemble(decode(word, 0), 0), fmt::format("mop.r.{}\tzero, zero", n));
  }
  for (unsigned n = 0; n < 8; ++n) {
    const std::uint32_t word = 0x82004073 | (n >> 2) << 30 | (n & 3) << 26;
    EXPECT_EQ(computed(word, ~std::uint64_t{0}, ~std::uint64_t{0}), 0u);
    EXPECT_EQ(disassemble(decode(word, 0), 0), fmt::format("mop.rr.{}\tzero, zero, zero", n));
  }
}

// Leaves everything but pc as it was.
void expect_nothing_happens(std::uint32_t word) {
  World world;
  for (unsigned i = 1; i < 32; ++i) world.hart.x[i] = i * 0x0123456789abcdef;
  const auto x = world.hart.x, f = world.hart.f;
  const auto memory = world.bytes;
  EXPECT_FALSE(world.traps(word)) << fmt::format("{:08x}", word);
  EXPECT_EQ(world.hart.x, x) << fmt::format("{:08x}", word);
  EXPECT_EQ(world.hart.f, f);
  EXPECT_EQ(world.bytes, memory);
  EXPECT_EQ(world.hart.fflags, 0);
}

// Unprivileged specification, chapters "RV32I" (memory ordering), "Zifencei": rd, rs1 and settings that are
// reserved are ignored.
TEST(ProfileRows, FencesIgnoreFieldsForFinerFences) {
  Random random(3);
  for (int i = 0; i < 10'000; ++i) {
    const std::uint32_t fields = random.bits();
    const std::uint32_t fence = (fields & ~0x707fu) | 0x0000000f, fence_i = (fields & ~0x707fu) | 0x0000100f;
    const std::uint32_t tso = (fields & 0x000f8f80u) | 0x8330000f;
    expect_nothing_happens(fence);
    expect_nothing_happens(fence_i);
    expect_nothing_happens(tso);
    EXPECT_EQ(decode(tso, 0).row->mnemonic, "fence.tso");
    EXPECT_EQ(decode(fence_i, 0).row->mnemonic, "fence.i");
    if ((fence & 0xfff00000) != 0x83300000) {
      EXPECT_EQ(decode(fence, 0).row->mnemonic, "fence");
    }
  }
}

// Unprivileged specification, "HINT Instructions" of RV64I, and of RV64C in "Compressed".
TEST(ProfileRows, HintsDoNothing) {
  Random random(4);
  const auto field = [&](unsigned low, unsigned bits) { return (random.bits() & ((1u << bits) - 1)) << low; };
  constexpr std::uint32_t immediates[] = {0x13, 0x2013, 0x3013, 0x4013, 0x6013, 0x7013, 0x1b};
  constexpr std::uint32_t shifts[] = {0x1013, 0x5013, 0x40005013, 0x101b, 0x501b, 0x4000501b};
  constexpr std::uint32_t registers[] = {0x33,   0x40000033, 0x1033,     0x2033, 0x3033,
                                         0x4033, 0x5033,     0x40005033, 0x6033, 0x7033,
                                         0x3b,   0x4000003b, 0x103b,     0x503b, 0x4000503b};
  for (int i = 0; i < 2000; ++i) {
    expect_nothing_happens(0x37 | field(12, 20));
    expect_nothing_happens(0x17 | field(12, 20));
    for (const std::uint32_t match : immediates) expect_nothing_happens(match | field(15, 17));
    for (const std::uint32_t match : shifts) expect_nothing_happens(match | field(15, 5) | field(20, 5));
    for (const std::uint32_t match : registers) expect_nothing_happens(match | field(15, 10));
  }
  for (const std::uint32_t ntl : {2u, 3u, 4u, 5u}) expect_nothing_happens(0x33 | ntl << 20);
  expect_nothing_happens(0x0100000f);  // pause

  for (std::uint32_t low = 0; low < 64; ++low) {
    const std::uint32_t six = (low >> 5) << 12 | (low & 31) << 2;
    expect_nothing_happens(0x0001 | six);                                                 // c.nop
    expect_nothing_happens(0x4001 | six);                                                 // c.li x0
    if (low != 0) expect_nothing_happens(0x6001 | six);                                   // c.lui x0
    expect_nothing_happens(0x0002 | six);                                                 // c.slli x0
    if ((low & 31) != 0) expect_nothing_happens(low < 32 ? 0x8002 | six : 0x9002 | six);  // c.mv x0, c.add x0
  }
  for (std::uint32_t rd = 1; rd < 32; ++rd) {
    expect_nothing_happens(0x0001 | rd << 7);              // c.addi rd, 0
    expect_nothing_happens(0x0002 | rd << 7);              // c.slli rd, 0
    if (rd < 8) expect_nothing_happens(0x8001 | rd << 7);  // c.srli rd, 0
    if (rd < 8) expect_nothing_happens(0x8401 | rd << 7);  // c.srai rd, 0
  }
  for (std::uint32_t n = 1; n < 16; n += 2) expect_nothing_happens(0x6001 | n << 7);  // c.mop.n
}

TEST(ProfileRows, BlocksOfACacheThatIsNotThere) {
  constexpr std::uint32_t inval = 0x0000a00f, clean = 0x0010a00f, flush = 0x0020a00f, zero = 0x0040a00f;
  for (std::uint64_t address = base; address < base + size; address += 13) {
    World world;
    world.bytes.fill(std::byte{0xa5});
    world.hart.x[1] = address;
    const auto before = world.bytes;
    for (const std::uint32_t word : {inval, clean, flush}) EXPECT_FALSE(world.traps(word));
    for (const std::uint32_t prefetch : {0x0000e013u, 0x0010e013u, 0x0030e013u})
      EXPECT_FALSE(world.traps(prefetch));
    EXPECT_EQ(world.bytes, before);
    EXPECT_FALSE(world.traps(zero));
    const std::uint64_t first = address / 64 * 64 - base;
    for (std::uint64_t i = 0; i < size; ++i)
      EXPECT_EQ(world.bytes[i], i >= first && i < first + 64 ? std::byte{0} : std::byte{0xa5})
          << address << " " << i;
  }
  World world;
  for (const std::uint64_t address : {base - 1, base + size, std::uint64_t{0}, ~std::uint64_t{0}}) {
    world.hart.x[1] = address;
    for (const std::uint32_t word : {inval, clean, flush, zero}) {
      EXPECT_TRUE(world.traps(word));
      EXPECT_EQ(world.hart.trap, TrapCause::store_fault);
      EXPECT_EQ(world.hart.trap_value, address);
    }
    EXPECT_FALSE(world.traps(0x0030e013));  // prefetch.w of nowhere
  }
  world.hart.memory.text_begin = base;
  world.hart.memory.text_end = base + 128;
  world.hart.x[1] = base + 64;
  EXPECT_FALSE(world.traps(flush));  // may be loaded
  EXPECT_TRUE(world.traps(zero));
}

// Privileged specification, menvcfg: CBIE is bits 5:4, CBCFE bit 6, CBZE bit 7.
TEST(ProfileRows, BlocksInUserModeNeedPermission) {
  constexpr std::uint32_t inval = 0x0000a00f, clean = 0x0010a00f, flush = 0x0020a00f, zero = 0x0040a00f;
  constexpr std::uint32_t write_menvcfg = 0x30a19073, read_menvcfg = 0x30a021f3;  // with x3
  for (std::uint64_t written = 0; written < 256; ++written) {
    World world;
    world.hart.x[1] = base + 100;
    world.hart.x[3] = written;
    ASSERT_FALSE(world.traps(write_menvcfg));
    ASSERT_FALSE(world.traps(read_menvcfg));
    const std::uint64_t legal = (written >> 4 & 3) == 2 ? written & 0xc0 : written & 0xf0;
    EXPECT_EQ(world.hart.x[3], legal);
    for (const std::uint32_t word : {inval, clean, flush, zero}) EXPECT_FALSE(world.traps(word));
    world.hart.machine.user = true;
    EXPECT_EQ(world.traps(inval), (legal & 0x30) == 0) << written;
    EXPECT_EQ(world.traps(clean), (legal & 0x40) == 0) << written;
    EXPECT_EQ(world.traps(flush), (legal & 0x40) == 0) << written;
    EXPECT_EQ(world.traps(zero), (legal & 0x80) == 0) << written;
    EXPECT_FALSE(world.traps(0x0030e013));  // a prefetch needs none
    EXPECT_TRUE(world.traps(0x0070a00f));   // no such operation
    EXPECT_EQ(world.hart.trap, TrapCause::illegal_instruction);
  }
}

// All half-words of Zcb that read or write memory, at every offset.
TEST(ProfileRows, ShortLoadsAndStores) {
  World world;
  for (std::size_t i = 0; i < size; ++i) world.bytes[i] = static_cast<std::byte>(i * 37 + 129);
  world.hart.x[9] = base + 100;  // s1: bits 9:7 = 1; a0: bits 4:2 = 2
  const auto byte_at = [&](std::uint64_t at) {
    return std::to_integer<std::uint64_t>(world.bytes[100 + at]);
  };
  for (std::uint32_t offset = 0; offset < 4; ++offset) {
    EXPECT_FALSE(world.traps(0x8000 | 1 << 7 | 2 << 2 | (offset & 1) << 6 | (offset >> 1) << 5));
    EXPECT_EQ(world.hart.x[10], byte_at(offset));
    world.hart.x[10] = 0x1122334455667700 | offset;
    EXPECT_FALSE(world.traps(0x8800 | 1 << 7 | 2 << 2 | (offset & 1) << 6 | (offset >> 1) << 5));
    EXPECT_EQ(byte_at(offset), offset);
  }
  for (std::uint32_t offset = 0; offset < 4; offset += 2) {
    world.bytes[100 + offset + 1] = std::byte{0x91};
    const std::uint64_t half = byte_at(offset) | byte_at(offset + 1) << 8;
    EXPECT_FALSE(world.traps(0x8400 | 1 << 7 | 2 << 2 | (offset >> 1) << 5));
    EXPECT_EQ(world.hart.x[10], half);
    EXPECT_FALSE(world.traps(0x8440 | 1 << 7 | 2 << 2 | (offset >> 1) << 5));
    EXPECT_EQ(world.hart.x[10], half | 0xffffffffffff0000);
    world.hart.x[10] = 0x1122334455667788;
    EXPECT_FALSE(world.traps(0x8c00 | 1 << 7 | 2 << 2 | (offset >> 1) << 5));
    EXPECT_EQ(byte_at(offset) | byte_at(offset + 1) << 8, 0x7788u);
  }
}

TEST(ProfileRows, ShortArithmetic) {
  Random random(5);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t a = corner_integer(random), b = corner_integer(random);
    const auto result = [&](std::uint32_t half) {
      World world;
      world.hart.x[9] = a;
      world.hart.x[10] = b;
      EXPECT_FALSE(world.traps(half | 1 << 7));
      return world.hart.x[9];
    };
    EXPECT_EQ(result(0x9c41 | 2 << 2), a * b);
    EXPECT_EQ(result(0x9c61), a & 0xff);
    EXPECT_EQ(result(0x9c65), static_cast<std::uint64_t>(std::int64_t{static_cast<std::int8_t>(a)}));
    EXPECT_EQ(result(0x9c69), a & 0xffff);
    EXPECT_EQ(result(0x9c6d), static_cast<std::uint64_t>(std::int64_t{static_cast<std::int16_t>(a)}));
    EXPECT_EQ(result(0x9c71), a & 0xffffffff);
    EXPECT_EQ(result(0x9c75), ~a);
  }
}

}  // namespace
}  // namespace dojo::isa
