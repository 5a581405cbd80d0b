// Do transfers, arrays and the start of a program do what device/dojo.h promises?
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <span>
#include <vector>

#include "device_for_tests.h"
#include "numerics/convert.h"

namespace dojo::device_tests {
namespace {

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
}  // namespace dojo::device_tests
