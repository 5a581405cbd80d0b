// Do the matrix unit's instructions, as semantics and as translated code, and the numpy model of docs/ give
// what the published vectors say (docs/matrix-vectors.txt, which an oracle of exact fractions wrote)?
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "isa/block.h"
#include "isa/float_host.h"
#include "isa/vector_config.h"
#include "support/command.h"
#include "translate/translator.h"

namespace dojo {
namespace {

const std::string vectors_file = DOJO_SOURCE_DIR "/docs/matrix-vectors.txt";

// One step; the rows of A, B, C and D (C after it) as the file has them.
struct Vector {
  std::string title, instruction;
  std::map<std::string, unsigned> number;  // sew, alt, twiden, tm, tn, tk, cfloat
  std::map<char, std::vector<std::vector<std::uint64_t>>> rows;
  unsigned flags = 0;
};

std::vector<std::uint64_t> codes_of(std::istringstream& words) {
  std::vector<std::uint64_t> codes;
  for (std::string word; words >> word;) codes.push_back(std::stoull(word, nullptr, 16));
  return codes;
}

void read_title(const std::string& line, Vector& vector) {
  vector.title = line;
  std::istringstream words(line);
  std::string key, value;
  words >> key >> vector.instruction;
  while (words >> key >> value && key != ":")
    vector.number[key] = static_cast<unsigned>(std::stoul(value, nullptr, key == "cfloat" ? 16 : 10));
}

std::vector<Vector> read_vectors() {
  std::vector<Vector> vectors;
  std::istringstream text(read_text(vectors_file));
  for (std::string line; std::getline(text, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    std::string what;
    words >> what;
    if (what == "step")
      read_title(line, vectors.emplace_back());
    else if (what == "flags")
      vectors.back().flags = static_cast<unsigned>(codes_of(words).at(0));
    else
      vectors.back().rows[what.at(0)].push_back(codes_of(words));
  }
  return vectors;
}

// Where a vector's operands go: differs from one to the next.
struct OperandRegisters {
  unsigned tile, a, b, apart;  // `apart` registers from row k to row k + 1

  OperandRegisters(const Vector& vector, unsigned index) {
    const unsigned depth = vector.number.at("twiden"), first = index % (8 / depth);
    tile = vector.number.at("sew") == 64 ? index % 8 * 2 : index % 4 * 4;
    a = index % 4 * 8 + first;
    b = (index % 4 + 1 + index / 4 % 3) % 4 * 8 + first;  // another group of eight
    apart = 8 / depth;
  }
};

std::uint32_t encoding(const Vector& vector, const OperandRegisters& place) {
  for (const isa::Row* row : isa::all_rows())
    if (row->mnemonic == vector.instruction)
      return row->match | place.tile << 8 | place.a << 20 | place.b << 15;
  throw std::runtime_error("no instruction " + vector.instruction);
}

void put_row(std::byte* to, const std::vector<std::uint64_t>& codes, unsigned bits) {
  for (std::size_t i = 0; i < codes.size(); ++i) std::memcpy(to + i * bits / 8, &codes[i], bits / 8);
}

void put_tile(isa::Hart& hart, const Vector& vector, const OperandRegisters& place, char rows) {
  const unsigned bits = vector.number.at("sew") * vector.number.at("twiden");
  const std::size_t row_bytes = isa::effective_tile_edge(bits, 1) * bits / 8;
  const auto found = vector.rows.find(rows);
  if (found == vector.rows.end()) return;
  std::byte* to = hart.tiles.data() + place.tile * 256;
  for (const auto& row : found->second) {
    put_row(to, row, bits);
    to += row_bytes;
  }
}

// The hart before the step. What the step must not look at is full of `outside`.
std::unique_ptr<isa::Hart> hart_before(const Vector& vector, const OperandRegisters& place,
                                       std::uint32_t outside) {
  auto hart = std::make_unique<isa::Hart>();
  const auto number = [&](const char* key) { return vector.number.at(key); };
  const auto widen = static_cast<unsigned>(std::countr_zero(number("twiden")) + 1),
             width = static_cast<unsigned>(std::countr_zero(number("sew")) - 3);
  isa::set_vtype(*hart, width << 3 | number("alt") << 8 | widen << 9 | number("tk") << 11 |
                            std::uint64_t{number("tm")} << 16);
  EXPECT_FALSE(hart->vill) << vector.title;
  hart->vl = number("tn");
  if (vector.number.contains("cfloat")) hart->cfloat_control = number("cfloat");
  for (std::size_t i = 0; i < hart->v.size(); i += 4) std::memcpy(hart->v.data() + i, &outside, 4);
  for (std::size_t i = 0; i < hart->tiles.size(); i += 4) std::memcpy(hart->tiles.data() + i, &outside, 4);
  for (const auto& [letter, first] : {std::pair{'A', place.a}, std::pair{'B', place.b}}) {
    const auto rows = vector.rows.find(letter);
    for (unsigned k = 0; k < number("tk"); ++k)
      put_row(hart->vreg(first + k * place.apart), rows->second.at(k), number("sew"));
  }
  put_tile(*hart, vector, place, 'C');
  return hart;
}

void expect_after(const isa::Hart& hart, const isa::Hart& before, const Vector& vector,
                  const OperandRegisters& place) {
  auto expected = std::make_unique<isa::Hart>(before);
  put_tile(*expected, vector, place, 'D');
  EXPECT_EQ(hart.stop, isa::Stop::none) << vector.title;
  EXPECT_TRUE(hart.tiles == expected->tiles) << vector.title;
  EXPECT_TRUE(hart.v == expected->v) << vector.title;
  EXPECT_EQ(hart.fflags, vector.flags) << vector.title;
}

isa::Block block_of(std::uint32_t word) {
  std::array<std::byte, 64> text{};
  std::memcpy(text.data(), &word, 4);
  return isa::build_block({.bytes = text.data(), .base = 0x1000, .size = text.size()}, 0x1000, 1);
}

// Runs every vector by `run(hart, block)`: in every rounding mode and a reserved one, with zeros beside the
// operands and with signalling NaNs of fp8, of fp16 and of bf16 and FP32.
template <typename Run>
void expect_every_vector(Run run) {
  const std::vector<Vector> vectors = read_vectors();
  ASSERT_GT(vectors.size(), 500u);
  for (unsigned index = 0; index < vectors.size(); ++index)
    for (const std::uint32_t outside : {0u, 0x7d7d7d7du, 0x7da17da1u, 0x7fa17fa1u})
      for (std::uint8_t frm = 0; frm <= 5; ++frm) {
        const Vector& vector = vectors[index];
        const OperandRegisters place(vector, index);
        const auto before = hart_before(vector, place, outside);
        before->frm = frm;
        auto hart = std::make_unique<isa::Hart>(*before);
        run(*hart, block_of(encoding(vector, place)));
        expect_after(*hart, *before, vector, place);
        if (testing::Test::HasFailure()) return;
      }
}

TEST(MatrixVectors, TheInstructionsReproduceEveryOne) {
  expect_every_vector([](isa::Hart& hart, const isa::Block& block) { isa::run_block(hart, block); });
}

class MatrixVectorsTranslated : public testing::TestWithParam<translate::HostVectors> {};

INSTANTIATE_TEST_SUITE_P(On, MatrixVectorsTranslated,
                         testing::Values(translate::HostVectors::avx2, translate::HostVectors::avx512),
                         [](const auto& one) {
                           return one.param == translate::HostVectors::avx2 ? "Avx2" : "Avx512";
                         });

TEST_P(MatrixVectorsTranslated, TranslatedCodeReproducesEveryOne) {
  if (translate::host_vectors() < GetParam()) GTEST_SKIP() << "this host does not have such vectors";
  translate::Translator translator(GetParam());
  expect_every_vector([&](isa::Hart& hart, const isa::Block& block) {
    static translate::TraceHead head;  // where no trace begins
    int owner = 0;
    const translate::Vectors vectors{
        .any = true, .vl = hart.vl, .vtype = hart.vtype, .vlen_bits = hart.vlen_bits};
    const void* entry =
        translator.translate({.block = &block, .vectors = vectors, .key = {.owner = &owner}}, head);
    ASSERT_NE(entry, nullptr);
    isa::begin_floats(hart);
    const auto account = std::make_unique<translate::Account>();
    const translate::BlockTransition start_of_chain;
    translate::Chain chain{.last = &start_of_chain, .budget = 1000, .account = account.get()};
    translator.run(hart, chain, entry);
    isa::end_floats(hart);
  });
}

// Exit code of a program of ours in Python. Debian's numpy is for its own interpreter.
int python(const std::string& program, const std::string& argument) {
  return run(fmt::format("/usr/bin/python3 -B '{}/{}' '{}'", DOJO_SOURCE_DIR, program, argument));
}

TEST(MatrixVectors, TheNumpyModelReproducesEveryOne) {
  EXPECT_EQ(python("docs/matrix_model.py", vectors_file), 0);
}

TEST(MatrixVectors, TheNumpyModelSaysWhereItDiffers) {
  const TemporaryFolder folder("dojo-matrix-vectors");
  std::string text = read_text(vectors_file);
  const std::size_t place = text.find("\nD ") + 3;
  text[place] = text[place] == '0' ? '1' : '0';
  write_text(folder.path() / "changed.txt", text);
  EXPECT_EQ(python("docs/matrix_model.py", folder.path() / "changed.txt"), 1);
}

TEST(MatrixVectors, TheFileIsWhatItsGeneratorWrites) {
  const TemporaryFolder folder("dojo-matrix-vectors");
  ASSERT_EQ(python("tools/make_matrix_vectors.py", folder.path() / "vectors.txt"), 0);
  EXPECT_TRUE(read_text(folder.path() / "vectors.txt") == read_text(vectors_file))
      << "tools/make_matrix_vectors.py writes it again";
}

}  // namespace
}  // namespace dojo
