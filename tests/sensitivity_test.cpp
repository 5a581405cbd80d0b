// dojo exec --sensitivity: do cycles move with the machine's latencies as closed forms say, and does the
// command report just that?
#include "machine/sensitivity.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>

#include "base/file.h"
#include "support/command_test.h"
#include "support/json.h"
#include "system/computer.h"
#include "system/guest_for_tests.h"

namespace dojo {
namespace {

namespace fs = std::filesystem;
using machine::Machine;

system::LaunchResult launch_on(const Machine& machine, const system::Program& program) {
  system::LaunchOptions options;
  options.host.threads = 1;
  system::Computer computer(machine, 1);
  const system::LaunchResult result = computer.launch(program, 0, 0, options);
  EXPECT_EQ(result.outcome, system::Outcome::finished);
  return result;
}

std::uint64_t cycles_on(const Machine& machine, const system::Program& program) {
  return launch_on(machine, program).cycles;
}

// `step` so many times, each depending on the one before.
system::Program chain(std::string_view before, std::string_view step, unsigned times) {
  return system::guest("alignas(64) static uint64_t word[64];",
                       fmt::format("word[0] = address(word); asm volatile(\"{}\\n.rept {}\\n{}\\n.endr\" : : "
                                   "\"r\"(word) : \"memory\", \"t0\", \"t1\", \"ft0\"); return 0;",
                                   before, times, step));
}

// A chain of n instructions takes n times what one takes, so two lengths tell that to the cycle.
TEST(Latencies, ChainsTakeTheSumOfTheirLatencies) {
  struct Case {
    const char *key, *before, *step;
    std::uint64_t more;  // cycles of a step beside the latency
  };
  for (const Case& c :
       {Case{"node.alu_cycles", "li t0, 3", "addi t0, t0, 1", 0},
        Case{"node.multiply_cycles", "li t0, 3", "mul t0, t0, t0", 0},
        Case{"node.divide_cycles", "li t0, 3\\nli t1, 1", "div t0, t0, t1", 0},
        Case{"node.sram_load_cycles", "mv t0, %0", "ld t0, 0(t0)", 0},
        Case{"node.scalar_float_cycles", "fmv.d.x ft0, zero", "fadd.d ft0, ft0, ft0", 0},
        Case{"node.simd_cycles", "vsetivli zero, 16, e32, m1, ta, ma", "vadd.vv v8, v8, v8", 0},
        Case{"node.branch_taken_cycles", "nop", "j 1f\\nnop\\n1:", 1}}) {
    const system::Program once = chain(c.before, c.step, 100), twice = chain(c.before, c.step, 200);
    unsigned tried = 0;
    for (const machine::Variant& variant : machine::plausible_variants(machine::read_machine("d1"))) {
      if (variant.key != c.key && variant.name != "as the file says") continue;
      const auto& parameters = variant.machine.parameters;
      const auto parameter = std::ranges::find(parameters, c.key, &machine::Parameter::key);
      ASSERT_NE(parameter, parameters.end()) << c.key;
      EXPECT_EQ(cycles_on(variant.machine, twice) - cycles_on(variant.machine, once),
                100 * (std::stoull(parameter->value) + c.more))
          << variant.name << " " << c.key;
      ++tried;
    }
    EXPECT_GE(tried, 2u) << c.key;
  }
}

// A group of eight registers takes the SIMD pipe for eight cycles, an 8 x 8 step in FP64 for as many.
TEST(Latencies, SimdUtilisationCountsTheCyclesThatThePipeIsTaken) {
  const auto busy = [](std::string_view instructions) {
    const auto program = system::guest(
        "", fmt::format("asm volatile(\"{}\" ::: \"memory\", \"t0\"); return 0;", instructions));
    return launch_on(machine::read_machine("d1"), program).ledger.total("nodes", "simd.busy_cycles");
  };
  EXPECT_EQ(busy("nop"), 0u);
  EXPECT_EQ(busy("li t0, 128\\nvsetvli zero, t0, e32, m8, ta, ma\\n.rept 100\\nvadd.vv v8, v8, v8\\n.endr"),
            800u);
  // sf.vsettnt zero, t0, e64, w1; sf.vsettm zero, t0; sf.vsettk zero, t0; sf.mm.f.f mt2, v8, v16
  EXPECT_EQ(busy("li t0, 8\\n.word 0x2182f057\\n.word 0x8412f057\\n.word 0x8422f057\\n.word 0xf2881277"), 8u);
}

constexpr std::string_view kernel_globals = R"(
  alignas(64) static float x[512], y[512];
  static uint64_t table[64];
)";
// saxpy, a reduction, table look-ups, and a loop of integers with branches that depend on data.
constexpr std::string_view kernel = R"(
  for (int i = 0; i < 512; ++i) x[i] = (float)i, y[i] = 1;
  asm volatile("" ::: "memory");
  for (int i = 0; i < 512; ++i) y[i] = 3 * x[i] + y[i];
  float sum = 0;
  for (int i = 0; i < 512; i += 3) sum += y[i] / (x[i] + 1);
  uint64_t state = 88172645463325252u;
  for (int i = 0; i < 200; ++i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    if (state & 1) table[state >> 58] += state % 10007;
  }
  return (table[5] + (uint64_t)sum) & 63;
)";

