// Does the device library compute, on the emulated nodes, exactly what device/dojo.h promises?
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "machine/machine.h"
#include "numerics/convert.h"
#include "system/computer.h"
#include "system/program.h"
#include "toolchain/toolchain.h"

namespace dojo {
namespace {

// Node programs and tests meet at fixed addresses of the persistent region.
constexpr std::uint64_t table_address = 0x20000, shared_begin = table_address, shared_end = 0x130000;

system::Program build(const std::string& name, const std::string& body) {
  const std::string text = "#include \"dojo.h\"\nusing namespace dojo;\n" + body;
  return system::Program::parse(toolchain::build_program({{name, text}}), name);
}

// Runs to the end without a trap; the nodes' exit code must be 0.
system::LaunchResult run(system::Computer& computer, const system::Program& program, bool timing = false) {
  system::LaunchOptions options;
  options.host.timing = timing;
  options.max_instructions = 2'000'000'000;
  system::LaunchResult result = computer.launch(program, shared_begin, shared_end, options);
  EXPECT_EQ(result.outcome, system::Outcome::finished);
  EXPECT_EQ(result.exit_code, 0);
  for (const system::Stranded& stranded : result.stranded)
    ADD_FAILURE() << "node " << stranded.node << ": " << stranded.reason << " at " << stranded.symbol << " "
                  << stranded.disassembly;
  return result;
}

template <typename T>
T* at(system::Computer& computer, unsigned node, std::uint64_t address) {
  return reinterpret_cast<T*>(computer.sram(node).data() + address);
}

// Floats that are ordinary for the most part, with zeros, infinities, subnormals and a NaN now and then.
float probe(Random& random) {
  switch (random.below(200)) {
    case 0:
      return std::bit_cast<float>(random.bits());
    case 1:
      return random.below(2) ? 0.0f : -0.0f;
    case 2:
      return std::bit_cast<float>(static_cast<std::uint32_t>(random.below(1 << 23)));
    case 3:
      return random.below(20) ? 1.0f : INFINITY;
    default:
      return static_cast<float>(random.normal());
  }
}

std::uint32_t canonical_bits(float value) {
  return std::isnan(value) ? 0x7fc00000u : std::bit_cast<std::uint32_t>(value);
}

// --- Matrix products

struct MatmulCase {
  std::uint64_t is_fp32, m, n, k, lda, ldb, ldc, accumulate, a, b, c, rows;
};

const char* const matmul_body = R"(
struct Case { uint64_t is_fp32, m, n, k, lda, ldb, ldc, accumulate, a, b, c, rows; };
int main() {
  const uint64_t* count = (const uint64_t*)0x20000;
  const Case* cases = (const Case*)(count + 1);
  for (uint64_t i = 0; i < *count; ++i) {
    const Case& it = cases[i];
    const int32_t* rows = (const int32_t*)it.rows;
    if (rows && it.is_fp32)
      matmul_listed((const float*)it.a, it.lda, (const float*)it.b, rows, (float*)it.c, it.ldc, it.m, it.n, it.k, it.accumulate);
    else if (rows)
      matmul_listed((const bf16*)it.a, it.lda, (const bf16*)it.b, rows, (float*)it.c, it.ldc, it.m, it.n, it.k, it.accumulate);
    else if (it.is_fp32)
      matmul((const float*)it.a, it.lda, (const float*)it.b, it.ldb, (float*)it.c, it.ldc, it.m, it.n, it.k, it.accumulate);
    else
      matmul((const bf16*)it.a, it.lda, (const bf16*)it.b, it.ldb, (float*)it.c, it.ldc, it.m, it.n, it.k, it.accumulate);
  }
  return 0;
}
)";

float element(system::Computer& computer, const MatmulCase& it, std::uint64_t base, std::uint64_t index) {
  if (it.is_fp32) return at<float>(computer, 0, base)[index];
  return numerics::bf16_to_float(at<std::uint16_t>(computer, 0, base)[index]);
}

std::uint64_t row_of_b(system::Computer& computer, const MatmulCase& it, std::uint64_t k) {
  return it.rows != 0 ? static_cast<std::uint64_t>(at<std::int32_t>(computer, 0, it.rows)[k]) : k * it.ldb;
}

// The definition: one fused multiply-add after the other. `before` holds c as it was.
void expect_product(system::Computer& computer, const MatmulCase& it, const std::vector<float>& before) {
  const float* c = at<float>(computer, 0, it.c);
  for (std::uint64_t i = 0; i < it.m; ++i) {
    for (std::uint64_t j = 0; j < it.ldc; ++j) {
      float sum = it.accumulate || j >= it.n ? before[i * it.ldc + j] : 0.0f;
      for (std::uint64_t k = 0; k < it.k && j < it.n; ++k)
        sum = std::fma(element(computer, it, it.a, k * it.lda + i),
                       element(computer, it, it.b, row_of_b(computer, it, k) + j), sum);
      ASSERT_EQ(canonical_bits(c[i * it.ldc + j]), canonical_bits(sum))
          << (it.is_fp32 ? "fp32 " : "bf16 ") << it.m << "x" << it.n << "x" << it.k << " accumulate "
          << it.accumulate << " at " << i << "," << j;
    }
  }
}

class Matmul : public testing::Test {
protected:
  Matmul() : computer_(machine::read_machine("d1"), 1), program_(build("matmul.cpp", matmul_body)) {
    for (std::uint64_t i = 0; i < operand_bytes / 4; ++i)
      at<float>(computer_, 0, fp32_operands)[i] = probe(random_);
    for (std::uint64_t i = 0; i < operand_bytes / 2; ++i)
      at<std::uint16_t>(computer_, 0, bf16_operands)[i] = numerics::float_to_bf16(probe(random_));
    for (std::uint64_t i = 0; i < max_listed; ++i)
      at<std::int32_t>(computer_, 0, row_lists)[i] = static_cast<std::int32_t>(random_.below(furthest_row));
  }

