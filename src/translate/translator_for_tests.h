// Test help: blocks run both ways, by their instructions' semantics and as host code, and compared.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "isa/float_host.h"
#include "isa/vector_config.h"
#include "translate/random_code_for_tests.h"
#include "translate/translator.h"

namespace dojo::translate::random_code {

inline void expect_equal(const World& a, const World& b, const std::string& what) {
  EXPECT_EQ(a.hart.pc, b.hart.pc) << what;
  EXPECT_EQ(a.hart.x, b.hart.x) << what;
  EXPECT_EQ(a.hart.f, b.hart.f) << what;
  EXPECT_EQ(a.hart.fflags, b.hart.fflags) << what;
  EXPECT_EQ(a.hart.vstart, b.hart.vstart) << what;
  EXPECT_EQ(a.hart.vl, b.hart.vl) << what;
  EXPECT_EQ(a.hart.vtype, b.hart.vtype) << what;
  EXPECT_EQ(a.hart.vill, b.hart.vill) << what;
  EXPECT_EQ(a.hart.sew, b.hart.sew) << what;
  EXPECT_EQ(a.hart.lmul_log2, b.hart.lmul_log2) << what;
  EXPECT_EQ(a.hart.altfmt, b.hart.altfmt) << what;
  EXPECT_EQ(a.hart.tile_widen, b.hart.tile_widen) << what;
  EXPECT_EQ(a.hart.tile_m, b.hart.tile_m) << what;
  EXPECT_EQ(a.hart.tile_k, b.hart.tile_k) << what;
  EXPECT_EQ(a.hart.stop, b.hart.stop) << what;
  EXPECT_TRUE(a.hart.v == b.hart.v) << what;
  EXPECT_TRUE(a.hart.tiles == b.hart.tiles) << what;
  EXPECT_EQ(b.hart.tile_first, 0) << what;
  EXPECT_TRUE(a.memory == b.memory) << what;
  if (a.hart.stop == isa::Stop::trap) {
    EXPECT_EQ(a.hart.trap, b.hart.trap) << what;
    EXPECT_EQ(a.hart.trap_value, b.hart.trap_value) << what;
  }
}

// Runs the block both ways from one state; whether it came to its end.
inline bool compare(Translator& translator, const World& start, const isa::Block& block,
                    const std::string& what) {
  World expected = start, translated = start;
  expected.attach();
  translated.attach();
  const auto completed = isa::run_block(expected.hart, block);
  int owner = 0;
  static TraceHead head;  // where no trace begins
  const Vectors vectors{
      .any = true, .vl = start.hart.vl, .vtype = start.hart.vtype, .vlen_bits = start.hart.vlen_bits};
  const void* entry =
      translator.translate({.block = &block, .vectors = vectors, .key = {.owner = &owner}}, head);
  EXPECT_NE(entry, nullptr);
  translated.hart.stop = isa::Stop::none;
  isa::begin_floats(translated.hart);
  const auto account = std::make_unique<Account>();
  const BlockTransition start_of_chain;  // nothing is known to follow: the block is run and left unaccounted
  Chain chain{.last = &start_of_chain, .budget = 1000, .account = account.get()};
  translator.run(translated.hart, chain, entry);
  isa::end_floats(translated.hart);
  EXPECT_EQ(chain.unaccounted, &owner) << what;
  if (translated.hart.stop == isa::Stop::trap) {
    EXPECT_EQ(isa::settle_trap(translated.hart, block), completed) << what;
  }
  expect_equal(expected, translated, what);
  return expected.hart.stop == isa::Stop::none;
}

inline isa::Block block_of(const std::vector<std::uint32_t>& words) {
  std::vector<std::byte> text(memory_bytes);
  std::memcpy(text.data(), words.data(), 4 * words.size());
  const isa::Memory memory{.bytes = text.data(), .base = base, .size = memory_bytes};
  return isa::build_block(memory, base, static_cast<unsigned>(words.size()));
}

inline void set_vectors(Hart& hart, Generator& random, unsigned vlen, unsigned sew_log2, unsigned lmul) {
  hart.vlen_bits = vlen;
  isa::set_vtype(hart, lmul | sew_log2 << 3);
  const std::uint64_t most = isa::vector_length_limit(hart);
  hart.vl = random() % 3 != 0 ? most : random() % (most + 1);
  hart.vstart = 0;
}

// For each kind of host vectors that translated code is written for.
class TranslatorTest : public testing::TestWithParam<HostVectors> {
protected:
  void SetUp() override {
    if (host_vectors() < GetParam()) GTEST_SKIP() << "this host does not have such vectors";
  }
};

inline constexpr auto on_vectors = [](const auto& one) {
  return one.param == HostVectors::avx2 ? "Avx2" : "Avx512";
};

}  // namespace dojo::translate::random_code
