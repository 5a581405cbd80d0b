// The tables and pictures that `dojo train` leaves: do they say what the run did, and are they ever of
// another run than the one in the folder?
#include <cmath>
#include <iterator>
#include <set>

#include "training/history.h"
#include "training/run_folder.h"
#include "training_command.h"

namespace dojo {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++found;
  return found;
}

class RunFiles : public TrainingCommand {
protected:
  void SetUp() override {
    TrainingCommand::SetUp();
    write_tub(folder_ / "drive", 70);
  }

  std::string file(const std::string& name) const { return read_text(folder_ / name); }
  bool is_there(const std::string& name) const { return fs::exists(folder_ / name); }

  // Ends a run that start() began, with a signal.
  static int end(pid_t child, int signal) {
    kill(child, signal);
    int status = 0;
    waitpid(child, &status, 0);
    return status;
  }
};

TEST_F(RunFiles, PicturesShowWhatTheTablesSay) {
  ASSERT_EQ(train("good", "--data drive --epochs 3").exit_code, 0);
  const std::string loss = file("out/loss.svg"), predictions = file("out/predictions.svg");
  const training::HistoryTable history = training::read_history(folder_ / "out/history.csv");
  std::size_t validations = 0;
  for (const auto& row : history.rows) {
    if (std::isnan(row[7])) continue;
    ++validations;
    EXPECT_EQ(count(loss, fmt::format("<title>step {}, epoch {}: R2 {:.4f}, RMSE {:.4f}</title>", row[0],
                                      row[1], row[7], row[8])),
              1u)
        << loss;
  }
  EXPECT_EQ(validations, 3u);
  const std::string table = file("out/predictions.csv");
  EXPECT_EQ(count(predictions, "<circle "), count(table, "\n"));  // the head line's is the legend's
  const std::string report = file("out/report.txt");
  const std::size_t r2 = report.find("R2 ");
  EXPECT_NE(predictions.find(report.substr(r2, 9)), std::string::npos) << predictions;
}

// Nothing in them depends on the day, and nothing on whether the run was cut.
TEST_F(RunFiles, AreTheSameAfterAnInterruption) {
  const std::string data = fmt::format("--data {} --steps 400", (folder_ / "drive").string());
  ASSERT_EQ(train("good", data + " --out whole").exit_code, 0);
  const int status = stopped("good", data, SIGINT, [&] { return has_said("step 1/"); });
  ASSERT_TRUE(WIFEXITED(status));
  ASSERT_EQ(WEXITSTATUS(status), 130);
  EXPECT_TRUE(is_there("out/loss.svg"));
  EXPECT_FALSE(is_there("out/predictions.csv"));
  EXPECT_FALSE(is_there("out/predictions.svg"));
  ASSERT_EQ(dojo("{} train --resume out").exit_code, 0);
  for (const char* name : {"loss.svg", "predictions.svg", "predictions.csv"})
    EXPECT_EQ(file(std::string("out/") + name), file(std::string("whole/") + name)) << name;
}

TEST_F(RunFiles, OfAnEarlierRunGoBeforeANewOneBegins) {
  ASSERT_EQ(train("good", "--steps 4").exit_code, 0);
  std::set<std::string> there, listed{std::string(training::program_folder)};
  for (const auto& entry : fs::directory_iterator(folder_ / "out")) there.insert(entry.path().filename());
  const std::string words = file("words"), list = words.substr(words.find("written: out/{"));
  for (const training::RunFile& each : training::run_files) {
    listed.emplace(each.name);
    EXPECT_NE(list.find(each.name), std::string::npos) << each.name << " in " << list;
  }
  EXPECT_EQ(there, listed);
  const pid_t child = start("good", "--steps 30000");
  expect_said_while(child, "step 1/");
  end(child, SIGKILL);
  for (const training::RunFile& each : training::run_files)
    EXPECT_FALSE(each.of_the_end && is_there(fmt::format("out/{}", each.name))) << each.name;
}

