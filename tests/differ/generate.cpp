#include "generate.h"

#include <cstring>

#include "isa/corners_for_tests.h"
#include "scalar_writer.h"
#include "vector_writer.h"

namespace dojo::differ {
namespace {

using isa::Row;

constexpr std::size_t short_reach = 250;  // of c.beqz, in bytes

void fill_vector(std::byte* bytes, Random& random) {
  const bool floats = random.below(3) != 0;
  const std::size_t width = (floats ? 2u : 1u) << random.below(floats ? 3 : 4);
  for (std::size_t at = 0; at < 64; at += width) {
    const std::uint64_t value =
        floats ? isa::corner_float(random, static_cast<unsigned>(8 * width)) : isa::corner_integer(random);
    std::memcpy(bytes + at, &value, width);
  }
}

Program empty_program(Random& random, unsigned vlen_bits) {
  Program program;
  program.vlen_bits = vlen_bits;
  State& state = program.before;
  for (auto& byte : state.memory) byte = static_cast<std::byte>(random.bits());
  for (unsigned i = 1; i < 30; ++i) state.x[i] = isa::corner_integer(random);
  // Mostly of one width, so that instructions with three sources find three numbers.
  const unsigned width = 16u << random.below(3);
  for (auto& f : state.f)
    f = isa::corner_f_register(random, random.below(4) != 0 ? width : 16u << random.below(3));
  for (std::size_t at = 0; at < state.v.size(); at += 64) fill_vector(state.v.data() + at, random);
  state.fcsr = random.below(5) << 5 | random.below(32);
  state.vcsr = random.below(8);
  state.vtype = random.below(4) << 3 | random.below(4);
  state.vl = random.below(vlen_bits / 64 + 1);
  return program;
}

class Generator {
public:
  Generator(const Repertoire& repertoire, Random& random, const Program& program)
      : repertoire_(repertoire),
        words_(random),
        scalar_(words_, repertoire),
        vector_(words_, repertoire, program) {}

  std::vector<Item> items(std::uint64_t count, unsigned depth) {
    std::vector<Item> made;
    for (std::uint64_t i = 0; i < count; ++i) add_item(made, depth);
    return made;
  }

private:
  std::uint64_t below(std::uint64_t bound) { return words_.below(bound); }

  void add_item(std::vector<Item>& made, unsigned depth) {
    const std::uint64_t kind = below(100);
    if (kind < 18) return scalar_.add_arithmetic(made);
    if (kind < 28) return scalar_.add_compressed(made);
    if (kind < 36) return scalar_.add_access(made);
    if (kind < 40) return scalar_.add_atomic(made);
    if (kind < 52) return scalar_.add_float(made);
    if (kind < 56) return scalar_.add_csr(made);
    if (kind < 60) return vector_.add_configuration(made);
    if (kind < 82) return vector_.add_arithmetic(made);
    if (kind < 93) return vector_.add_access(made);
    if (depth < 2) return kind < 97 ? add_jump(made, depth) : add_loop(made, depth);
  }

  void add_jump(std::vector<Item>& made, unsigned depth) {
    const auto before = vector_.configuration();
    Item item{.kind = Item::Kind::branch, .body = items(1 + below(4), depth + 1)};
    if (vector_.configuration() != before) vector_.forget();  // depends on the branch
    const Row& row = *words_.any(repertoire_.branches);
    if (below(5) == 0 && 4 * encode(item.body).size() < short_reach) {
      constexpr std::uint32_t jumps[] = {0xa001, 0xc001, 0xe001};
      item.words = {jumps[below(3)] | static_cast<std::uint32_t>(below(8)) << 7};
      if (item.words[0] >> 13 == 5) item.words[0] = 0xa001;
    } else if (row.mnemonic == "jal") {
      item.words = {0x6f | words_.writable() << 7};
    } else if (row.mnemonic == "jalr") {
      item.kind = Item::Kind::jump;
      item.words = {0x17 | address_register << 7, 0x67 | words_.writable() << 7 | address_register << 15};
    } else {
      item.words = {with_field(with_field(row.match, 15, 5, below(32)), 20, 5, below(32))};
    }
    made.push_back(std::move(item));
  }

  void add_loop(std::vector<Item>& made, unsigned depth) {
    vector_.forget();  // the second time round it is what the body leaves
    made.push_back({.kind = Item::Kind::loop,
                    .body = items(1 + below(6), depth + 1),
                    .times = static_cast<unsigned>(1 + below(4)),
                    .counter = first_counter + depth});
  }

  const Repertoire& repertoire_;
  Words words_;
  ScalarWriter scalar_;
  VectorWriter vector_;
};

}  // namespace

Program generate(Oracle oracle, std::uint64_t seed, std::uint64_t number, unsigned vlen_bits) {
  Random random(seed, number);
  Program program = empty_program(random, vlen_bits);
  Generator generator(repertoire_of(oracle), random, program);
  program.items = generator.items(10 + random.below(50), 0);
  return program;
}

}  // namespace dojo::differ
