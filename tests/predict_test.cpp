// Does `dojo predict` say what validation and the interpreter say, of every frame, with labels or without?
#include <cmath>
#include <map>

#include "graph/interpreter.h"
#include "support/json.h"
#include "training/recipe.h"
#include "training/validation.h"
#include "training_command.h"

namespace dojo {
namespace {

using Rows = std::vector<std::vector<std::string>>;

// Fields without quotes and commas in them.
Rows rows_of(const std::string& text) {
  Rows rows = {{}};
  std::string field;
  for (const char letter : text) {
    if (letter != ',' && letter != '\n') {
      field += letter;
      continue;
    }
    rows.back().push_back(std::exchange(field, {}));
    if (letter == '\n') rows.emplace_back();
  }
  EXPECT_TRUE(field.empty() && rows.back().empty()) << text;
  rows.pop_back();
  return rows;
}

std::vector<float> numbers(const Rows& rows, std::size_t column) {
  std::vector<float> values;
  for (std::size_t i = 1; i < rows.size(); ++i) values.push_back(std::stof(rows[i].at(column)));
  return values;
}

class Predict : public TrainingCommand {
protected:
  void SetUp() override {
    TrainingCommand::SetUp();
    write_tub(folder_ / "drive", 70);
  }

  // What is asked on the machine of the other tests.
  Said predict(const std::string& more) { return dojo("{} predict --machine test6 --threads 1 " + more); }

  Rows table(const std::string& path) const { return rows_of(read_text(folder_ / path)); }
  std::string words() const { return read_text(folder_ / "words"); }
};

TEST_F(Predict, HeldOutFramesAreTheRunsOwnToTheLastDigit) {
  for (const std::string formats : {"bf16", "cfloat8"}) {
    ASSERT_EQ(train("good", "--data drive --epochs 3 --formats " + formats).exit_code, 0);
    const Said said = predict("out/trained.onnx --data drive --held-out --out asked --formats " + formats);
    ASSERT_EQ(said.exit_code, 0) << said.errors;
    EXPECT_EQ(read_text(folder_ / "asked/predictions.csv"), read_text(folder_ / "out/predictions.csv"));

    const Rows rows = table("out/predictions.csv");
    EXPECT_EQ(rows[0], (std::vector<std::string>{"recording", "record", "true.angle", "predicted.angle"}));
    EXPECT_EQ(rows.size(), 11u);
    EXPECT_EQ(rows[1][0], "drive");
    EXPECT_EQ(rows[1][1], "6");  // of the first seven frames one is held out
    const Json run = Json::parse(read_text(folder_ / "out/run.json"));
    EXPECT_EQ(training::quality(numbers(rows, 3), numbers(rows, 2)).r2,
              run.at("validation").at("r2").number());
    const std::string report = read_text(folder_ / "out/report.txt");
    const std::size_t line = report.find("  angle");
    EXPECT_NE(words().find(report.substr(line, report.find('\n', line) - line)), std::string::npos)
        << words();
  }
}

// 70 frames are a last batch of 4; the interpreter is shown what `prepare` writes.
TEST_F(Predict, AllFramesAreWhatTheInterpreterSays) {
  ASSERT_EQ(predict("good.onnx --data drive --formats fp32 --out all.csv").exit_code, 0);
  ASSERT_EQ(dojo("{} prepare good.onnx --data drive --out prepared").exit_code, 0);
  const Json split = Json::parse(read_text(folder_ / "prepared/prepared.json"));
  std::map<std::int64_t, float> wanted;  // by frame
  for (const std::string part : {"train", "validation"}) {
    std::vector<std::int64_t> frames;
    for (const Json& frame : split.at(part + "_frames").elements())
      frames.push_back(static_cast<std::int64_t>(frame.count()));
    const std::vector<std::byte> bytes = read_file(folder_ / "prepared" / (part + "_inputs.f32"));
    std::vector<float> inputs(bytes.size() / sizeof(float));
    std::memcpy(inputs.data(), bytes.data(), bytes.size());
    const auto network =
        training::read_forward_network(folder_ / "good.onnx", static_cast<std::int64_t>(frames.size()));
    graph::Interpreter interpreter(network.predict);
    interpreter.set(network.predict.find("image"), inputs);
    interpreter.run();
    const std::vector<float>& said = interpreter.value(network.predict.outputs[0]);
    for (std::size_t i = 0; i < frames.size(); ++i) wanted[frames[i]] = said[i];
  }
  const Rows rows = table("all.csv");
  ASSERT_EQ(rows.size(), 71u);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i][1], std::to_string(i - 1));
    EXPECT_NEAR(std::stof(rows[i][3]), wanted.at(static_cast<std::int64_t>(i - 1)), 1e-5f) << i;
  }
}