  // Adds a case; runs all when memory is full.
  void add(bool is_fp32, std::uint64_t m, std::uint64_t n, std::uint64_t k, bool accumulate) {
    MatmulCase it{
        is_fp32, m, n, k, m + random_.below(3), n + random_.below(3), n + random_.below(3), accumulate,
        0,       0, 0, 0};
    const std::uint64_t size = is_fp32 ? 4 : 2, base = is_fp32 ? fp32_operands : bf16_operands;
    ASSERT_LE(std::max(it.lda, it.ldb) * k * size, operand_bytes);
    it.a = base + size * random_.below((operand_bytes - it.lda * k * size) / size + 1);
    it.b = base + size * random_.below((operand_bytes - it.ldb * k * size) / size + 1);
    if (random_.below(2) == 1 && k < max_listed) {
      it.b = base;
      it.rows = row_lists + 4 * random_.below(max_listed - k);
      ASSERT_LE((furthest_row + n) * size, operand_bytes);
    }
    const std::uint64_t bytes = m * it.ldc * 4;
    if (next_ + bytes > shared_end || cases_.size() == max_cases) finish();
    it.c = next_;
    next_ += bytes;
    cases_.push_back(it);
  }

  void finish() {
    *at<std::uint64_t>(computer_, 0, table_address) = cases_.size();
    std::memcpy(at<char>(computer_, 0, table_address + 8), cases_.data(), cases_.size() * sizeof(MatmulCase));
    std::vector<std::vector<float>> before;
    for (const MatmulCase& it : cases_) {
      float* c = at<float>(computer_, 0, it.c);
      for (std::uint64_t i = 0; i < it.m * it.ldc; ++i) c[i] = probe(random_);
      before.emplace_back(c, c + it.m * it.ldc);
    }
    run(computer_, program_);
    for (std::size_t i = 0; i < cases_.size(); ++i) expect_product(computer_, cases_[i], before[i]);
    cases_.clear();
    next_ = results;
  }