// One thread passes in order, so what is faster ends no later; what is known to break this stands below.
TEST(Latencies, OrdinaryKernelsNeverGainFromSlowerParts) {
  const system::Program program = system::guest(kernel_globals, kernel, "-O3");
  std::map<std::string, std::uint64_t> cycles;
  for (const machine::Variant& variant : machine::plausible_variants(machine::read_machine("d1")))
    cycles[variant.name] = cycles_on(variant.machine, program);
  for (const auto& parameter : machine::read_machine("d1").parameters) {
    if (!parameter.plausible) continue;
    const auto at = [&](double value) {
      const auto found = cycles.find(fmt::format("{} = {}", parameter.key, value));
      return found == cycles.end() ? cycles.at("as the file says") : found->second;
    };
    EXPECT_LE(at(parameter.plausible->fast), cycles.at("as the file says")) << parameter.key;
    EXPECT_LE(cycles.at("as the file says"), at(parameter.plausible->slow)) << parameter.key;
    EXPECT_LE(cycles.at("everything fast"), at(parameter.plausible->fast)) << parameter.key;
    EXPECT_LE(at(parameter.plausible->slow), cycles.at("everything slow")) << parameter.key;
  }
  EXPECT_LT(cycles.at("everything fast"), cycles.at("as the file says"));
  EXPECT_LT(cycles.at("as the file says"), cycles.at("everything slow"));
}

// A reader begins late enough not to overtake its writer (docs/notes/005), so a slower divider begins
// earlier, and with it the load that waits behind it in the queue: 8 cycles a turn instead of 9. Ranges are
// therefore taken over all variants and not read off the corners.
TEST(Latencies, ASlowerDividerMaySaveCycles) {
  const auto program = system::guest("alignas(64) static char bytes[512];", R"(
    asm volatile("vsetivli zero, 4, e64, m8, ta, ma\n"
                 ".rept 50\nvl8re64.v v8, (%0)\nvdivu.vv v24, v8, v8\n"
                 "vl8re64.v v16, (%0)\nvdivu.vv v24, v16, v16\n.endr" : : "r"(bytes) : "memory");
    return 0;
  )");
  Machine machine = machine::read_machine("d1");
  const std::uint64_t fast = cycles_on(machine, program);
  machine = machine::with_parameter(machine, "node.simd_divide_cycles_per_element", 2);
  const std::uint64_t slow = cycles_on(machine, program);
  EXPECT_LT(slow + 80, fast);
}

class SensitivityTool : public CommandTest {
protected:
  Json json(const std::string& arguments, const std::string& feeder = "true") const {
    return Json::parse(dojo(arguments + " --json", feeder).words);
  }
};

TEST_F(SensitivityTool, ReportsTheRangeAroundWhatTheFileSays) {
  const std::string path = program(kernel_globals, kernel, "-O3");
  const Json plain = json("exec " + path), wide = json("exec --sensitivity " + path);
  EXPECT_FALSE(plain.contains("sensitivity"));
  for (const auto& [key, value] : plain.items()) EXPECT_EQ(wide.at(key), value) << key;

  const Json found = wide.at("sensitivity");
  const auto variants = machine::plausible_variants(machine::read_machine("d1"));
  EXPECT_EQ(found.at("runs"), variants.size());
  for (const char* figure : {"cycles", "instructions_per_cycle", "matrix_utilisation", "simd_utilisation"}) {
    const Json range = found.at("ranges").at(figure);
    EXPECT_LE(range.at("low"), range.at("baseline")) << figure;
    EXPECT_LE(range.at("baseline"), range.at("high")) << figure;
  }
  EXPECT_EQ(found.at("ranges").at("cycles").at("baseline"), plain.at("cycles"));
  EXPECT_EQ(found.at("ranges").at("instructions_per_cycle").at("baseline"),
            plain.at("instructions_per_cycle"));
  EXPECT_GT(found.at("ranges").at("simd_utilisation").at("baseline"), 0);
  EXPECT_EQ(found.at("ranges").at("matrix_utilisation").at("high"), 0);
  EXPECT_TRUE(found.at("depends_on_timing").empty());

  // What it says of a parameter is what a machine with that value takes.
  const Json most = found.at("parameters").at(0);
  const Machine slowest =
      machine::with_parameter(machine::read_machine("d1"), most.at("key").text(), most.at("slow").number());
  EXPECT_EQ(most.at("cycles_at_slow"), cycles_on(slowest, system::Program::read(path)));

  EXPECT_EQ(dojo("exec --sensitivity --json --threads 1 " + path).words,
            dojo("exec --sensitivity --json --threads 3 " + path).words);
  const Said said = dojo("exec --sensitivity " + path);
  const std::string& text = said.words;
  EXPECT_EQ(said.exit_code, plain.at("exit_code"));
  for (const std::string_view word :
       {"over what is plausible", "SIMD pipe", "fewest cycles with ", " with everything slow",
        "node.simd_cycles", "without effect: ", "node.matrix_cycles"})
    EXPECT_NE(text.find(word), std::string::npos) << word << " in\n" << text;
  EXPECT_EQ(text.find("depends on timing"), std::string::npos) << text;
}

