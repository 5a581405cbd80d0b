// Do the variants of a machine go where its file says, and is what moves a figure found?
#include "machine/sensitivity.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"

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

// A copy of test6 with one text replaced.
Machine changed(const std::string& from, const std::string& to) {
  std::string text = read_text(std::filesystem::path(DOJO_SOURCE_DIR) / "machines/test6.toml");
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  const TemporaryFolder folder("dojo-sensitivity-test");
  const auto path = folder.path() / "ranged.toml";
  write_text(path, text);
  return read_machine(path.string());
}

std::string refusal(const std::string& from, const std::string& to) {
  try {
    changed(from, to);
  } catch (const UserError& error) {
    return error.what();
  }
  return {};
}

TEST(Sensitivity, DamagedRangesAreRefused) {
  EXPECT_NE(refusal("fast = 4, slow = 8", "fast = 4").find("a range without 'slow'"), std::string::npos);
  EXPECT_NE(refusal("fast = 4, slow = 8", "slow = 8").find("a range without 'fast'"), std::string::npos);
  EXPECT_NE(refusal("fast = 4, slow = 8", "fast = 6, slow = 8").find("outside its own range 6 to 8"),
            std::string::npos);
  EXPECT_NE(refusal("fast = 4, slow = 8", "fast = 4, slow = 8.5").find("whole number"), std::string::npos);
  EXPECT_NE(refusal("fast = 4, slow = 8", "fast = 0, slow = 8").find("outside 1 to 1000"), std::string::npos);
  EXPECT_NE(refusal("range = \"the reference", "ranges = \"the reference").find("unknown key 'ranges'"),
            std::string::npos);
  EXPECT_NE(refusal("disabled             = { value = []",
                    "disabled = { fast = 1, slow = 2, range = \"x\", value = []")
                .find("a list, which has no range"),
            std::string::npos);
  // What is impossible together is so at the ends of a range, too: two ports of 16 B.
  EXPECT_NE(refusal("port_bytes           = { value = 64,", "port_bytes           = { value = 16,")
                .find("exceeds what the load ports deliver"),
            std::string::npos);
}

TEST(Sensitivity, AMachineWithoutRangesIsRefused) {
  Machine machine = read_machine("test6");
  for (Parameter& parameter : machine.parameters) parameter.plausible.reset();
  EXPECT_THROW(plausible_variants(machine), UserError);
}

}  // namespace
}  // namespace dojo::machine