  static constexpr std::uint64_t max_cases = 600, operand_bytes = 0x20000, max_listed = 256,
                                 furthest_row = 20000;
  static constexpr std::uint64_t row_lists = table_address + 0xf800, fp32_operands = table_address + 0x10000,
                                 bf16_operands = fp32_operands + operand_bytes,
                                 results = bf16_operands + operand_bytes;
  Random random_{3};
  system::Computer computer_;
  system::Program program_;
  std::vector<MatmulCase> cases_;
  std::uint64_t next_ = results;
};

TEST_F(Matmul, EveryShapeUpToTwoTilesAndABitIsExact) {
  for (const bool is_fp32 : {false, true})
    for (std::uint64_t m = 1; m <= 35; ++m)
      for (std::uint64_t n = 1; n <= 35; ++n) add(is_fp32, m, n, 1 + (m * 35 + n) % 9, (m + n) % 3 == 0);
  finish();
}

TEST_F(Matmul, EveryDepthIsExact) {
  for (const bool is_fp32 : {false, true})
    for (std::uint64_t k = 1; k <= 40; ++k)
      for (const std::uint64_t edge : {1, 5, 16, 20, 32}) add(is_fp32, edge, 21, k, k % 2 == 0);
  finish();
}

TEST_F(Matmul, LargerShapesAreExact) {
  for (const bool is_fp32 : {false, true}) {
    for (const bool accumulate : {false, true}) {
      add(is_fp32, 64, 64, 64, accumulate);
      add(is_fp32, 24, 75, 98, accumulate);
      add(is_fp32, 100, 1, 129, accumulate);
      add(is_fp32, 1, 300, 50, accumulate);
      add(is_fp32, 300, 3, 17, accumulate);
      add(is_fp32, 16, 150, 12, accumulate);  // four tiles in a row
      add(is_fp32, 9, 64, 31, accumulate);
      add(is_fp32, 150, 16, 12, accumulate);  // four in a column
      add(is_fp32, 36, 100, 7, accumulate);
      for (const std::uint64_t across : {33, 90, 97, 128, 130, 200}) add(is_fp32, 40, across, 21, accumulate);
      for (const std::uint64_t down : {48, 64, 90, 129}) add(is_fp32, down, 40, 22, accumulate);
    }
  }
  finish();
}

// --- Collectives

struct Shape {
  unsigned rows, columns;
  std::uint64_t chunk;  // elements
};

// The documented order: within a row from column c + 1 round to c, then within the column from row r + 1
// round to r.
std::vector<float> reduced(const Shape& shape, const std::vector<std::vector<float>>& partial) {
  const unsigned rows = shape.rows, columns = shape.columns;
  std::vector<float> total(partial[0].size());
  for (unsigned c = 0; c < columns; ++c) {
    for (unsigned r = 0; r < rows; ++r) {
      for (std::uint64_t i = (c * rows + r) * shape.chunk; i < (c * rows + r + 1) * shape.chunk; ++i) {
        float sum = 0;
        for (unsigned y = 1; y <= rows; ++y) {
          const unsigned row = (r + y) % rows;
          float row_sum = partial[row * columns + (c + 1) % columns][i];
          for (unsigned x = 2; x <= columns; ++x) row_sum += partial[row * columns + (c + x) % columns][i];
          sum = y == 1 ? row_sum : sum + row_sum;
        }
        total[i] = sum;
      }
    }
  }
  return total;
}

const char* const collective_body = R"(
struct Parameters { uint64_t rows, columns, chunk, rounds; };
int main() {
  const Parameters& p = *(const Parameters*)0x20000;
  const Mesh mesh{(unsigned)p.rows, (unsigned)p.columns};
  const size_t count = p.rows * p.columns * p.chunk;
  float* partial = (float*)0x20040;
  float* all = partial + count;
  float* gathered = all + count;
  float* staging = gathered + count;
  const unsigned r = my_pe() / mesh.columns, c = my_pe() % mesh.columns;
  const size_t own = (c * mesh.rows + r) * p.chunk;
  for (uint64_t round = 0; round < p.rounds; ++round) {
    copy(all, partial, count * sizeof(float));
    all_reduce(all, p.chunk, staging, mesh);
  }
  for (uint64_t round = 0; round < p.rounds; ++round) {
    fill(gathered, 0.0f, count);
    for (size_t i = 0; i < p.chunk; ++i) gathered[own + i] = (float)(my_pe() * 1000 + i + round);
    all_gather(gathered, p.chunk * sizeof(float), mesh);
    for (unsigned pe = 0; pe < n_pes(); ++pe) {
      const size_t place = (pe % mesh.columns * mesh.rows + pe / mesh.columns) * p.chunk;
      for (size_t i = 0; i < p.chunk; ++i)
        if (gathered[place + i] != (float)(pe * 1000 + i + round)) return 1;
    }
  }
  reduce_scatter(partial, p.chunk, staging, mesh);
  return 0;
}
)";

