// Do stages arrive in the order of the work, is no text made for nobody, and is a folder of others left
// alone?
#include "base/stages.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"

namespace dojo {
namespace {

TEST(Stages, MakeNoTextWhereNobodyLooks) {
  bool made = false;
  StageSink{}.show("train", "lowered", "txt", [&] {
    made = true;
    return std::string();
  });
  EXPECT_FALSE(made);
}

TEST(Stages, ArriveAsTheyAreShown) {
  std::vector<std::string> seen;
  const StageSink sink([&](const Stage& stage) {
    seen.push_back(std::string(stage.of) + " " + std::string(stage.name) + ": " + stage.text);
  });
  sink.show("train", "formats", "txt", [] { return std::string("a"); });
  sink.show("predict", "formats", "txt", [] { return std::string("b"); });
  EXPECT_EQ(seen, (std::vector<std::string>{"train formats: a", "predict formats: b"}));
}

TEST(Stages, BecomeNumberedFiles) {
  const TemporaryFolder folder("stages-test");
  const std::filesystem::path inner = folder.path() / "a" / "b";
  const StageSink sink = stages_into(inner);
  for (int k = 1; k <= 10; ++k) sink.show("train", "pass", "txt", [&] { return std::to_string(k); });
  sink.show("load", "program", "cpp", [] { return std::string("int main() {}\n"); });
  EXPECT_EQ(read_text(inner / "01-train-pass.txt"), "1");
  EXPECT_EQ(read_text(inner / "10-train-pass.txt"), "10");
  EXPECT_EQ(read_text(inner / "11-load-program.cpp"), "int main() {}\n");
  EXPECT_THROW(stages_into(inner), UserError) << "its files would mix with others";
  write_text(folder.path() / "file", "");
  EXPECT_THROW(stages_into(folder.path() / "file"), UserError);
}

}  // namespace
}  // namespace dojo
