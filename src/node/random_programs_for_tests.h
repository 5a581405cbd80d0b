// Test help: programs at random that repeat, for traces. Straight lines of instructions that have emitters,
// with loops, ways around, jumps and changes of the configuration between them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "isa/vector_config.h"
#include "translate/emitters.h"
#include "translate/random_code_for_tests.h"

namespace dojo::node::random_programs {

using namespace translate::random_code;

constexpr unsigned loop_counter = 31, parity = 30, granted = 28, length = 27, pointer = 2;
constexpr std::uint32_t ecall = 0x00000073;

constexpr std::uint32_t addi(unsigned rd, unsigned rs1, int immediate) {
  return 0x13 | rd << 7 | rs1 << 15 | static_cast<std::uint32_t>(immediate) << 20;
}
constexpr std::uint32_t andi(unsigned rd, unsigned rs1, int immediate) {
  return addi(rd, rs1, immediate) | 7u << 12;
}
constexpr std::uint32_t branch(unsigned funct, unsigned rs1, unsigned rs2, int distance) {
  const auto d = static_cast<std::uint32_t>(distance);
  return 0x63 | funct << 12 | rs1 << 15 | rs2 << 20 | (d >> 12 & 1) << 31 | (d >> 5 & 63) << 25 |
         (d >> 1 & 15) << 8 | (d >> 11 & 1) << 7;
}
constexpr std::uint32_t vsetvli(unsigned rd, unsigned rs1, unsigned vtype) {
  return 0x7057 | rd << 7 | rs1 << 15 | vtype << 20;
}

// Straight lines of instructions that have emitters, and now and then any other.
class Body {
public:
  explicit Body(Generator& random) : random_(random) {
    for (const auto table :
         {translate::integer_emitters(), translate::memory_emitters(), translate::float_emitters(),
          translate::vector_memory_emitters(), translate::vector_float_emitters(),
          translate::vector_integer_emitters(), translate::vector_mask_emitters()})
      for (const translate::Emitter& emitter : table) rows_.push_back(row_named(emitter.mnemonic));
  }

  void add_to(std::vector<std::uint32_t>& words, unsigned count, isa::ElementType type) {
    while (count != 0) {
      const std::span<const isa::Row* const> all = isa::all_rows();
      const isa::Row& row =
          random_() % 24 == 0 ? *all[random_() % all.size()] : *rows_[random_() % rows_.size()];
      if ((row.properties & (isa::ends_block | isa::starts_block)) != 0) continue;
      std::uint32_t word = legal_encoding(row, random_, type);
      const bool accesses = (row.properties & (isa::reads_memory | isa::writes_memory)) != 0;
      if (accesses) word = (word & ~(31u << 15)) | pointer << 15;
      if (row.rd == isa::Operand::x_write) word = (word & ~(31u << 7)) | (4 + random_() % 16) << 7;
      words.push_back(word);
      --count;
    }
  }

private:
  Generator& random_;
  std::vector<const isa::Row*> rows_;
};

// A loop with a way around some of its instructions, in a configuration that may change from run to run.
inline std::vector<std::uint32_t> random_loop(Generator& random, unsigned lmul) {
  Body body(random);
  std::vector<std::uint32_t> words;
  const unsigned sew = random() % 4 == 0 ? static_cast<unsigned>(random() % 4) : 2, vtype = lmul | sew << 3;
  const bool sets_length = random() % 2 == 0, changes_length = random() % 4 == 0;
  const auto type = isa::ElementType::of(sets_length ? vtype : lmul | 2u << 3);
  if (changes_length) {
    words.push_back(andi(length, loop_counter, 1 << random() % 4));
    words.push_back(addi(length, length, 24));
  }
  if (sets_length) words.push_back(vsetvli(granted, length, vtype));
  body.add_to(words, 1 + random() % 10, type);
  std::vector<std::uint32_t> around;
  body.add_to(around, 1 + random() % 8, type);
  words.push_back(andi(parity, loop_counter, random() % 2 == 0 ? 3 : 16));
  words.push_back(branch(random() % 2, parity, 0, static_cast<int>(4 * (around.size() + 1))));
  words.insert(words.end(), around.begin(), around.end());
  body.add_to(words, 1 + random() % 10, type);
  words.push_back(addi(loop_counter, loop_counter, -1));
  words.push_back(branch(1, loop_counter, 0, -static_cast<int>(4 * words.size())));
  words.push_back(ecall);
  return words;
}

// --- Programs that change their configuration on the way, with loops inside, calls and matrix steps

constexpr unsigned inner_counter = 29, link_register = 26, target_register = 25, type_register = 24,
                   first_specifier = 20, specifiers = 4;

class Program {
public:
  explicit Program(Generator& random) : random_(random) {
    for (const auto table :
         {translate::integer_emitters(), translate::memory_emitters(), translate::float_emitters()})
      add(scalar_, table);
    for (const auto table : {translate::vector_memory_emitters(), translate::vector_float_emitters(),
                             translate::vector_integer_emitters(), translate::vector_mask_emitters()})
      add(vector_, table);
    for (const auto table : {translate::matrix_emitters(), translate::matrix_move_emitters(),
                             translate::vector_memory_emitters()})
      add(matrix_, table);
  }