// What cannot be written is found on the way, as a kill would be: no list must then speak of files of two
// sets.
TEST_F(Predict, PreparedFramesAreOfOneSetOrOfNone) {
  ASSERT_EQ(dojo("{} prepare good.onnx --data drive --out prepared").exit_code, 0);
  const std::vector<std::byte> inputs = read_file(folder_ / "prepared/train_inputs.f32");
  fs::remove(folder_ / "prepared/train_labels.f32");
  fs::create_directory(folder_ / "prepared/train_labels.f32");
  expect_refused(dojo("{} prepare good.onnx --data tub --out prepared"), {"train_labels.f32"});
  EXPECT_FALSE(read_file(folder_ / "prepared/train_inputs.f32") == inputs);
  EXPECT_FALSE(fs::exists(folder_ / "prepared/prepared.json"));
  fs::remove(folder_ / "prepared/train_labels.f32");
  EXPECT_EQ(dojo("{} prepare good.onnx --data tub --out prepared").exit_code, 0);
  EXPECT_TRUE(fs::exists(folder_ / "prepared/prepared.json"));
}

TEST_F(Predict, LabelsAreNotNeeded) {
  const std::string catalog = read_text(folder_ / "tub/catalog_0.catalog");
  std::string without = catalog;
  const std::string angle = ", \"user/angle\"";
  for (std::size_t at = 0, cut = 0; (at = without.find(angle, at)) != std::string::npos && cut < 20; ++cut)
    without.erase(at, without.find(", \"user/throttle\"", at) - at);
  write_text(folder_ / "tub/catalog_0.catalog", without);
  const Said some = predict("good.onnx --data tub --out some.csv");
  ASSERT_EQ(some.exit_code, 0) << some.errors;
  EXPECT_NE(words().find("on the 10 of 30 frames that have it measured"), std::string::npos) << words();
  const Rows rows = table("some.csv");
  ASSERT_EQ(rows.size(), 31u);
  EXPECT_EQ(rows[20][2], "");
  EXPECT_NE(rows[21][2], "");
  EXPECT_TRUE(std::isfinite(std::stof(rows[20][3])));

  write_model("speed", network("Tanh", 8, 16, 1, "speed"));
  ASSERT_EQ(predict("speed.onnx --data drive --out speed.csv").exit_code, 0);
  EXPECT_NE(words().find("speed                no frame has it measured"), std::string::npos) << words();
  EXPECT_EQ(table("speed.csv")[0],
            (std::vector<std::string>{"recording", "record", "true.speed", "predicted.speed"}));
  onnx::Model several = network("Tanh", 8, 16, 4, "way");
  several.metadata["opendojo.loss.way"] = "mse";
  write_model("several", several);
  ASSERT_EQ(predict("several.onnx --data drive --out several.csv").exit_code, 0);
  EXPECT_EQ(table("several.csv")[0].back(), "predicted.way.3");
  EXPECT_EQ(table("several.csv")[70].size(), 10u);
}

TEST_F(Predict, TakesSeveralTubsAndRenderedDrives) {
  const Said both = predict("good.onnx --data tub --data drive --out both");
  ASSERT_EQ(both.exit_code, 0) << both.errors;
  const Rows rows = table("both/predictions.csv");
  ASSERT_EQ(rows.size(), 101u);
  EXPECT_EQ(rows[30][0] + rows[30][1], "tub29");
  EXPECT_EQ(rows[31][0] + rows[31][1], "drive0");
  ASSERT_EQ(predict("good.onnx --drives 1 --seed 3 --out made.csv").exit_code, 0);
  EXPECT_NE(read_text(folder_ / "made.csv").find("\n\"1 rendered drives of 50 frames, seed 3\",49,"),
            std::string::npos);
}

