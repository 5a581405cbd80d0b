// Whole training runs on a small machine: the same bits for any number of host threads and after any
// interruption, other networks than PilotNet, and what the trained file says elsewhere.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "base/temporary_folder.h"
#include "graph/interpreter.h"
#include "runtime/emulated_network.h"
#include "training/history.h"
#include "training/trainer.h"

namespace dojo::training {
namespace {

namespace fs = std::filesystem;

// An ONNX file built front to back; `top` is what the next layer reads.
class Net {
public:
  explicit Net(std::vector<std::int64_t> sample) {
    model_.ir_version = 8;
    model_.opsets[""] = 17;
    model_.graph.name = "small";
    model_.graph.inputs.push_back(described("image", sample));
  }

  Net& add(const std::string& op, const std::string& name, std::vector<std::string> inputs = {},
           std::vector<onnx::Attribute> attributes = {}) {
    inputs.insert(inputs.begin(), top);
    top = name + ".out";
    model_.graph.nodes.push_back({name, op, "", std::move(inputs), {top}, std::move(attributes), ""});
    return *this;
  }

  std::string weight(const std::string& name, std::vector<std::int64_t> dims, double bound) {
    Random random(7, model_.graph.initialisers.size());
    std::vector<float> values;
    std::int64_t count = 1;
    for (const std::int64_t extent : dims) count *= extent;
    for (std::int64_t i = 0; i < count; ++i)
      values.push_back(static_cast<float>(random.uniform(-bound, bound)));
    model_.graph.initialisers.push_back(
        onnx::make_tensor(name, std::move(dims), std::span<const float>(values)));
    return name;
  }

  Net& convolution(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t stride) {
    const double bound = std::sqrt(6.0 / static_cast<double>(9 * in));
    return add("Conv", name, {weight(name + ".w", {out, in, 3, 3}, bound), weight(name + ".b", {out}, 0)},
               {integers("kernel_shape", {3, 3}), integers("strides", {stride, stride}),
                integers("pads", {1, 1, 1, 1})});
  }

  Net& dense(const std::string& name, std::int64_t in, std::int64_t out) {
    const double bound = std::sqrt(6.0 / static_cast<double>(in));
    onnx::Attribute transposed;
    transposed.name = "transB";
    transposed.type = onnx::AttributeType::integer;
    transposed.integer = 1;
    return add("Gemm", name, {weight(name + ".w", {out, in}, bound), weight(name + ".b", {out}, 0)},
               {transposed});
  }

  onnx::Model finish() {
    model_.graph.outputs.push_back(described(top, {1}));
    return model_;
  }

  std::string top = "image";

private:
  static onnx::Attribute integers(const std::string& name, std::vector<std::int64_t> values) {
    onnx::Attribute attribute;
    attribute.name = name;
    attribute.type = onnx::AttributeType::integers;
    attribute.integers = std::move(values);
    return attribute;
  }

  static onnx::ValueInfo described(const std::string& name, const std::vector<std::int64_t>& sample) {
    std::vector<onnx::Dimension> shape = {{std::nullopt, "N"}};
    for (const std::int64_t extent : sample) shape.push_back({extent, ""});
    return {name, onnx::DataType::float32, shape, ""};
  }

