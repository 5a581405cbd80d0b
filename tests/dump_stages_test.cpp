// Does `dojo train --dump-stages` leave a file for every pass from the network to the programs, in their
// order?
#include <set>

#include "training_command.h"

namespace dojo {
namespace {

class DumpStages : public TrainingCommand {
protected:
  std::vector<std::string> names() const {
    std::set<std::string> sorted;
    for (const auto& entry : fs::directory_iterator(folder_ / "stages"))
      sorted.insert(entry.path().filename().string());
    return {sorted.begin(), sorted.end()};
  }
};

TEST_F(DumpStages, WritesAFileForEveryPass) {
  ASSERT_EQ(train("good", "--steps 1 --dump-stages stages").exit_code, 0);
  EXPECT_EQ(names(), (std::vector<std::string>{
                         "01-train-imported.txt",  "02-train-gradients.txt",  "03-train-optimizer.txt",
                         "04-train-fused.txt",     "05-predict-imported.txt", "06-predict-fused.txt",
                         "07-train-formats.txt",   "08-predict-formats.txt",  "09-train-lowered.txt",
                         "10-predict-lowered.txt", "11-train-kernels.txt",    "12-predict-kernels.txt",
                         "13-train-sram.txt",      "14-predict-sram.txt",     "15-train-source.cpp",
                         "16-predict-source.cpp",  "17-train-code.s",         "18-predict-code.s",
                         "19-train-plan.json",     "20-predict-plan.json"}));
  const auto says = [&](const char* file, const char* words) {
    return read_text(folder_ / "stages" / file).find(words) != std::string::npos;
  };
  EXPECT_FALSE(says("01-train-imported.txt", "gradient of"));
  EXPECT_TRUE(says("02-train-gradients.txt", "gradient of weight is "));
  EXPECT_FALSE(says("02-train-gradients.txt", "weight becomes "));
  EXPECT_TRUE(says("03-train-optimizer.txt", "weight becomes "));
  // What a run leaves are the last stages.
  EXPECT_EQ(read_text(folder_ / "stages/15-train-source.cpp"), read_text(folder_ / "out/program/train.cpp"));
  EXPECT_EQ(read_text(folder_ / "stages/20-predict-plan.json"),
            read_text(folder_ / "out/program/predict.plan.json"));
}

TEST_F(DumpStages, RefusesAFolderThatHoldsSomething) {
  fs::create_directory(folder_ / "stages");
  write_text(folder_ / "stages/mine.txt", "words");
  expect_refused(train("good", "--dump-stages stages"), {"stages", "is not empty"});
  EXPECT_EQ(names(), std::vector<std::string>{"mine.txt"});
}

}  // namespace
}  // namespace dojo