// Returns the cycles of the launch.
std::uint64_t check_collectives(const std::string& machine, const Shape& shape, std::uint64_t rounds,
                                bool timing = false) {
  const unsigned nodes = shape.rows * shape.columns;
  const std::uint64_t count = nodes * shape.chunk, data = table_address + 0x40;
  system::Computer computer(machine::read_machine(machine), nodes);
  EXPECT_EQ(computer.nodes(), nodes);
  static const system::Program program = build("collective.cpp", collective_body);
  Random random(nodes + shape.chunk);
  std::vector<std::vector<float>> partial(nodes);
  for (unsigned node = 0; node < nodes; ++node) {
    const std::array<std::uint64_t, 4> parameters{shape.rows, shape.columns, shape.chunk, rounds};
    std::memcpy(at<char>(computer, node, table_address), parameters.data(), sizeof parameters);
    for (std::uint64_t i = 0; i < count; ++i) partial[node].push_back(static_cast<float>(random.normal()));
    std::memcpy(at<char>(computer, node, data), partial[node].data(), count * 4);
  }
  const system::LaunchResult result = run(computer, program, timing);
  const std::vector<float> expected = reduced(shape, partial);
  for (unsigned node = 0; node < nodes; ++node) {
    const float* all = at<float>(computer, node, data + count * 4);
    EXPECT_EQ(std::memcmp(all, expected.data(), count * 4), 0) << "all_reduce at node " << node;
    const std::uint64_t own = (node % shape.columns * shape.rows + node / shape.columns) * shape.chunk;
    EXPECT_EQ(std::memcmp(at<float>(computer, node, data) + own, expected.data() + own, shape.chunk * 4), 0)
        << "reduce_scatter at node " << node;
  }
  return result.cycles;
}

TEST(Collectives, ASingleNodeKeepsItsValues) { check_collectives("d1", {1, 1, 5}, 3); }
TEST(Collectives, OneRowAndOneColumnReduceInRingOrder) {
  check_collectives("d1", {1, 5, 3}, 4);
  check_collectives("d1", {5, 1, 3}, 4);
  check_collectives("d1", {1, 2, 1}, 4);
  check_collectives("d1", {2, 1, 1}, 4);
}
TEST(Collectives, SixNodesReduceInRingOrder) {
  for (const std::uint64_t chunk : {1, 17, 300}) check_collectives("test6", {2, 3, chunk}, 3, true);
}
TEST(Collectives, ThousandsFollowEachOther) { check_collectives("test6", {3, 2, 2}, 3000); }
TEST(Collectives, AWholeDieReducesInRingOrder) { check_collectives("d1", {6, 59, 9}, 2); }

