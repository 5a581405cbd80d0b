// Does `dojo train --arrays` learn what arrays hold, by every kind of loss, and refuse what does not fit with
// one sentence?
#include <cmath>

#include "data/array.h"
#include "onnx/for_tests.h"
#include "support/command_test.h"
#include "support/json.h"
#include "training/history.h"

namespace dojo {
namespace {

constexpr std::int64_t samples = 60;

class TrainArrays : public CommandTest {
protected:
  static data::Array whole(std::vector<std::int64_t> shape, const std::vector<std::int64_t>& values) {
    const auto bytes = std::as_bytes(std::span(values));
    return {data::Element::int64, std::move(shape), {bytes.begin(), bytes.end()}};
  }

  // Scores of five classes for each of three words of four: y = table[x], which begins at 0.
  void write_words() const {
    onnx::Model model = onnx::model_of({3}, {onnx::node("Gather", "rows", {"table", "x"}, {"y"})});
    model.graph.inputs[0].type = onnx::DataType::int64;
    model.graph.initialisers = {onnx::make_tensor("table", {4, 5}, std::vector<float>(20))};
    onnx::write_model(file("words.onnx"), model);
    std::vector<std::int64_t> words, classes;
    for (std::int64_t i = 0; i < samples * 3; ++i) {
      words.push_back(i * 7 % 11 % 4);
      classes.push_back(4 - words.back());
    }
    data::write_npz(file("words.npz"),
                    {{"x", whole({samples, 3}, words)}, {"y", whole({samples, 3}, classes)}});
  }

  // One number of two: y = x w, w begins at 0; the label 3 a - b, and whether it is positive.
  void write_sums() const {
    onnx::Model model = onnx::model_of({2}, {onnx::node("MatMul", "sum", {"x", "w"}, {"y"})});
    model.graph.initialisers = {onnx::make_tensor("w", {2, 1}, std::vector<float>(2))};
    onnx::write_model(file("sums.onnx"), model);
    std::vector<float> pairs, sums, positive;
    for (std::int64_t i = 0; i < samples; ++i) {
      const float a = static_cast<float>(i * 13 % 17) / 8 - 1, b = static_cast<float>(i * 5 % 19) / 9 - 1;
      pairs.insert(pairs.end(), {a, b});
      sums.push_back(3 * a - b);
      positive.push_back(sums.back() > 0 ? 1.0f : 0.0f);
    }
    data::write_npz(file("sums.npz"), {{"x", data::float_array({samples, 2}, pairs)},
                                       {"y.label", data::float_array({samples}, sums)}});
    data::write_npz(file("signs.npz"), {{"x", data::float_array({samples, 2}, pairs)},
                                        {"positive", whole({samples}, {positive.begin(), positive.end()})}});
  }

  Said train(const std::string& arguments) const {
    return dojo("train --machine test6 --formats fp32 --batch 12 --lr 0.1 " + arguments);
  }
  double first_loss(const std::string& out) const {
    const training::HistoryTable history = training::read_history(folder_ / out / "history.csv");
    return history.rows.at(0).at(2);
  }
  Json run(const std::string& out) const { return Json::parse(read_text(folder_ / out / "run.json")); }

