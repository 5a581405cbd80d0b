// Does the compiler show what every pass made, in the order of its passes, and does that hold what one knows
// of a small network?
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "codegen/compile.h"
#include "codegen/emit_parts.h"
#include "graph/fuse.h"
#include "lowering/sample_networks_for_tests.h"

namespace dojo::codegen {
namespace {

// 20 -> 16 -> 3 on two nodes, six samples on each.
struct CompiledMlp {
  std::vector<std::string> order;
  std::map<std::string, std::string> texts;
  CompiledNetwork network;

  const std::string& text(const std::string& stage) const { return texts.at(stage); }
  bool says(const std::string& stage, const std::string& words) const {
    return text(stage).find(words) != std::string::npos;
  }
};

const CompiledMlp& mlp() {
  static const CompiledMlp once = [] {
    CompiledMlp compiled;
    const graph::Graph step = lowering::sample::mlp(12);
    graph::Graph forward = step;
    forward.outputs.resize(1);
    forward.update.clear();
    forward.gradient.clear();
    graph::eliminate_dead_ops(forward);
    Options options;
    options.nodes = 2;
    options.stages = StageSink([&](const Stage& stage) {
      const std::string name = fmt::format("{} {}.{}", stage.of, stage.name, stage.ending);
      compiled.order.push_back(name);
      compiled.texts[name] = stage.text;
    });
    compiled.network = compile(step, forward, machine::read_machine("test6"), options);
    return compiled;
  }();
  return once;
}

TEST(Compile, shows_what_every_pass_made_of_both_programs) {
  std::vector<std::string> expected;
  for (const char* stage :
       {"formats.txt", "lowered.txt", "kernels.txt", "sram.txt", "source.cpp", "code.s", "plan.json"})
    for (const char* program : {"train ", "predict "}) expected.push_back(std::string(program) + stage);
  EXPECT_EQ(mlp().order, expected);
}

TEST(Compile, shows_the_programs_that_it_gives) {
  EXPECT_EQ(mlp().text("train source.cpp"), mlp().network.train.source);
  EXPECT_EQ(mlp().text("predict source.cpp"), mlp().network.predict.source);
  EXPECT_EQ(mlp().text("train plan.json"), mlp().network.train.plan);
  for (const char* symbol : {"<_start>:", "<main>:"})
    EXPECT_TRUE(mlp().says("train code.s", symbol)) << symbol;
}

// As one function, many steps take clang minutes.
TEST(Compile, keeps_many_steps_apart) {
  const auto are_apart = [](std::size_t steps) {
    return program_prologue(steps).find("#define DOJO_STEP [[gnu::noinline]] static\n") != std::string::npos;
  };
  EXPECT_FALSE(are_apart(150));
  EXPECT_TRUE(are_apart(151));
  EXPECT_TRUE(mlp().says("train source.cpp", "\nDOJO_STEP void op_"));
  EXPECT_FALSE(mlp().says("train source.cpp", "\nstatic void op_"));
}

TEST(Compile, shows_the_graph_with_its_formats) {
  EXPECT_TRUE(mlp().says("train formats.txt", "parameter first.w [16, 20] fp32\n"));
  EXPECT_TRUE(mlp().says("train formats.txt", "first.w becomes "));
  EXPECT_FALSE(mlp().says("predict formats.txt", "becomes"));
  // Sixteen elements a sample are not worth a narrow format; the weight that is gathered has one.
  EXPECT_TRUE(mlp().says("train formats.txt", "first.w.bf16[d0, d1] = first.w[d0, d1] in bf16\n"))
      << mlp().text("train formats.txt");
}

TEST(Compile, shows_the_kernels) {
  // 6 x 16 x 20 multiplications are too few for the matrix unit.
  EXPECT_TRUE(mlp().says("predict kernels.txt", " first: chain, 1920 multiply-adds\n"))
      << mlp().text("predict kernels.txt");
}

TEST(Compile, shows_what_lies_where_in_sram) {
  const std::string& text = mlp().text("train sram.txt");
  const auto head = fmt::format("mlp: {} bytes of scratch from 0x", mlp().network.train.scratch_bytes);
  EXPECT_TRUE(text.starts_with(head)) << text;
  std::uint64_t last = 0, parameters = 0;
  std::istringstream lines(text.substr(text.find('\n') + 1));
  for (std::string line; std::getline(lines, line);) {
    const std::uint64_t address = std::stoull(line.substr(2), nullptr, 16);
    EXPECT_GE(address, last) << line;
    last = address;
    if (line.find("always: first.w,") != std::string::npos) parameters += std::stoull(line.substr(9));
  }
  EXPECT_EQ(parameters, 16u * 20 / 2 * 4);  // half of the weight in FP32
  EXPECT_EQ(last, mlp().network.persistent.end) << "the stacks lie on top";
}

}  // namespace
}  // namespace dojo::codegen
