// Runs of `dojo train` that are cut and go on, as a user meets them: with what they go on, with what they
// don't, and what is in their folder then.
#include <sstream>

#include "training_command.h"

namespace dojo {
namespace {

class Resume : public TrainingCommand {};

TEST_F(Resume, GoesOnWithItsFewDrives) {
  const Said said = dojo("{} train good.onnx --machine test6 --drives 2 --steps 2 --out out");
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_NE(read_text(folder_ / "out/run.json").find("\"2 rendered drives of 50 frames, seed 1\""),
            std::string::npos);
  const Said more = dojo("{} train --resume out --steps 3");
  EXPECT_EQ(more.exit_code, 0) << more.errors;
  fs::rename(folder_ / "out", folder_ / "first");
  for (const char* other : {"--data tub", "--drives 3"})
    expect_refused(dojo(fmt::format("{{}} train --resume first --steps 3 {}", other)),
                   {"another run", "data"});
}

// Drives in place of the tub that the run was trained on.
TEST_F(Resume, RefusesDrivesForARunThatHadATub) {
  ASSERT_EQ(train("good", "--steps 2").exit_code, 0);
  fs::rename(folder_ / "out", folder_ / "first");
  expect_refused(dojo("{} train --resume first --steps 3 --drives 3"), {"another run", "data"});
  EXPECT_EQ(dojo("{} train --resume first --steps 3 --data tub").exit_code, 0);
}

TEST_F(Resume, RefusesCheckpointsThatAreDamagedOrOfAnotherRun) {
  ASSERT_EQ(train("good", "--steps 2").exit_code, 0);
  fs::rename(folder_ / "out", folder_ / "first");
  for (const std::string other :
       {"--seed 2", "--batch 7", "--nodes 5", "--lr 0.5 --epochs 3", "--steps 3 --schedule one-cycle",
        "--formats fp32 --steps 2", "--optimizer sgd --steps 2", "--no-timing --steps 2",
        "--initialise --steps 2"})
    expect_refused(train("good", other + " --resume first"), {"first/checkpoint.dojo", "another run"});
  onnx::Model other_label = network("Tanh", 8, 16, 1, "angle");
  other_label.metadata["opendojo.label.angle"] = "throttle";
  write_model("other_label", other_label);
  expect_refused(train("other_label", "--steps 2 --resume first"),
                 {"first/checkpoint.dojo", "its labels is [[\"angle\"]], this one's [[\"throttle\"]]"});
  expect_refused(train("good", "--steps 1 --resume first"), {"first/checkpoint.dojo", "step 2", "1 steps"});
  expect_refused(train("good", machine_with("mesh.hop_cycles", "2") + " --steps 2 --resume first"),
                 {"first/checkpoint.dojo", "machine_parameters"});

  const fs::path checkpoint = folder_ / "first/checkpoint.dojo";
  std::string bytes = read_text(checkpoint);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  write_text(checkpoint, bytes);
  expect_refused(train("good", "--steps 2 --resume first"), {"first/checkpoint.dojo", "damaged"});
  write_text(checkpoint, bytes.substr(0, 20));
  expect_refused(train("good", "--steps 2 --resume first"), {"first/checkpoint.dojo"});
}

TEST_F(Resume, NeedsNotSayTheRecipeAgain) {
  const std::string recipe = "--optimizer sgd --lr 0.001 --formats fp32 --batch 5 --seed 3";
  ASSERT_EQ(train("good", recipe + " --steps 5").exit_code, 0);
  const std::string weights = weights_of("out");
  // As it stands, from another folder, and by the model alone.
  const Said again = dojo("cd tub && {} train --resume ../out");
  EXPECT_EQ(again.exit_code, 0) << again.errors;
  EXPECT_EQ(weights_of("out"), weights);
  const Said longer = dojo("{} train good.onnx --resume out --steps 8");
  EXPECT_EQ(longer.exit_code, 0) << longer.errors;
  EXPECT_NE(longer.errors.find("meant to have 5 steps"), std::string::npos) << longer.errors;
  EXPECT_NE(weights_of("out"), weights);
  const std::string history = read_text(folder_ / "out/history.csv");
  EXPECT_EQ(std::ranges::count(history, '\n'), 9) << history;
}

TEST_F(Resume, RefusesASecondRunInAFolderWhileTheFirstLives) {
  const pid_t child = start("good", "--steps 30000");
  expect_said_while(child, "step 1/");
  const std::string line =
      fmt::format("cd {} && {} >/dev/null 2>second", folder_.string(), train_command("good", "--steps 1"));
  EXPECT_EQ(WEXITSTATUS(std::system(line.c_str())), 2);
  EXPECT_NE(read_text(folder_ / "second").find("out: is being written by another run"), std::string::npos);
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(train("good", "--steps 1").exit_code, 0);
}

// Killed with rows behind the checkpoint: gone on, every step has one row, and the weights are those of a
// whole run.
TEST_F(Resume, AfterAKillHistoryHasEachStepOnce) {
  ASSERT_EQ(train("good", "--steps 120").exit_code, 0);
  const std::string weights = weights_of("out");
  const int status = stopped("good", "--steps 120", SIGKILL, [&] {
    return fs::exists(folder_ / "out/checkpoint.dojo") && fs::exists(folder_ / "out/history.csv") &&
           std::ranges::count(read_text(folder_ / "out/history.csv"), '\n') > 7;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_TRUE(fs::exists(folder_ / "out/checkpoint.dojo"));
  ASSERT_EQ(dojo("{} train --resume out").exit_code, 0);
  EXPECT_EQ(weights_of("out"), weights);
  std::istringstream history(read_text(folder_ / "out/history.csv"));
  std::string row;
  std::getline(history, row);
  EXPECT_TRUE(row.starts_with("step,epoch,loss,loss.angle,learning_rate,cycles,frames_per_second,r2.angle"))
      << row;
  for (int step = 1; step <= 120; ++step) {
    ASSERT_TRUE(std::getline(history, row));
    EXPECT_TRUE(row.starts_with(fmt::format("{},", step))) << row;
    EXPECT_EQ(row.ends_with(",,"), step % 4 != 0) << row;  // an epoch's end is validated
  }
  EXPECT_FALSE(std::getline(history, row));
}

TEST_F(Resume, ANewRunOverAnOldOneTakesThatAwayWhole) {
  ASSERT_EQ(train("good", "--steps 5").exit_code, 0);
  const pid_t child = start("good", "--steps 30000");
  expect_said_while(child, "replaces an earlier run");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(fs::exists(folder_ / "out/report.txt"));
  EXPECT_FALSE(fs::exists(folder_ / "out/trained.onnx"));
}

TEST_F(Resume, ALossThatIsNotFiniteKeepsTheLastGoodCheckpoint) {
  // A warm-up so long that the first epoch of four steps, at whose end a checkpoint is written, is finite.
  const Said said = train("good", "--steps 400 --optimizer sgd --lr 500 --formats fp32");
  EXPECT_EQ(said.exit_code, 3) << said.errors;
  EXPECT_NE(said.last.find("stopped at step"), std::string::npos) << said.last;
  EXPECT_NE(said.last.find("out/checkpoint.dojo is of an earlier step"), std::string::npos) << said.last;
  EXPECT_FALSE(fs::exists(folder_ / "out/report.txt"));
  const Said again = dojo("{} train --resume out");  // the same end, from a state that was finite
  EXPECT_EQ(again.exit_code, 3) << again.errors;
  EXPECT_EQ(again.last, said.last);

  // Over an earlier run, in the first step: the checkpoint is of this run's beginning.
  const Said at_once = train("good", "--steps 4 --optimizer sgd --lr 1e6 --formats fp32");
  EXPECT_EQ(at_once.exit_code, 3) << at_once.errors;
  EXPECT_NE(at_once.last.find("out/checkpoint.dojo is of an earlier step"), std::string::npos)
      << at_once.last;
  EXPECT_EQ(dojo("{} train --resume out --check").exit_code, 0);
  EXPECT_NE(read_text(folder_ / "words").find("4 steps of 6 frames, 4 an epoch\n"), std::string::npos);
}

// Ctrl-C ends with a checkpoint and a command that goes on from there (to the bits that the run would have
// had: train_test).
TEST_F(Resume, AfterCtrlCGoesOnByTheCommandThatItNames) {
  const pid_t child = start("good", "--steps 3000");
  expect_said_while(child, "step 1/");
  kill(child, SIGINT);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 130);
  const std::string said = read_text(folder_ / "errors");
  const std::size_t hint = said.find("to go on: ");
  ASSERT_NE(hint, std::string::npos) << said;
  const std::string command = said.substr(hint + 10, said.find('\n', hint) - hint - 10);
  EXPECT_TRUE(command.ends_with(" train good.onnx --resume out")) << command;
  EXPECT_EQ(dojo(command + " --steps 1000000 --lr 9").exit_code, 2);  // it reads the recipe
  const int done = std::stoi(said.substr(said.rfind("after step ") + 11));
  const Said more = dojo(fmt::format("{} --steps {}", command, done + 1));
  EXPECT_EQ(more.exit_code, 0) << more.errors;
  EXPECT_NE(more.errors.find(fmt::format("going on behind step {} of {}", done, done + 1)), std::string::npos)
      << more.errors;
}

}  // namespace
}  // namespace dojo