  onnx::Model model_;
};

onnx::Model small_network() {
  return Net({2, 6, 9})
      .convolution("conv1", 2, 5, 2)
      .add("Relu", "relu1")
      .add("Flatten", "flatten")
      .dense("hidden", 75, 12)
      .add("Tanh", "tanh")
      .dense("head", 12, 1)
      .finish();
}

// 450,000 weights: 1.8 MB in FP32, where a node has 1.25 MB for everything.
onnx::Model wide_network() {
  return Net({100})
      .dense("wide1", 100, 900)
      .add("Relu", "relu1")
      .dense("wide2", 900, 400)
      .add("Relu", "relu2")
      .dense("head", 400, 1)
      .finish();
}

// Noise as pictures, and a target that a network can find in them.
class Noise final : public data::Examples {
public:
  Noise(const TrainableNetwork& network, std::size_t frames) : frames_(frames) {
    for (const data::Signal& input : network.inputs) inputs_ += elements(input);
    for (const data::Signal& target : network.targets) {
      targets_ += elements(target);
      if (target.classes != 0) bins_ = graph::Bins{target.classes, -1, 1};
    }
  }
  std::size_t size() const override { return frames_; }
  std::size_t input_elements() const override { return inputs_; }
  std::size_t target_elements() const override { return targets_; }
  void read(std::size_t frame, std::span<float> inputs, std::span<float> targets) const override {
    Random random(3, frame);
    for (float& value : inputs) value = static_cast<float>(random.uniform(-1, 1));
    for (std::size_t i = 0; i < targets.size(); ++i)
      targets[i] = bins_ ? static_cast<float>(bins_->of(found(inputs, i))) : found(inputs, i);
  }
  void measured(std::size_t frame, std::span<float> values) const override {
    std::vector<float> inputs(inputs_), targets(targets_);
    read(frame, inputs, targets);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = found(inputs, i);
  }

private:
  static float found(std::span<const float> inputs, std::size_t i) {
    return inputs[i] + inputs[i + 1] > 0 ? 1.0f : -1.0f;
  }
  static std::size_t elements(const data::Signal& signal) {
    std::size_t count = 1;
    for (const std::int64_t extent : signal.shape) count *= static_cast<std::size_t>(extent);
    return count;
  }
  std::size_t frames_, inputs_ = 0, targets_ = 0;
  std::optional<graph::Bins> bins_;
};

class Train : public testing::Test {
protected:
  fs::path write(const onnx::Model& model) {
    onnx::write_model(folder_ / "model.onnx", model);
    return folder_ / "model.onnx";
  }

  // Seven steps of two and a third epochs: resuming crosses an epoch's end.
  TrainOptions options(const fs::path& model, const std::string& out) {
    TrainOptions options;
    options.recipe = {.model = model, .optimizer = graph::optimizer_named("adamw"), .batch = 6, .seed = 5};
    options.learning_rate = 0.02;
    options.steps = 7;
    options.host.threads = 1;
    options.out = folder_ / out;
    options.checkpoint_seconds = 0;
    fs::create_directories(options.out);
    return options;
  }

  RunReport run(const TrainOptions& options, const Watcher& watcher = {}, std::size_t frames = 23) {
    std::optional<Noise> noise;
    const data::Split split = data::split_by_blocks(frames, 1, 5);
    return train(
        options, machine_,
        [&](const TrainableNetwork& network) {
          std::vector<data::LabelSpecification> specifications;
          for (const data::Signal& target : network.targets) {
            specifications.push_back({{target.name}, {}});
            specifications.back().kind = target.kind;
            if (target.classes != 0) specifications.back().bins = graph::Bins{target.classes, -1, 1};
          }
          return TrainingData{noise.emplace(network, frames), split, "noise", specifications};
        },
        watcher);
  }

  // Runs in a process of its own. Did a signal of the watcher's end it?
  bool dies(const TrainOptions& options, const Watcher& fatal) {
    const pid_t child = fork();
    if (child == 0) {
      run(options, fatal);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status);
  }

  // The losses that the first and the last step began with.
  std::pair<float, float> losses(const TrainOptions& options, std::size_t frames) {
    std::vector<float> seen;
    Watcher watcher;
    watcher.progress = [&](const Progress& progress) { seen.push_back(progress.loss); };
    run(options, watcher, frames);
    return {seen.front(), seen.back()};
  }

