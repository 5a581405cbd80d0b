// Do vector instructions do as host code what their semantics do, in every configuration and with awkward
// numbers?
#include <cstring>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "translate/emitters.h"
#include "translate/translator_for_tests.h"

namespace dojo::translate {
namespace {

using namespace random_code;

class VectorTranslation : public TranslatorTest {};
INSTANTIATE_TEST_SUITE_P(On, VectorTranslation, testing::Values(HostVectors::avx2, HostVectors::avx512),
                         on_vectors);

TEST_P(VectorTranslation, DoesWhatSemanticsSayInEveryConfiguration) {
  Generator random(2);
  Translator translator(GetParam());
  for (const auto table : {vector_config_emitters(), vector_memory_emitters(), vector_strided_emitters(),
                           vector_float_emitters(), vector_integer_emitters(), vector_mask_emitters(),
                           vector_convert_emitters()})
    for (const Emitter& emitter : table) {
      const isa::Row& row = *row_named(emitter.mnemonic);
      for (const unsigned vlen : {128u, 256u, 512u, 1024u})
        for (unsigned sew = 0; sew < 4; ++sew)
          for (const unsigned lmul : {0u, 1u, 2u, 3u, 6u, 7u}) {
            World world;
            fill(world, random, true);
            set_vectors(world.hart, random, vlen, sew, lmul);
            const auto type = isa::ElementType::of(world.hart.vtype);
            for (int round = 0; round < 3; ++round) {
              const isa::Block block = block_of({encoding(row, random, type)});
              compare(translator, world, block,
                      fmt::format("{} vlen {} sew {} lmul {} vl {}: {}", emitter.mnemonic, vlen, 8 << sew,
                                  lmul, world.hart.vl, isa::disassemble(block.code[0], base)));
              if (HasFailure()) return;
            }
          }
    }
}

// Zeros of both signs, infinities, subnormals, and in every other round NaN.
TEST_P(VectorTranslation, DoesWhatSemanticsSayAtTheCornersOfFloats) {
  constexpr std::uint64_t doubles[] = {0,
                                       0x8000000000000000,
                                       0x7ff0000000000000,
                                       0xfff0000000000000,
                                       1,
                                       0x800fffffffffffff,
                                       0x3ff0000000000000,
                                       0xc000000000000000,
                                       0x7fefffffffffffff,
                                       0x0010000000000000,
                                       0x7ff8000000000000,
                                       0x7ff0000000000001,
                                       0xffffffffffffffff};
  constexpr std::uint32_t singles[] = {0,          0x80000000, 0x7f800000, 0xff800000, 1,
                                       0x807fffff, 0x3f800000, 0xc0000000, 0x7f7fffff, 0x00800000,
                                       0x7fc00000, 0x7f800001, 0xffffffff};
  constexpr std::size_t numbers = 10;
  Generator random(8);
  Translator translator(GetParam());
  for (const auto table : {vector_float_emitters(), vector_mask_emitters(), vector_convert_emitters()})
    for (const Emitter& emitter : table) {
      const isa::Row& row = *row_named(emitter.mnemonic);
      for (int round = 0; round < 60; ++round) {
        World world;
        fill(world, random, true);
        Hart& h = world.hart;
        const bool is_double = round % 3 == 0;
        const std::size_t choice = round % 2 == 0 ? numbers : std::size(singles);
        for (std::size_t at = 0; at < h.v.size(); at += is_double ? 8 : 4)
          is_double ? std::memcpy(h.v.data() + at, &doubles[random() % choice], 8)
                    : std::memcpy(h.v.data() + at, &singles[random() % choice], 4);
        for (auto& f : h.f)
          f = is_double ? doubles[random() % choice] : 0xffffffff00000000 | singles[random() % choice];
        const unsigned lmul = round % 5 == 0 ? 7 : static_cast<unsigned>(random() % 4);
        set_vectors(h, random, round % 3 == 1 ? 512 : 128u << random() % 4, is_double ? 3 : 2, lmul);
        const std::uint32_t word = encoding(row, random, isa::ElementType::of(h.vtype));
        const isa::Block block = block_of({word});
        compare(
            translator, world, block,
            fmt::format("{} round {}: {}", emitter.mnemonic, round, isa::disassemble(block.code[0], base)));
        if (HasFailure()) return;
      }
    }
}

// Zeros, ordinary numbers and all that lies just beyond them, to the nearest even: whole groups without NaN.
TEST_P(VectorTranslation, ConvertsOrdinaryNumbersAsSemanticsSay) {
  constexpr std::uint32_t edges[] = {0,          0x80000000, 0x00800000, 0x807fffff, 0x7f7f7fff, 0x7f7f8000,
                                     0xff7fffff, 0x3f808000, 0x3f818000, 0x3f800001, 0xbf80ffff, 0x007fc000};
  Generator random(9);
  Translator translator(GetParam());
  for (const Emitter& emitter : vector_convert_emitters()) {
    const isa::Row& row = *row_named(emitter.mnemonic);
    for (int round = 0; round < 400; ++round) {
      World world;
      fill(world, random, true);
      Hart& h = world.hart;
      h.frm = 0;
      // Only some rounds have numbers that take the slow path.
      const bool ordinary = round % 4 != 0;
      for (std::size_t at = 0; at < h.v.size(); at += 4) {
        std::uint32_t bits = (static_cast<std::uint32_t>(random()) & 0xbfff'ffff) | 0x0080'0080;
        if (round % 3 == 0) bits &= 0xffff'0000;  // exact
        if (random() % 8 == 0) bits = ordinary ? edges[random() % 3] : edges[random() % std::size(edges)];
        std::memcpy(h.v.data() + at, &bits, 4);
      }
      set_vectors(h, random, 128u << random() % 4, 1, static_cast<unsigned>(random() % 4));
      const isa::Block block = block_of({encoding(row, random, isa::ElementType::of(h.vtype))});
      compare(translator, world, block,
              fmt::format("{} round {}: {}", emitter.mnemonic, round, isa::disassemble(block.code[0], base)));
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace dojo::translate