// Every run sees the whole input, though it can be read only once.
TEST_F(SensitivityTool, PlaysTheSameInputToEveryRun) {
  const std::string path = program("static char text[4096];", R"(
    uint64_t sum = 0;
    for (int64_t got; (got = (int64_t)system_call(63, 0, address(text), 7)) > 0;)
      for (int64_t i = 0; i < got; ++i) sum += (unsigned char)text[i];
    return sum % 251;
  )");
  const auto sum_of_digits = [] {
    unsigned sum = 0;
    for (int i = 0; i < 300; ++i)
      for (const char c : fmt::format("{}\n", i)) sum += static_cast<unsigned char>(c);
    return sum % 251;
  };
  const Json found = json("exec --sensitivity " + path, "seq 0 299");
  EXPECT_EQ(found.at("exit_code"), sum_of_digits());
  EXPECT_TRUE(found.at("sensitivity").at("depends_on_timing").empty()) << found.at("sensitivity").dump();
}

TEST_F(SensitivityTool, SaysWhatDependsOnTiming) {
  const std::string path = program("", R"(
    uint64_t before, after;
    asm volatile("csrr %0, cycle\n.rept 16\nmul t0, t0, t0\n.endr\ncsrr %1, cycle"
                 : "=r"(before), "=r"(after) : : "t0");
    return after - before;
  )");
  const Said said = dojo("exec --sensitivity " + path);
  const std::string& text = said.words;
  EXPECT_GE(said.exit_code, 16 * 3 - 2);
  EXPECT_NE(text.find("the program's exit code depends on timing: it differs with node.alu_cycles"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("output depends"), std::string::npos) << text;
  const Json clauses = json("exec --sensitivity " + path).at("sensitivity").at("depends_on_timing");
  ASSERT_EQ(clauses.size(), 1u) << clauses.dump();
}

TEST_F(SensitivityTool, TakesTheFabricAlong) {
  const std::string path = program("alignas(64) static volatile uint64_t full; static char bytes[65536];", R"(
    const uint64_t next = (csr_node() + 1) % csr_nodes();
    dojo_put(address(&full), at(next, bytes), address(bytes), sizeof bytes);
    dojo_wait(address(&full), 1);
    return 0;
  )");
  const Json found = json("exec --sensitivity --nodes 12 " + path).at("sensitivity");
  for (const Json& parameter : found.at("parameters").elements())
    if (parameter.at("key") == "mesh.link_bytes_per_cycle") {
      EXPECT_LE(parameter.at("cycles_at_fast"), parameter.at("cycles_at_slow"));
      EXPECT_EQ(parameter.at("cycles_at_slow"), found.at("ranges").at("cycles").at("baseline"));
    }
  EXPECT_TRUE(found.at("depends_on_timing").empty());
}

TEST_F(SensitivityTool, RefusesWhatItCannotVary) {
  const std::string path = program("", "return 0;");
  for (const char* other : {"--no-timing", "--gdb 0", "--trace trace.log", "--quiet"})
    EXPECT_EQ(dojo(fmt::format("exec --sensitivity {} {}", other, path)).exit_code, 2) << other;
  // A guest that traps says so, once, and is not run again.
  const Said said = dojo("exec --sensitivity " + program("", "*(volatile uint64_t*)16 = 1; return 0;"));
  EXPECT_EQ(said.exit_code, 3);
  EXPECT_EQ(said.words.find("over what is plausible"), std::string::npos) << said.words;
}

}  // namespace
}  // namespace dojo