  void expect_refused(const std::string& arguments, const std::string& why) const {
    const Said said = train(arguments + " --out refused");
    EXPECT_EQ(said.exit_code, 2) << said.words;
    EXPECT_NE(said.last.find(why), std::string::npos) << said.errors;
    EXPECT_FALSE(fs::exists(file("refused/checkpoint.dojo"))) << arguments;
  }
};

// Zero scores of five classes cost log 5; a table learns any assignment.
TEST_F(TrainArrays, ClassesOfEveryWord) {
  write_words();
  const Said said = train("words.onnx --arrays words.npz --epochs 20 --out out");
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_NE(said.errors.find("output 'y' learns 'y' by cross_entropy"), std::string::npos) << said.errors;
  EXPECT_NEAR(first_loss("out"), std::log(5.0), 1e-6);
  const Json all = run("out");
  EXPECT_EQ(all.at("validation").at("accuracy"), 1) << all.at("validation");
  EXPECT_FALSE(all.at("validation").contains("r2"));
  EXPECT_NE(said.words.find("100.0 % of 30 classes right"), std::string::npos) << said.words;
  EXPECT_TRUE(fs::exists(file("out/trained.onnx")));

  // It goes on with the arrays of then.
  const Said more = dojo("train --resume out --epochs 21");
  ASSERT_EQ(more.exit_code, 0) << more.errors;
  EXPECT_EQ(run("out").at("steps").count(), all.at("steps").count() / 20 * 21);
}

// The network is y = x w, so that least squares find w = (3, -1), whose error is 0.
TEST_F(TrainArrays, NumbersByMeanSquares) {
  write_sums();
  const Said said = train("sums.onnx --arrays sums.npz --epochs 60 --out out");
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_NE(said.errors.find("output 'y' learns 'y.label' by mse"), std::string::npos) << said.errors;
  EXPECT_GT(run("out").at("validation").at("r2"), 0.999);
}

TEST_F(TrainArrays, TruthByBinaryCrossEntropy) {
  write_sums();
  const Said said =
      train("sums.onnx --arrays signs.npz --loss binary_cross_entropy_with_logits --epochs 60 --out out");
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_NEAR(first_loss("out"), std::log(2.0), 1e-6);
  EXPECT_GT(run("out").at("validation").at("accuracy"), 0.95);
}

// A lone score has no classes to choose from, so whole numbers are numbers; and what nobody asks for is said.
TEST_F(TrainArrays, WholeNumbersOfALoneScoreAndAnArrayTooMany) {
  write_sums();
  data::Arrays arrays = data::read_arrays(file("signs.npz"));
  arrays["y"] = arrays.at("positive");
  data::write_npz(file("signs.npz"), arrays);
  const Said said = train("sums.onnx --arrays signs.npz --check");
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_NE(said.errors.find("output 'y' learns 'y' by mse\narray 'positive' is used by nothing\n"),
            std::string::npos)
      << said.errors;
}

TEST_F(TrainArrays, RefusesWhatDoesNotFit) {
  write_words();
  write_sums();
  expect_refused("words.onnx --arrays sums.npz", "'x' has the shape [60, 2], where [60, 3] is wanted");
  expect_refused("sums.onnx --arrays signs.npz --loss y=hinge", "--loss: 'hinge' is none of mse");
  expect_refused("sums.onnx --arrays signs.npz --loss z=mse", "the network has no output 'z'");
  expect_refused("words.onnx --arrays words.npz --loss mse",
                 "'y' has the shape [60, 3], which no label of output 'y' [60, 3, 5] has for mse");
  expect_refused("sums.onnx --arrays absent.npz", "absent.npz");
  expect_refused("sums.onnx --arrays sums.npz --loss binary_cross_entropy_with_logits",
                 "; a probability lies from 0 to 1");

  data::Arrays arrays = data::read_arrays(file("words.npz"));
  std::vector<float> classes = data::floats(arrays.at("y"));
  classes[4] = 5;
  arrays["y"] = data::whole_array(data::Element::int64, {samples, 3}, classes);
  data::write_npz(file("words.npz"), arrays);
  expect_refused("words.onnx --arrays words.npz", "'y' holds 5 in sample 1; its classes are 0 to 4");

  arrays = data::read_arrays(file("sums.npz"));
  std::vector<float> sums = data::floats(arrays.at("y.label"));
  sums[7] = std::nanf("");
  arrays["y.label"] = data::float_array({samples}, sums);
  data::write_npz(file("sums.npz"), arrays);
  expect_refused("sums.onnx --arrays sums.npz", "'y.label' holds nan in sample 7");
}

}  // namespace
}  // namespace dojo