  std::vector<std::uint32_t> write(unsigned vlen_bits) {
    words_.clear();
    model_->vlen_bits = vlen_bits;
    configure();
    for (auto segments = 1 + random_() % 3; segments != 0; --segments) segment();
    words_.push_back(addi(loop_counter, loop_counter, -1));
    words_.push_back(branch(1, loop_counter, 0, -static_cast<int>(4 * words_.size())));
    words_.push_back(ecall);
    return words_;
  }

private:
  using Rows = std::vector<const isa::Row*>;
  static void add(Rows& rows, std::span<const translate::Emitter> table) {
    for (const translate::Emitter& emitter : table) rows.push_back(row_named(emitter.mnemonic));
  }
  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  // One of the ways to set vl and vtype; what it asks for is remembered for the instructions behind it.
  void configure() {
    matrix_mode_ = below(3) == 0;
    const unsigned rd = below(2) * granted, rs1 = below(3) != 0 ? length : 0;
    if (matrix_mode_) {
      constexpr unsigned shapes[] = {0x600, 0x508, 0x408, 0x600, 0x508, 0x210, 0x400, 0x200, 0x608, 0x218};
      const unsigned shape = shapes[below(std::size(shapes))];
      isa::set_vtype(*model_, shape);
      words_.push_back(vsetvli(granted, below(4) == 0 ? length : 0, shape));
      constexpr std::uint32_t rows = 0x84107057, depth = 0x84207057;
      words_.push_back(rows | rd << 7 | (below(3) == 0 ? length : loop_counter) << 15);
      words_.push_back(depth | rd << 7 | (below(3) == 0 ? length : loop_counter) << 15);
      return;
    }
    constexpr unsigned fractions[] = {5, 6, 7};
    const unsigned sew = below(2) == 0 ? 2 : below(4), lmul = below(5) == 0 ? fractions[below(3)] : below(4);
    const unsigned vtype = lmul | sew << 3 | below(4) << 6;
    isa::set_vtype(*model_, vtype);
    switch (below(4)) {
      case 0:
        return words_.push_back(0xc0007057 | rd << 7 | below(32) << 15 | vtype << 20);
      case 1:
        words_.push_back(addi(type_register, 0, static_cast<int>(vtype)));
        return words_.push_back(0x80007057 | rd << 7 | rs1 << 15 | type_register << 20);
      default:
        return words_.push_back(vsetvli(rd, rs1, vtype));
    }
  }

  void body(unsigned count) {
    const std::span<const isa::Row* const> all = isa::all_rows();
    while (count != 0) {
      const Rows& some = below(3) == 0 ? scalar_ : matrix_mode_ ? matrix_ : vector_;
      const isa::Row& row = below(50) == 0 ? *all[random_() % all.size()] : *some[random_() % some.size()];
      if ((row.properties & (isa::ends_block | isa::starts_block)) != 0) continue;
      if (row.unit == isa::Unit::system || row.unit == isa::Unit::transfer) continue;
      std::uint32_t word = legal_encoding(row, random_, isa::ElementType::of(model_->vtype));
      constexpr std::uint32_t tile_of_single = 3u << 8;  // begins at every fourth register
      if (row.unit == isa::Unit::matrix) word &= ~(tile_of_single & ~row.mask);
      const bool accesses = (row.properties & (isa::reads_memory | isa::writes_memory)) != 0;
      if (accesses) word = (word & ~(31u << 15)) | pointer << 15;
      if (row.extension == "XSfmm" && accesses)
        word = (word & ~(31u << 20)) | (first_specifier + below(specifiers)) << 20;
      if (row.rd == isa::Operand::x_write) word = (word & ~(31u << 7)) | (4 + below(16)) << 7;
      words_.push_back(word);
      --count;
    }
  }

  void segment() {
    switch (below(6)) {
      case 0:
        configure();
        break;
      case 1: {  // around some, now and then
        words_.push_back(andi(parity, loop_counter, 1 << below(5)));
        const std::size_t at = words_.size();
        words_.push_back(0);
        if (below(3) == 0) configure();
        body(1 + below(6));
        words_[at] = branch(below(2), parity, 0, static_cast<int>(4 * (words_.size() - at)));
        break;
      }
      case 2: {  // a loop inside
        words_.push_back(addi(inner_counter, 0, 1 + static_cast<int>(below(6))));
        const std::size_t begin = words_.size();
        if (below(4) == 0) configure();
        body(1 + below(5));
        words_.push_back(addi(inner_counter, inner_counter, -1));
        words_.push_back(branch(1, inner_counter, 0, -static_cast<int>(4 * (words_.size() - begin))));
        break;
      }
      case 3: {  // a jump by address, to one of two places
        words_.push_back(andi(parity, loop_counter, below(2) != 0 ? 4 : 0));
        words_.push_back(0x17 | target_register << 7);  // auipc
        words_.push_back(0x33 | target_register << 7 | target_register << 15 | parity << 20);
        words_.push_back(0x67 | link_register << 7 | target_register << 15 | 12u << 20);
        body(2);
        break;
      }
      case 4:
        words_.push_back(addi(length, length, 1 - static_cast<int>(below(3))));
        break;
      default:
        break;
    }
    body(1 + below(8));
  }

  Generator& random_;
  Rows scalar_, vector_, matrix_;
  std::vector<std::uint32_t> words_;
  std::unique_ptr<Hart> model_ = std::make_unique<Hart>();  // vtype where the next instruction will stand
  bool matrix_mode_ = false;
};

}  // namespace dojo::node::random_programs
