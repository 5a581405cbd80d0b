// Does the file of a trained network say elsewhere what the machine says, and are the best parameters kept?
#include <cmath>

#include "base/file.h"
#include "graph/interpreter.h"
#include "runtime/emulated_network.h"
#include "train_run.h"
#include "training/history.h"

namespace dojo::training {
namespace {

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
  EXPECT_EQ(run(again).validation.at(0).quality.r2, report.best->score.merit);
}

}  // namespace
}  // namespace dojo::training