// Every node writes its round number to its neighbour between barriers: without one of them a node would see
// an old or a newer number.
TEST(Collectives, NobodyPassesABarrierBeforeAllHaveCome) {
  const system::Program program = build("barrier.cpp", R"(
uint64_t seen;
int main() {
  const unsigned pe = my_pe(), count = n_pes();
  for (uint64_t round = 1; round <= 20; ++round) {
    put((pe + count / 2) % count, &seen, &round, sizeof round);
    barrier_all();
    if (seen != round) return 1;
    barrier_all();
  }
  return 0;
}
)");
  for (const unsigned nodes : {1u, 2u, 7u, 64u, 354u}) {
    system::Computer computer(machine::read_machine("d1"), nodes);
    run(computer, program);
  }
}

// --- Transfers, arrays, words

TEST(Transfers, ReachHbmAndBack) {
  const system::Program program = build("hbm.cpp", R"(
Semaphore arrived;
int main() {
  static uint64_t values[4];
  get_signal(values, hbm(0, 64 * my_pe()), 32, &arrived);
  wait(&arrived, 1);
  for (uint64_t& value : values) value += my_pe() + 1;
  put_hbm(hbm(0, 4096 + 64 * my_pe()), values, 32);
  quiet();
  return 0;
}
)");
  system::Computer computer(machine::read_machine("test6"));
  std::vector<std::uint64_t> values(8 * computer.nodes());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = i * i;
  computer.write_hbm(0, 0, std::as_bytes(std::span(values)));
  run(computer, program);
  for (unsigned node = 0; node < computer.nodes(); ++node) {
    const std::vector<std::byte> bytes = computer.read_hbm(0, 4096 + 64 * node, 32);
    for (unsigned i = 0; i < 4; ++i) {
      std::uint64_t value = 0;
      std::memcpy(&value, bytes.data() + 8 * i, 8);
      EXPECT_EQ(value, values[8 * node + i] + node + 1);
    }
  }
}

TEST(Arrays, ConversionsAndCopiesEqualTheHosts) {
  constexpr std::uint64_t count = 1000, source = table_address, rounded = 0x30000, widened = 0x40000,
                          bytes = 0x50000, strided = 0x60000, moved = 0x70000;
  const system::Program program = build("arrays.cpp", R"(
int main() {
  const float* source = (const float*)0x20000;
  bf16* rounded = (bf16*)0x30000;
  to_bf16(rounded, source, 1000);
  to_float((float*)0x40000, rounded, 1000);
  to_float((float*)0x50000, (const uint8_t*)source, 1000);
  pack_row((float*)0x60000, 3, source, 2, 300);
  pack_row((float*)0x61000, 1, source + 299, -1, 300);
  pack_row((bf16*)0x62000, 1, (const bf16*)source, 7, 250);
  pack_row((uint8_t*)0x63000, 5, (const uint8_t*)source, 1, 700);
  char* moved = (char*)0x70000;
  copy(moved, source, 3000);
  __builtin_memmove(moved + 700, moved, 2000);
  __builtin_memmove(moved + 100, moved + 123, 1500);
  __builtin_memset(moved + 10, 0x5a, 77);
  if (__builtin_memcmp(moved, moved + 10, 100) >= 0 && ((unsigned char*)moved)[0] < 0x5a) return 1;
  return __builtin_memcmp(source, source, 4000);
}
)");
  system::Computer computer(machine::read_machine("d1"), 1);
  Random random(9);
  std::vector<float> values(count);
  for (float& value : values) value = random.below(3) ? probe(random) : std::bit_cast<float>(random.bits());
  std::memcpy(at<char>(computer, 0, source), values.data(), count * 4);
  run(computer, program);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint16_t code = numerics::float_to_bf16(values[i]);
    ASSERT_EQ(at<std::uint16_t>(computer, 0, rounded)[i], code) << values[i];
    ASSERT_EQ(at<std::uint32_t>(computer, 0, widened)[i],
              std::bit_cast<std::uint32_t>(numerics::bf16_to_float(code)));
    ASSERT_EQ(at<float>(computer, 0, bytes)[i], static_cast<float>(at<std::uint8_t>(computer, 0, source)[i]));
  }
  const auto* words = at<std::uint32_t>(computer, 0, source);
  for (std::uint64_t i = 0; i < 300; ++i) {
    ASSERT_EQ(at<std::uint32_t>(computer, 0, strided)[3 * i], words[2 * i]);
    ASSERT_EQ(at<std::uint32_t>(computer, 0, strided + 0x1000)[i], words[299 - i]);
  }
  for (std::uint64_t i = 0; i < 250; ++i)
    ASSERT_EQ(at<std::uint16_t>(computer, 0, strided + 0x2000)[i],
              at<std::uint16_t>(computer, 0, source)[7 * i]);
  for (std::uint64_t i = 0; i < 700; ++i)
    ASSERT_EQ(at<std::uint8_t>(computer, 0, strided + 0x3000)[5 * i],
              at<std::uint8_t>(computer, 0, source)[i]);
  std::vector<char> expected(3000);
  std::memcpy(expected.data(), values.data(), 3000);
  std::memmove(expected.data() + 700, expected.data(), 2000);
  std::memmove(expected.data() + 100, expected.data() + 123, 1500);
  std::memset(expected.data() + 10, 0x5a, 77);
  EXPECT_EQ(std::memcmp(at<char>(computer, 0, moved), expected.data(), expected.size()), 0);
}

