// Does `dojo explain` say of every op what the compiler made of it, and of what does not fit what would?
#include "support/json.h"
#include "support/pattern.h"
#include "training_command.h"

namespace dojo {
namespace {

class Explain : public TrainingCommand {
protected:
  Said explain(const std::string& more) { return dojo("{} explain good.onnx --json said.json " + more); }
  Json said() const { return Json::parse(read_text(folder_ / "said.json")); }

  // Of the op of that name.
  Json op(const std::string& name) const {
    for (const Json& op : said().at("ops").elements())
      if (op.at("name") == name) return op;
    ADD_FAILURE() << "no op " << name << " in " << said();
    return said();
  }
};

TEST_F(Explain, SaysOfEveryOpHowItIsSharedAndWhatItTakes) {
  const Said told = explain("--machine test6 --batch 12 --formats bf16");
  ASSERT_EQ(told.exit_code, 0) << told.errors;
  const Json all = said();
  EXPECT_EQ(all.at("program"), "forward pass");
  EXPECT_EQ(all.at("spread"), "samples");
  EXPECT_EQ(all.at("samples_per_node"), 2);
  EXPECT_TRUE(all.at("attempts").empty());
  // 128 pixels, bent and multiplied by one weight each: two samples a node.
  const Json head = op("head");
  EXPECT_EQ(head.at("shared"), "samples");
  EXPECT_EQ(head.at("multiply_adds"), 2 * 128);
  EXPECT_EQ(head.at("box").dump(), R"([["m",2],["j",1],["k",128]])");
  EXPECT_NE(head.at("why").text().find("its own 2 of 12 samples"), std::string::npos) << head;
  double cycles = 0;
  for (const Json& op : all.at("ops").elements()) {
    EXPECT_FALSE(op.at("why").text().empty()) << op;
    EXPECT_GT(
        op.at("estimated_cycles").at("compute").number() + op.at("estimated_cycles").at("transfer").number(),
        0)
        << op;
    cycles +=
        op.at("estimated_cycles").at("compute").number() + op.at("estimated_cycles").at("transfer").number();
    EXPECT_NE(told.words.find("\n" + fmt::format("{:>4}", op.at("id").count()) + "  "), std::string::npos)
        << op;
  }
  EXPECT_DOUBLE_EQ(all.at("estimated_cycles").number(), cycles);
}

TEST_F(Explain, CountsTheBytesThatTrainingThenTakes) {
  ASSERT_EQ(explain("--machine test6 --batch 6 --formats bf16 --train mse").exit_code, 0);
  EXPECT_EQ(said().at("program"), "training step");
  std::size_t shards = 0, collectives = 0;
  for (const Json& op : said().at("ops").elements()) {
    shards += op.at("shared") == "shards" ? 1 : 0;
    collectives += op.at("shared") == "collective" && op.at("network_bytes").count() > 0 ? 1 : 0;
  }
  EXPECT_GT(shards, 0u) << "AdamW's arithmetic";
  EXPECT_GE(collectives, 2u) << "the weight, and its gradient";
  ASSERT_EQ(train("good", "--steps 2 --batch 6 --formats bf16").exit_code, 0);
  const Json plan = Json::parse(read_text(folder_ / "out/program/train.plan.json"));
  const Json sram = said().at("sram_bytes");
  EXPECT_EQ(sram.at("values"), plan.at("memory").at("peak_bytes"));
  EXPECT_EQ(sram.at("parameters"), plan.at("memory").at("persistent_bytes"));
  EXPECT_EQ(sram.at("program"), plan.at("memory").at("heap_start"));
}

TEST_F(Explain, TriesWhatWouldLetSamplesFitAndWhatItSaysIsSo) {
  write_model("good", network("Tanh", 64, 128, 1, "angle"));  // 32 KiB a picture in FP32
  const std::string small = machine_with("node.sram_bytes", "327680");
  const Said told = explain(small + " --batch 24");
  ASSERT_EQ(told.exit_code, 0) << told.errors;
  const Json all = said();
  EXPECT_EQ(all.at("spread"), "tiles");
  EXPECT_NE(all.at("not_samples").text().find("does not fit a node's SRAM"), std::string::npos) << all;
  EXPECT_NE(told.words.find("towards samples in SRAM, tried\n"), std::string::npos) << told.words;
  bool some = false;
  for (const Json& attempt : all.at("attempts").elements()) {
    ASSERT_EQ(explain(fmt::format("{} --batch {} --nodes {} --formats {}", small, attempt.at("batch").count(),
                                  attempt.at("nodes").count(), attempt.at("formats").text()))
                  .exit_code,
              0);
    const bool fits = attempt.at("fits").dump() == "true";
    EXPECT_EQ(said().at("spread"), fits ? "samples" : "tiles") << attempt;
    some |= fits;
  }
  EXPECT_TRUE(some) << all.at("attempts");
}

TEST_F(Explain, OfARefusedNetworkSaysWhy) {
  onnx::Model model = network("Tanh", 8, 16, 1, "angle");
  model.graph.nodes[0].op = "NonMaxSuppression";
  write_model("good", model);
  const Said told = explain("--machine test6");
  EXPECT_EQ(told.exit_code, 2);
  EXPECT_NE(told.last.find("dojo: good.onnx: op 'NonMaxSuppression' of node 'bend' (unsupported)"),
            std::string::npos)
      << told.errors;
  EXPECT_FALSE(fs::exists(folder_ / "said.json"));
}

// What is free is little more than the program: not even tiles fit for four pictures a node.
TEST_F(Explain, OfANetworkThatFitsInNoWaySaysWhatWould) {
  const std::string tiny = machine_with("node.sram_bytes", "73728");
  const Said told = explain(tiny + " --batch 24 --formats bf16");
  EXPECT_EQ(told.exit_code, 2);
  EXPECT_NE(told.last.find("does not fit a node's SRAM"), std::string::npos) << told.errors;
  EXPECT_NE(told.words.find("towards a network that fits, tried\n"), std::string::npos) << told.words;
  EXPECT_NE(told.words.find("a batch of 12 would do\n"), std::string::npos) << told.words;
  EXPECT_EQ(said().at("refused").text(), told.last.substr(std::string("dojo: ").size()));
  EXPECT_EQ(explain(tiny + " --batch 12 --formats bf16").exit_code, 0);
}

TEST_F(Explain, RefusesOptionsWithOneSentence) {
  for (const auto& [more, words] : std::vector<std::pair<std::string, std::string>>{
           {"--machine test6 --nodes 7", "--nodes: 7 is more than the 6 nodes of test6"},
           {"--machine test6 --train angel", "--train: 'angel' is none of mse"},
           {"--machine test6 --formats fp16", "fp16"},
           {"--machine test6 --batch 0", "--batch"}}) {
    const Said told = explain(more);
    EXPECT_EQ(told.exit_code, 2) << more;
    EXPECT_NE(told.last.find(words), std::string::npos) << told.errors;
  }
}

}  // namespace
}  // namespace dojo
