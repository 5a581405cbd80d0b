// Do the variants of a machine go where its file says, and is what moves a figure found?
#include "machine/sensitivity.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "machine/variant_for_tests.h"

namespace dojo::machine {
namespace {

template <typename Figure>
std::vector<double> figures_of(const std::vector<Variant>& variants, Figure figure) {
  std::vector<double> figures;
  for (const Variant& variant : variants) figures.push_back(figure(variant.machine));
  return figures;
}

double number(std::uint64_t whole) { return static_cast<double>(whole); }

TEST(Sensitivity, EveryGuessedLatencyHasARange) {
  for (const char* name : {"d1", "test6"}) {
    const Machine machine = read_machine(name);
    for (const Parameter& p : machine.parameters) {
      const bool latency = p.key.ends_with("_cycles") || p.key.ends_with("_cycles_per_element");
      if (latency && (p.origin == "U" || p.origin == "I")) {
        EXPECT_TRUE(p.plausible.has_value()) << name << " " << p.key;
      }
    }
  }
}

// Reference, U4 and U6, and design decision 1: what has to be varied at least.
TEST(Sensitivity, D1GoesOverTheReferencesRanges) {
  std::set<std::string> names;
  for (const Variant& variant : plausible_variants(read_machine("d1"))) names.insert(variant.name);
  for (const char* name :
       {"node.sram_load_cycles = 4", "node.sram_load_cycles = 8", "interface.hbm_latency_ns = 150",
        "interface.hbm_latency_ns = 400", "mesh.link_bytes_per_cycle = 256", "node.matrix_operand_bytes = 64",
        "everything fast", "everything slow"})
    EXPECT_TRUE(names.contains(name)) << name;
  EXPECT_FALSE(names.contains("mesh.link_bytes_per_cycle = 64")) << "that is the baseline";
}

TEST(Sensitivity, AVariantDiffersInOneNumberOnly) {
  const Machine d1 = read_machine("d1");
  const auto variants = plausible_variants(d1);
  EXPECT_EQ(variants[0].machine.parameters.size(), d1.parameters.size());
  for (std::size_t i = 0; i < variants.size(); ++i) {
    std::size_t different = 0;
    for (std::size_t p = 0; p < d1.parameters.size(); ++p)
      different += variants[i].machine.parameters[p].value != d1.parameters[p].value;
    const bool all = i + 2 >= variants.size();
    EXPECT_EQ(different == 1, i != 0 && !all) << variants[i].name;
    EXPECT_EQ(different == 0, i == 0) << variants[i].name;
  }
  const Machine& fast = variants[variants.size() - 2].machine;
  const Machine& slow = variants.back().machine;
  EXPECT_EQ(fast.node.sram_load_cycles, 4u);
  EXPECT_EQ(fast.mesh.link_bytes_per_cycle, 256u);
  EXPECT_EQ(fast.node.vector_queue, 32u);
  EXPECT_EQ(slow.node.sram_load_cycles, 8u);
  EXPECT_EQ(slow.mesh.link_bytes_per_cycle, 64u);
  EXPECT_EQ(slow.interface.hbm_latency_ns, 400.0);
}

TEST(Sensitivity, RangesAndInfluencesFollowFromTheFigures) {
  const auto variants = plausible_variants(read_machine("d1"));
  const auto figures = figures_of(variants, [](const Machine& machine) {
    return 1000 + 10 * number(machine.node.sram_load_cycles) - number(machine.node.simd_cycles);
  });
  const FigureRange range = range_of(figures);
  EXPECT_EQ(range.baseline, 1000 + 10 * 5 - 4);
  EXPECT_EQ(range.low, 1000 + 10 * 4 - 4) << "slower SIMD makes this figure smaller, and no corner has that";
  EXPECT_EQ(range.high, 1000 + 10 * 8 - 4);
  EXPECT_EQ(variants[range.low_at].name, "node.sram_load_cycles = 4");

  const auto list = influences(variants, figures);
  ASSERT_GT(list.size(), 2u);
  EXPECT_EQ(list[0].key, "node.sram_load_cycles");
  EXPECT_EQ(list[0].at_fast, 1036);
  EXPECT_EQ(list[0].at_slow, 1076);
  EXPECT_EQ(list[1].key, "node.simd_cycles");
  EXPECT_EQ(list[1].spread(), 5);
  EXPECT_EQ(list[2].spread(), 0);
}

// Of test6 with another row.
std::string refusal(std::string_view key, std::string_view value) {
  try {
    read_machine("changed.toml", [&](std::string_view name, const std::string& from) {
      return from.empty() ? MachineText{"changed.toml", variant_text("test6", key, value)}
                          : find_machine(name, from);
    });
  } catch (const UserError& error) {
    return error.what();
  }
  return {};
}

TEST(Sensitivity, DamagedRangesAreRefused) {
  struct Damage {
    std::string_view key, value, refused_for;
  };
  for (const Damage& damage : {
           Damage{"node.simd_cycles", "5, fast = 4, range = 'x'", "a range without 'slow'"},
           Damage{"node.simd_cycles", "5, slow = 8, range = 'x'", "a range without 'fast'"},
           Damage{"node.simd_cycles", "5, range = 'x'", "a range without 'fast'"},
           Damage{"node.simd_cycles", "5, fast = 4, slow = 8", "missing key 'range'"},
           Damage{"node.simd_cycles", "5, fast = 6, slow = 8, range = 'x'",
                  "is 5, outside its own range 6 to 8"},
           Damage{"node.simd_cycles", "5, fast = 4, slow = 8.5, range = 'x'", "must be a whole number"},
           Damage{"node.simd_cycles", "5, fast = 0, slow = 8, range = 'x'", "is 0, outside 1 to 1000 cycles"},
           Damage{"node.simd_cycles", "5, fast = 4, slow = 8, ranges = 'x'", "unknown key 'ranges'"},
           Damage{"mesh.disabled", "[], fast = 1, slow = 2, range = 'x'", "a list, which has no range"},
           // What is impossible together is so at the ends of a range, too: two ports of 16 B.
           Damage{"node.port_bytes", "16", "exceeds what the load ports deliver"},
       })
    EXPECT_NE(refusal(damage.key, damage.value).find(damage.refused_for), std::string::npos)
        << damage.key << " = " << damage.value << ": " << refusal(damage.key, damage.value);
}

TEST(Sensitivity, AMachineWithoutRangesIsRefused) {
  Machine machine = read_machine("test6");
  for (Parameter& parameter : machine.parameters) parameter.plausible.reset();
  EXPECT_THROW(plausible_variants(machine), UserError);
}

}  // namespace
}  // namespace dojo::machine