// Every code both ways, and floats around every rounding border.
TEST(Arrays, Cfloat8EqualsTheDefinition) {
  constexpr std::uint64_t count = 30'000, source = table_address, codes = 0x40000, widened = 0x60000;
  const system::Program program = build("cfloat8.cpp", R"(
#include "cfloat8.h"
template <typename Code> void convert(uint64_t codes, uint64_t widened) {
  to_cfloat8((Code*)codes, (const float*)0x20000, 30000);
  Code all[256];
  for (int i = 0; i < 256; ++i) all[i].code = (uint8_t)i;
  to_float((float*)widened, all, 256);
}
int main() {
  convert<cfloat8_143>(0x40000, 0x60000);
  convert<cfloat8_152>(0x48000, 0x61000);
  convert<Cfloat8<3, 0>>(0x50000, 0x62000);
  convert<Cfloat8<2, 63>>(0x58000, 0x63000);
  return 0;
}
)");
  system::Computer computer(machine::read_machine("d1"), 1);
  Random random(4);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto bits = static_cast<std::uint32_t>(random.bits());
    const std::array<std::uint32_t, 4> tails{0, 0x80000, 0x40000, bits & 0xfffff};
    at<std::uint32_t>(computer, 0, source)[i] = (bits & 0xfff00000) | tails[i % 4];
  }
  run(computer, program);
  const std::array formats{numerics::cfloat8_143(), numerics::cfloat8_152(), numerics::cfloat8_143(0),
                           numerics::cfloat8_152(63)};
  for (std::size_t f = 0; f < formats.size(); ++f) {
    for (std::uint64_t i = 0; i < count; ++i)
      ASSERT_EQ(at<std::uint8_t>(computer, 0, codes + f * 0x8000)[i],
                numerics::round(at<float>(computer, 0, source)[i], formats[f]).code)
          << at<float>(computer, 0, source)[i];
    for (std::uint32_t code = 0; code < 256; ++code)
      ASSERT_EQ(at<std::uint32_t>(computer, 0, widened + f * 0x1000)[code],
                std::bit_cast<std::uint32_t>(numerics::widen(code, formats[f])));
  }
}