// HBM has room for the held-out tenth, and not for all frames.
TEST_F(Predict, NeedsRoomForTheFramesThatItAsksAboutAlone) {
  write_model("wide", network("Tanh", 100, 160, 1, "angle"));
  const std::string small = "wide.onnx --data drive " + machine_with("interface.hbm_bytes", "1048576");
  const auto predict_on = [&](const std::string& more) {
    return dojo(fmt::format("{{}} predict --threads 1 {} {}", small, more));
  };
  expect_refused(predict_on("--out all.csv"), {"has no room for the data set: 70 frames"});
  const Said said = predict_on("--held-out --out held.csv");
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  ASSERT_EQ(predict("wide.onnx --data drive --held-out --out wide.csv").exit_code, 0);
  EXPECT_EQ(read_text(folder_ / "held.csv"), read_text(folder_ / "wide.csv"));
}

TEST_F(Predict, MakesNoFolderWithTheNameOfAnotherFile) {
  for (const char* out : {"x.png", "deep/x.json"})
    expect_refused(predict(fmt::format("good.onnx --data tub --out {}", out)), {"--out", out, ".csv"});
  EXPECT_FALSE(fs::exists(folder_ / "x.png") || fs::exists(folder_ / "deep"));
  for (const char* folder : {"run.2", "x.png/"})
    ASSERT_EQ(predict(fmt::format("good.onnx --data tub --out {}", folder)).exit_code, 0) << folder;
  EXPECT_TRUE(fs::exists(folder_ / "run.2/predictions.csv"));
  EXPECT_EQ(predict("good.onnx --data tub --out x.png").exit_code, 0) << "it is a folder now";
}

TEST_F(Predict, LeavesNothingWhenInterrupted) {
  const pid_t child = start_shell(fmt::format(
      "exec {} predict good.onnx --drives 300 --nodes 6 --threads 1 --out asked", dojo_command()));
  expect_said_while(child, "storing the data set");
  kill(child, SIGINT);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 130);
  EXPECT_NE(read_text(folder_ / "errors").find("interrupted; nothing was written"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_ / "asked"));
}

TEST_F(Predict, RefusesWithOneSentence) {
  expect_refused(predict(""), {"MODEL"});
  expect_refused(predict("absent.onnx"), {"absent.onnx", "No such file"});
  expect_refused(predict("good.onnx --data nowhere"), {"nowhere"});
  expect_refused(predict("good.onnx --data tub --nodes 7"), {"--nodes", "7"});
  expect_refused(predict("good.onnx --data tub --formats fp64"), {"fp64"});
  expect_refused(predict("good.onnx --data tub --out nowhere/all.csv"),
                 {"nowhere/all.csv", "cannot be written"});
  expect_refused(predict("good.onnx --data tub --out good.onnx"), {"good.onnx: cannot be made"});
  ASSERT_EQ(train("good", "--steps 1 --out run").exit_code, 0);
  const std::string own = read_text(folder_ / "run/predictions.csv");
  for (const char* out : {"run", "run/predictions.csv"})
    expect_refused(predict(fmt::format("good.onnx --data tub --out {}", out)),
                   {"run/predictions.csv", "belongs to the training run"});
  EXPECT_EQ(read_text(folder_ / "run/predictions.csv"), own);
  const std::string history = read_text(folder_ / "run/history.csv");
  fs::create_symlink("run/history.csv", folder_ / "linked.csv");
  for (const char* out : {"run/history.csv", "tub/../run/history.csv", "linked.csv"})
    expect_refused(predict(fmt::format("good.onnx --data tub --out {}", out)),
                   {out, "belongs to the training run"});
  EXPECT_EQ(read_text(folder_ / "run/history.csv"), history);
  EXPECT_EQ(predict("run/best.onnx --data tub --out run/all.csv").exit_code, 0);
}

}  // namespace
}  // namespace dojo