// A folder without a run in it: whatever has a run's name there, somebody else made.
TEST_F(RunFiles, OfNoRunStayAsTheyAre) {
  for (const char* name :
       {"program/mine.c", "report.txt", "best.onnx", "history.csv", "predictions.csv", "trained.onnx"}) {
    const fs::path mine = folder_ / "mine" / name;
    fs::create_directories(mine.parent_path());
    write_text(mine, "mine");
    for (const char* more : {"--steps 2 --out mine", "--steps 2 --out mine --check"}) {
      const std::string place = std::string("mine/") + (mine.filename() == "mine.c" ? "program" : name);
      expect_refused(train("good", more), {place + ": would be replaced, but is no run's", "--out"});
      EXPECT_EQ(read_text(mine), "mine");
      EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "mine"), {}), 1);
    }
    fs::remove_all(folder_ / "mine");
  }
  fs::create_directories(folder_ / "mine");
  write_text(folder_ / "mine/notes.txt", "mine");
  EXPECT_EQ(train("good", "--steps 2 --out mine").exit_code, 0);
  EXPECT_TRUE(is_there("mine/report.txt"));
  EXPECT_EQ(file("mine/notes.txt"), "mine");
}

TEST_F(RunFiles, OfOthersAmongThemStay) {
  ASSERT_EQ(train("good", "--steps 2").exit_code, 0);
  const std::string source = file("out/program/train.cpp");
  write_text(folder_ / "out/program/mine.c", "mine");
  write_text(folder_ / "out/program/train.cpp", "of the earlier run");
  fs::create_directories(folder_ / "out/program.partial");
  write_text(folder_ / "out/program.partial/mine.c", "mine");
  ASSERT_EQ(train("good", "--steps 2").exit_code, 0);
  EXPECT_EQ(file("out/program/mine.c"), "mine");
  EXPECT_EQ(file("out/program.partial/mine.c"), "mine");
  EXPECT_EQ(file("out/program/train.cpp"), source);
  EXPECT_FALSE(is_there("out/program.partial/train.cpp"));
}

// What a run is about to remove cannot be what it begins with.
TEST_F(RunFiles, OfAnEarlierRunAreNoNetworkForTheSameFolder) {
  ASSERT_EQ(train("good", "--steps 2 --out run").exit_code, 0);
  const std::string trained = file("run/trained.onnx");
  fs::create_symlink("run/trained.onnx", folder_ / "linked.onnx");
  for (const char* model : {"run/trained", "linked"})
    for (const char* more :
         {"--steps 2 --out run", "--steps 2 --out ./run --check", "--resume run --out run"})
      expect_refused(train(model, more),
                     {fmt::format("{}.onnx: would be removed", model), "another folder (--out)"});
  EXPECT_EQ(file("run/trained.onnx"), trained);
  EXPECT_TRUE(is_there("run/checkpoint.dojo"));
  EXPECT_EQ(train("run/trained", "--steps 2 --out other").exit_code, 0);
}

TEST_F(RunFiles, NeverLieAmongRecordings) {
  fs::create_symlink("tub", folder_ / "linked");
  const std::string catalog = file("tub/catalog_0.catalog");
  for (const char* place : {"tub", "./tub/", "linked", "tub/images"}) {
    for (const std::string more : {"", " --check"})
      expect_refused(train("good", fmt::format("--steps 2 --out {}{}", place, more)),
                     {place, "holds a Donkeycar 4 or 5 tub"});
    for (const char* command : {"prepare good.onnx", "predict good.onnx --machine test6"})
      expect_refused(dojo(fmt::format("{{}} {} --data tub --out {}", command, place)),
                     {place, "holds a Donkeycar 4 or 5 tub"});
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "tub"), {}), 3);
  EXPECT_EQ(file("tub/catalog_0.catalog"), catalog);
}

TEST_F(RunFiles, ShowHowARunWentWrong) {
  ASSERT_EQ(train("good", "--steps 400 --optimizer sgd --lr 1e6 --formats fp32").exit_code, 3);
  EXPECT_TRUE(is_there("out/loss.svg"));
  EXPECT_FALSE(is_there("out/predictions.svg"));
}

}  // namespace
}  // namespace dojo