// Counts that equal the descriptor: the two may not share a register.
TEST(Arrays, XdojosConvertsEqualTheDefinition) {
  constexpr std::uint64_t source = table_address;
  const system::Program program = build("converts.cpp", R"(
using namespace number_format;
int main() {
  const float* source = (const float*)0x20000;
  dojo_narrow8((void*)0x30000, source, cfloat8_152(), cfloat8_152());
  dojo_widen8((void*)0x31000, (void*)0x30000, cfloat8_152(), cfloat8_152());
  dojo_narrow16((void*)0x33000, source, number_format::bf16, number_format::bf16);
  dojo_widen16((void*)0x34000, (void*)0x33000, number_format::bf16, number_format::bf16);
  dojo_narrow8((void*)0x36000, source, 1001, cfloat8_143(9) | printed_denormals);
  dojo_narrow16((void*)0x37000, source, 1001, cfloat16_uhp);
  seed_rounding(2026, 30);
  dojo_narrow16((void*)0x38000, source, 1001, cfloat16_shp() | stochastic);
  return 0;
}
)");
  system::Computer computer(machine::read_machine("d1"), 1);
  Random random(8);
  for (std::uint64_t i = 0; i < 1024; ++i) at<float>(computer, 0, source)[i] = probe(random);
  run(computer, program);

  const auto expect_codes = [&]<typename Code>(Code, std::uint64_t codes, std::uint64_t count,
                                               const numerics::FormatSpec& spec, bool stochastic = false) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto rounding = stochastic ? numerics::Rounding::with(philox(2026, 30 + i / 4)[i % 4])
                                       : numerics::Rounding::nearest_even();
      const float value = at<float>(computer, 0, source)[i];
      ASSERT_EQ(at<Code>(computer, 0, codes)[i], numerics::round(value, spec, rounding).code)
          << value << " at " << i;
    }
    EXPECT_EQ(at<Code>(computer, 0, codes)[count], 0) << "one too many";
  };
  const auto expect_values = [&]<typename Code>(Code, std::uint64_t values, std::uint64_t codes,
                                                std::uint64_t count, const numerics::FormatSpec& spec) {
    for (std::uint64_t i = 0; i < count; ++i)
      ASSERT_EQ(canonical_bits(at<float>(computer, 0, values)[i]),
                canonical_bits(numerics::widen(at<Code>(computer, 0, codes)[i], spec)))
          << i;
  };
  numerics::FormatSpec printed = numerics::cfloat8_143(9);
  printed.denormals = numerics::Denormals::printed;
  const std::uint8_t byte{};
  const std::uint16_t half{};
  expect_codes(byte, 0x30000, 0x10f, numerics::cfloat8_152());
  expect_values(byte, 0x31000, 0x30000, 0x10f, numerics::cfloat8_152());
  expect_codes(half, 0x33000, 0x400, numerics::bf16);
  expect_values(half, 0x34000, 0x33000, 0x400, numerics::bf16);
  expect_codes(byte, 0x36000, 1001, printed);
  expect_codes(half, 0x37000, 1001, numerics::cfloat16_uhp());
  expect_codes(half, 0x38000, 1001, numerics::cfloat16_shp(), true);
}

TEST(Start, RunsConstructorsAndThreadsAndPrints) {
  const std::string text = R"(
#include "dojo.h"
using namespace dojo;
struct Constructed { uint64_t value; Constructed() : value(my_pe() + 41) {} } constructed;
Semaphore done;
extern "C" int dojo_thread_main(unsigned thread) {
  if (thread != my_thread()) return 1;
  signal(my_pe(), &done);
  return 0;
}
int main() {
  wait(&done, 2);
  print("node ");
  print(constructed.value);
  print("\n");
  return 0;
}
)";
  const system::Program program = system::Program::parse(
      toolchain::build_program({{"start.cpp", text}}, {.node_threads = 3}), "start.cpp");
  EXPECT_EQ(program.symbol("__dojo_threads", 0), 3u);
  EXPECT_EQ(program.symbol("__heap_start", 1) % 64, 0u);
  EXPECT_EQ(program.entry(), 0x1000u);
  system::Computer computer(machine::read_machine("test6"), 2);
  std::string words;
  system::LaunchOptions options;
  options.text_output = [&](std::string_view part) { words += part; };
  const system::LaunchResult result = computer.launch(program, shared_begin, shared_end, options);
  EXPECT_EQ(result.outcome, system::Outcome::finished);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(words, "node 41\nnode 42\n");
}

}  // namespace
}  // namespace dojo