  const TemporaryFolder own_{"dojo-train"};
  const fs::path folder_ = own_.path();
  machine::Machine machine_ = machine::read_machine("test6");
};

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
  for (const std::size_t last : {std::size_t{0}, questions / 2, questions - 1}) {
    TrainOptions stopped = options(model, fmt::format("stopped{}", last));
    std::size_t asked = 0;
    stopped.host.interrupted = [&] { return asked++ >= last; };
    EXPECT_TRUE(run(stopped).interrupted) << last;
    stopped.host = counting.host;
    stopped.resume = stopped.out;
    expect_same_run(run(stopped), expected);
  }
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

struct Predicted {
  std::vector<float> machine, file;  // of the same frames
};

// Trains, writes the ONNX file, reads it again, and asks machine and interpreter about all frames.
Predicted predictions(const machine::Machine& machine, const TrainOptions& options, const RunReport& report,
                      std::int64_t batch, lowering::FormatChoice formats) {
  Recipe recipe = options.recipe;
  recipe.model = options.out / "trained.onnx";
  recipe.batch = batch;
  onnx::write_model(recipe.model, report.trained);
  const TrainableNetwork network = read_network(recipe);
  const Noise noise(network, 13);
  const codegen::CompiledNetwork compiled =
      codegen::compile(network.train_step, network.predict, machine, {.nodes = 0, .formats = formats});
  const std::string output = network.predict.at(network.predict.outputs[0]).name;
  runtime::EmulatedNetwork emulated(machine, compiled, {}, {output}, {.threads = 1});
  const std::vector<std::uint32_t> frames = data::all_frames(13);
  emulated.store_examples(noise, frames);
  emulated.load_parameters(network.initial);
  Predicted result;
  result.machine = emulated.predict(frames).outputs[0];

  std::vector<float> inputs(13 * noise.input_elements()), target(noise.target_elements());
  for (std::size_t frame = 0; frame < 13; ++frame)
    noise.read(frame, std::span(inputs).subspan(frame * noise.input_elements(), noise.input_elements()),
               target);
  recipe.batch = 13;
  const TrainableNetwork whole = read_network(recipe);
  graph::Interpreter interpreter(whole.predict);
  interpreter.set(whole.predict.find("image"), inputs);
  interpreter.run();
  result.file = interpreter.value(whole.predict.outputs[0]);
  return result;
}

TEST_F(Train, TheTrainedFileSaysElsewhereWhatTheMachineSays) {
  const TrainOptions trained = options(write(small_network()), "out");
  const RunReport report = run(trained);
  for (const auto& [formats, bound] :
       {std::pair{lowering::FormatChoice::fp32, 1e-5f}, {lowering::FormatChoice::bf16, 0.03f}}) {
    const Predicted predicted = predictions(machine_, trained, report, 6, formats);
    ASSERT_EQ(predicted.machine.size(), 13u);
    for (std::size_t i = 0; i < 13; ++i)
      EXPECT_NEAR(predicted.machine[i], predicted.file[i], bound) << i << lowering::name(formats);
  }
}

// 13 frames are a last batch of 1 (of 6), 6 (of 7) and 2 (of 11); its padding must not be seen.
TEST_F(Train, PredictsTheSameBitsWhateverTheBatch) {
  const TrainOptions trained = options(write(small_network()), "out");
  const RunReport report = run(trained);
  const auto six = predictions(machine_, trained, report, 6, lowering::FormatChoice::fp32).machine;
  for (const std::int64_t batch : {7, 11})
    EXPECT_EQ(predictions(machine_, trained, report, batch, lowering::FormatChoice::fp32).machine, six)
        << batch;
}

// What the held-out frames get out of noise falls while the rest is learnt by heart.
TEST_F(Train, KeepsTheParametersThatPredictedBestBesideTheLast) {
  TrainOptions wanted = options(write(small_network()), "out");
  wanted.steps = 15;
  const RunReport report = run(wanted);
  const HistoryTable history = read_history(wanted.out / "history.csv");
  const auto r2 = static_cast<std::size_t>(
      std::ranges::find_if(history.columns, [](const auto& name) { return name.starts_with("r2."); }) -
      history.columns.begin());
  ASSERT_LT(r2, history.columns.size());
  std::size_t best = history.rows.size(), validated = 0;
  for (std::size_t i = 0; i < history.rows.size(); ++i) {
    if (std::isnan(history.rows[i][r2])) continue;
    ++validated;
    if (best == history.rows.size() || history.rows[i][r2] > history.rows[best][r2]) best = i;
  }
  EXPECT_EQ(validated, 5u);
  ASSERT_TRUE(report.best.has_value());
  EXPECT_EQ(report.best->step, best + 1);
  ASSERT_LT(report.best->step, report.steps_done) << "nothing is kept that is not there anyway";

  // In another folder, going on for a step that does not do better; and alone, through a step that moves
  // nothing.
  TrainOptions longer = options(wanted.recipe.model, "longer");
  longer.resume = wanted.out;
  longer.steps = 16;
  EXPECT_EQ(run(longer).best->step, report.best->step);
  EXPECT_EQ(read_file(longer.out / "best.onnx"), read_file(wanted.out / "best.onnx"));
  TrainOptions again = options(wanted.out / "best.onnx", "again");
  again.steps = 1;
  again.learning_rate = 1e-30;
  EXPECT_EQ(run(again).validation.at(0).quality.r2, report.best->score.mean_r2);
}

TEST_F(Train, LearnsAFewFramesByHeart) {
  TrainOptions wanted = options(write(small_network()), "out");
  wanted.steps = 60;
  const auto [first, last] = losses(wanted, 8);
  EXPECT_LT(last, 0.05f * first);
}

TEST_F(Train, TrainsWeightsThatExceedANodesMemory) {
  TrainOptions wanted = options(write(wide_network()), "out");
  ASSERT_GT(fs::file_size(wanted.recipe.model), machine_.node.sram_bytes * 4 / 3);
  wanted.recipe.optimizer = graph::optimizer_named("sgd");
  wanted.learning_rate = 0.003;
  wanted.steps = 6;
  const auto [first, last] = losses(wanted, 8);
  EXPECT_LT(last, 0.8f * first);
}

TEST_F(Train, TrainsAResidualNetworkWithBatchNormAndAveragePool) {
  TrainOptions wanted = options(fs::path(DOJO_SOURCE_DIR) / "models/resnet_small.onnx", "out");
  wanted.steps = 8;
  const auto [first, last] = losses(wanted, 8);
  EXPECT_LT(last, 0.7f * first);
}

// One sample a step: five of the six nodes have nothing to do but to help summing.
TEST_F(Train, TrainsOnOneSampleAStep) {
  TrainOptions wanted = options(write(small_network()), "out");
  wanted.recipe.batch = 1;
  wanted.steps = 30;
  const auto [first, last] = losses(wanted, 2);
  EXPECT_LT(last, 0.2f * first);
}

TEST_F(Train, LearnsClassesAndJudgesTheValuesTheyStandFor) {
  const onnx::Model classes = Net({30}).dense("head", 30, 5).add("Softmax", "softmax").finish();
  TrainOptions wanted = options(write(classes), "out");
  wanted.steps = 60;
  const RunReport report = run(wanted, {}, 8);
  EXPECT_LT(report.losses[0], 0.1f * std::log(5.0f));
  ASSERT_EQ(report.validation.size(), 1u);
  ASSERT_TRUE(report.validation[0].accuracy.has_value());
  // One frame validates. What is measured is the middle of a class, so it is right or off by some classes.
  const double accuracy = *report.validation[0].accuracy, off = report.validation[0].quality.rmse;
  EXPECT_EQ(accuracy, off == 0 ? 1 : 0);
  EXPECT_TRUE(off == 0 || off == 0.5 || off == 1 || off == 1.5 || off == 2) << off;
}

TEST_F(Train, TrainsTwoOutputsWithTwoLosses) {
  TrainOptions wanted = options(fs::path(DOJO_SOURCE_DIR) / "models/two_heads.onnx", "out");
  wanted.steps = 5;
  wanted.learning_rate = 0.001;
  std::vector<float> seen;
  Watcher watcher;
  watcher.progress = [&](const Progress& progress) { seen.push_back(progress.loss); };
  const RunReport report = run(wanted, watcher, 8);
  ASSERT_EQ(report.losses.size(), 3u);  // in all, angle, throttle
  EXPECT_NEAR(report.losses[0], report.losses[1] + 0.5f * report.losses[2], 1e-5f * report.losses[0]);
  EXPECT_EQ(report.validation.size(), 2u);
  EXPECT_LT(seen.back(), 0.9f * seen.front());
}

}  // namespace
}  // namespace dojo::training
