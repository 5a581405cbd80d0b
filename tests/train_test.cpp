// Does a training run give the same bits for any number of host threads and after any interruption, and what
// does it refuse?
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/error.h"
#include "base/file.h"
#include "train_run.h"

namespace dojo::training {
namespace {

void expect_same_run(const RunReport& got, const RunReport& wanted) {
  EXPECT_EQ(got.weights_sha256, wanted.weights_sha256);
  EXPECT_EQ(got.cycles, wanted.cycles);
  EXPECT_EQ(got.frames, wanted.frames);
  EXPECT_EQ(got.losses, wanted.losses);
  EXPECT_EQ(got.ledger.rows(), wanted.ledger.rows());
  EXPECT_EQ(onnx::encode_model(got.trained), onnx::encode_model(wanted.trained));
  ASSERT_EQ(got.validation.size(), wanted.validation.size());
  EXPECT_EQ(got.validation[0].quality.r2, wanted.validation[0].quality.r2);
}

TEST_F(Train, GivesTheSameBitsAndCyclesOnAnyNumberOfHostThreads) {
  const fs::path model = write(small_network());
  TrainOptions one = options(model, "one"), three = options(model, "three");
  three.host.threads = 3;
  const RunReport expected = run(one);
  EXPECT_EQ(expected.steps_done, 7u);
  EXPECT_EQ(expected.frames, 42u);
  EXPECT_GT(expected.cycles, 0u);
  expect_same_run(run(three), expected);
  EXPECT_EQ(read_file(three.out / "checkpoint.dojo"), read_file(one.out / "checkpoint.dojo"));
}

// The first checkpoint is of the beginning.
TEST_F(Train, GoesOnAfterAKillInItsFirstStep) {
  const fs::path model = write(small_network());
  const RunReport expected = run(options(model, "whole"));
  TrainOptions killed = options(model, "killed");
  killed.checkpoint_seconds = 1e9;
  Watcher fatal;
  fatal.phase = [](std::string_view what) {
    if (what == "training") kill(getpid(), SIGKILL);
  };
  ASSERT_TRUE(dies(killed, fatal));
  killed.resume = killed.out;
  expect_same_run(run(killed), expected);
}

// In CFloat8, what the biases have become goes on too.
TEST_F(Train, GoesOnAfterAKillAsIfNothingHadHappened) {
  const fs::path model = write(small_network());
  for (const auto formats : {lowering::FormatChoice::bf16, lowering::FormatChoice::cfloat8}) {
    SCOPED_TRACE(lowering::name(formats));
    TrainOptions whole = options(model, fmt::format("whole.{}", lowering::name(formats)));
    TrainOptions killed = options(model, fmt::format("killed.{}", lowering::name(formats)));
    whole.formats = killed.formats = formats;
    const RunReport expected = run(whole);
    Watcher fatal;
    fatal.progress = [](const Progress& progress) {
      if (progress.step == 5) kill(getpid(), SIGKILL);
    };
    ASSERT_TRUE(dies(killed, fatal));
    killed.resume = killed.out;
    std::vector<std::uint64_t> steps;
    Watcher watcher;
    watcher.progress = [&](const Progress& progress) { steps.push_back(progress.step); };
    expect_same_run(run(killed, watcher), expected);
    EXPECT_EQ(read_file(killed.out / "checkpoint.dojo"), read_file(whole.out / "checkpoint.dojo"));
    EXPECT_EQ(steps, (std::vector<std::uint64_t>{5, 6, 7}));
  }
}

// Asked to stop at its n-th question, whatever it is doing then: storing, training, validating.
TEST_F(Train, GoesOnAfterAnInterruptionAtAnyMoment) {
  const fs::path model = write(small_network());
  std::size_t questions = 0;
  TrainOptions counting = options(model, "whole");
  counting.host.interrupted = [&] { return ++questions, false; };
  const RunReport expected = run(counting);
  ASSERT_GT(questions, 10u);
  for (const std::size_t last : {std::size_t{1}, questions / 2, questions - 1}) {
    TrainOptions stopped = options(model, fmt::format("stopped{}", last));
    std::size_t asked = 0;
    stopped.host.interrupted = [&] { return asked++ >= last; };
    EXPECT_TRUE(run(stopped).interrupted) << last;
    stopped.host = counting.host;
    stopped.resume = stopped.out;
    expect_same_run(run(stopped), expected);
  }
}

TEST_F(Train, WritesNothingIfInterruptedBeforeItBegins) {
  TrainOptions stopped = options(write(small_network()), "out");
  stopped.host.interrupted = [] { return true; };
  const RunReport report = run(stopped);
  EXPECT_TRUE(report.interrupted);
  EXPECT_EQ(report.steps, 0u);
  EXPECT_TRUE(fs::is_empty(stopped.out));
}

TEST_F(Train, RefusesToGoOnWithAnotherRunAndLeavesItAlone) {
  const fs::path model = write(small_network());
  const TrainOptions first = options(model, "first");
  run(first);
  const auto checkpoint = read_file(first.out / "checkpoint.dojo");
  TrainOptions other = first;
  other.resume = first.out;
  other.learning_rate = 0.03;
  EXPECT_THROW(run(other), UserError);
  other = first;
  other.resume = first.out;
  write(Net({2, 6, 9}).add("Flatten", "flatten").dense("head", 108, 1).finish());
  EXPECT_THROW(run(other), UserError);
  EXPECT_EQ(read_file(first.out / "checkpoint.dojo"), checkpoint);
  EXPECT_FALSE(fs::exists(first.out / "program.partial"));
}

TEST_F(Train, RefusesABatchThatTheFramesCannotFill) {
  const TrainOptions wanted = options(write(small_network()), "out");
  EXPECT_THROW(run(wanted, {}, 6), UserError);
  EXPECT_TRUE(fs::is_empty(wanted.out));
}

TEST_F(Train, RefusesANetworkWithNothingToTrain) {
  onnx::Model model = small_network();
  std::string& frozen = model.metadata["opendojo.frozen"];
  for (const onnx::Tensor& tensor : model.graph.initialisers)
    frozen += (frozen.empty() ? "" : ",") + tensor.name;
  const TrainOptions wanted = options(write(model), "out");
  try {
    run(wanted);
    FAIL() << "trains nothing";
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find("has nothing to train: none of its "), std::string::npos);
  }
  EXPECT_TRUE(fs::is_empty(wanted.out));
}

}  // namespace
}  // namespace dojo::training
