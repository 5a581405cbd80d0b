// Do matrix steps and moves of tiles do as host code what their semantics do, in every shape?
#include <cstring>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "translate/emitters.h"
#include "translate/translator_for_tests.h"

namespace dojo::translate {
namespace {

using namespace random_code;

class MatrixTranslation : public TranslatorTest {};
INSTANTIATE_TEST_SUITE_P(On, MatrixTranslation, testing::Values(HostVectors::avx2, HostVectors::avx512),
                         on_vectors);

// Elements of every width: words whose parts are ordinary numbers too, now and then none at all.
void fill_codes(Hart& hart, Generator& random) {
  const bool ordinary = random() % 2 == 0;
  for (std::byte& code : hart.v) {
    code = static_cast<std::byte>(random());
    if (ordinary) code &= static_cast<std::byte>(0xbf);  // small exponents
  }
}

TEST_P(MatrixTranslation, StepsDoWhatSemanticsSayInEveryShape) {
  Generator random(4);
  Translator translator(GetParam());
  for (const Emitter& emitter : matrix_emitters()) {
    const isa::Row& row = *row_named(emitter.mnemonic);
    const bool of_bytes = emitter.mnemonic != "sf.mm.f.f";
    for (int round = 0; round < 400; ++round) {
      World world;
      fill(world, random, true);
      Hart& h = world.hart;
      for (std::size_t i = 0; i < h.tiles.size(); i += 4) {
        const std::uint32_t bits = single(random);
        std::memcpy(h.tiles.data() + i, &bits, 4);
      }
      if (round % 2 == 0) fill_codes(h, random);
      h.frm = random() % 4 == 0 ? static_cast<std::uint8_t>(random() % isa::rmm) : 0;
      h.vlen_bits = 128u << random() % 4;
      const std::uint64_t depth = of_bytes ? 4 : 2, sew = of_bytes ? 0 : 1, alternate = of_bytes ? 0 : 1;
      const std::uint64_t tk = random() % 3 == 0 ? random() % (depth + 1) : depth,
                          tm = random() % 2 == 0 ? 16 : random() % 17;
      isa::set_vtype(h, sew << 3 | alternate << 8 | (of_bytes ? 3u : 2u) << 9 | tk << 11 | tm << 16);
      ASSERT_FALSE(h.vill);
      h.vl = random() % 4 == 0 ? random() % 17 : 16;
      // Steps one after the other, often on the same operands.
      std::vector<std::uint32_t> words;
      for (std::uint64_t steps = 1 + random() % 4; steps != 0; --steps) {
        std::uint32_t word = encoding(row, random, isa::ElementType::of(h.vtype)) & ~(3u << 8);
        if (!words.empty() && random() % 2 == 0) word = (word & ~(31u << 20)) | (words.back() & 31u << 20);
        words.push_back(word);
      }
      const isa::Block block = block_of(words);
      compare(translator, world, block,
              fmt::format("{} tm {} tn {} tk {} vlen {}: {}", emitter.mnemonic, tm, h.vl, tk, h.vlen_bits,
                          isa::disassemble(block.code[0], base)));
      if (HasFailure()) return;
    }
  }
}

TEST_P(MatrixTranslation, MovesDoWhatSemanticsSayInEveryShape) {
  Generator random(7);
  Translator translator(GetParam());
  for (const Emitter& emitter : matrix_move_emitters()) {
    const isa::Row& row = *row_named(emitter.mnemonic);
    for (int round = 0; round < 300; ++round) {
      World world;
      fill(world, random, true);
      Hart& h = world.hart;
      for (std::byte& byte : h.tiles) byte = static_cast<std::byte>(random());
      h.vlen_bits = 128u << random() % 4;
      const std::uint64_t sew = random() % 3, widen = 3 - sew, tk = random() % 3, tm = random() % 17;
      isa::set_vtype(h, round % 8 == 0 ? 0xd0 : sew << 3 | widen << 9 | std::min(tk, widen) << 11 | tm << 16);
      h.vl = random() % 3 == 0 ? random() % 17 : 16;
      // Addresses and specifiers, mostly of rows and columns that exist.
      for (unsigned r = 1; r < 32; ++r)
        h.x[r] = r % 2 == 0 ? base + random() % (memory_bytes + 64) - 32
                            : (random() % 8) << 28 | (random() % 2) << 24 | random() % 17;
      if (random() % 4 == 0) h.x[1 + 2 * (random() % 15)] = random();
      std::uint32_t word = encoding(row, random, {});
      if (random() % 8 != 0) word = (word & ~(1u << 15)) | (~row.mask & 1u << 20);
      word = row.match | (word & ~row.mask);
      compare(translator, world, block_of({word}),
              fmt::format("{} vtype {:#x} vl {} word {:#x}", emitter.mnemonic, h.vtype, h.vl, word));
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace dojo::translate
