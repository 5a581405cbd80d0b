// Does `dojo train --check` say what the run then takes, and leave everything as it was?
#include <map>

#include "support/json.h"
#include "support/pattern.h"
#include "training/history.h"
#include "training_command.h"

namespace dojo {
namespace {

class TrainCheck : public TrainingCommand {
protected:
  std::string words() const { return read_text(folder_ / "words"); }

  // What the line called `name` says.
  std::string said_of(const std::string& name) const {
    const Match found = first_match(words(), "\n  " + name + " +([^\n]*)\n");
    EXPECT_FALSE(found.empty()) << words();
    return found.empty() ? "" : found[1];
  }

  // The number in front of `unit` there.
  double number(const std::string& name, const std::string& unit) const {
    const Match found = first_match(said_of(name), "([0-9.]+)" + unit);
    EXPECT_FALSE(found.empty()) << said_of(name);
    return found.empty() ? 0 : std::stod(found[1]);
  }

  // Every file with its bytes and the time of its last change; not those that the shell writes.
  std::map<std::string, std::pair<std::string, fs::file_time_type>> files() const {
    std::map<std::string, std::pair<std::string, fs::file_time_type>> all;
    for (const auto& entry : fs::recursive_directory_iterator(folder_))
      if (entry.is_regular_file() && entry.path() != folder_ / "words" && entry.path() != folder_ / "errors")
        all[entry.path().string()] = {read_text(entry.path()), entry.last_write_time()};
    return all;
  }
};

TEST_F(TrainCheck, SaysWhatTheRunThenTakes) {
  fs::remove(folder_ / "tub/images/7.jpg");
  const auto before = files();
  ASSERT_EQ(train("good", "--check --epochs 3").exit_code, 0);
  EXPECT_EQ(files(), before);
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  EXPECT_NE(said_of("trained").find("128 numbers in 1 parameter;"), std::string::npos) << words();
  EXPECT_NE(said_of("data").find("tub: 29 frames, 28 to train on and 1 held out; 1 record left out"),
            std::string::npos)
      << words();
  EXPECT_NE(said_of("run").find("12 steps of 6 frames, 4 an epoch"), std::string::npos) << words();
  EXPECT_NE(words().find("12 steps of "), std::string::npos) << words();
  EXPECT_NE(words().find("3 validations of "), std::string::npos) << words();
  const double cycles = number("step", " cycles"), used = number("SRAM", " of"), of = number("SRAM", " KiB");
  const double loss = std::stod(said_of("step").substr(said_of("step").rfind(' ')));

  ASSERT_EQ(train("good", "--epochs 3").exit_code, 0);
  const training::HistoryTable history = training::read_history(folder_ / "out/history.csv");
  EXPECT_EQ(history.columns.at(2), "loss");
  EXPECT_EQ(history.columns.at(5), "cycles");
  EXPECT_EQ(cycles, history.rows.at(0).at(5));
  EXPECT_NEAR(loss, history.rows.at(0).at(2), 1e-5);
  double spare = 1e9;  // bytes that the fuller program leaves, as the plans say
  for (const char* plan : {"train.plan.json", "predict.plan.json"}) {
    const Json json = Json::parse(read_text(folder_ / "out/program" / plan));
    spare = std::min(spare, json.at("memory").at("spare_bytes").number());
  }
  EXPECT_NEAR(of - used, spare / 1024, 1);
}

TEST_F(TrainCheck, LeavesARunAsItIsAndCountsFromItsCheckpoint) {
  ASSERT_EQ(train("good", "--steps 5").exit_code, 0);
  const auto before = files();
  ASSERT_EQ(train("good", "--check --steps 5").exit_code, 0);
  EXPECT_EQ(files(), before);
  ASSERT_EQ(train("good", "--check --resume out --steps 9").exit_code, 0);
  EXPECT_EQ(files(), before);
  EXPECT_NE(said_of("run").find("9 steps of 6 frames, 4 an epoch; 5 are done"), std::string::npos) << words();
  EXPECT_NE(words().find("4 steps of "), std::string::npos) << words();
  const double cycles = number("step", " cycles");
  ASSERT_EQ(train("good", "--resume out --steps 9").exit_code, 0);
  EXPECT_EQ(training::read_history(folder_ / "out/history.csv").rows.at(5).at(5), cycles);
  ASSERT_EQ(train("good", "--check --resume out --steps 9").exit_code, 0);
  EXPECT_EQ(said_of("step"), "none is left to do");
}

TEST_F(TrainCheck, SaysWhatIsTrainedAndWhatAnExporterMerged) {
  onnx::Model model = network("Tanh", 8, 16, 1, "angle");
  const auto vector_of = [](const char* name, std::int64_t length, float value) {
    return onnx::make_tensor(name, {length}, std::vector<float>(static_cast<std::size_t>(length), value));
  };
  for (auto& one : {vector_of("mean", 1, 0.5f), vector_of("scale", 128, 1), vector_of("shift", 128, 0)})
    model.graph.initialisers.push_back(one);
  model.graph.nodes = {{"centre", "Sub", "", {"image", "mean"}, {"centred"}, {}, ""},
                       {"flatten", "Flatten", "", {"centred"}, {"flat"}, {}, ""},
                       {"norm1", "LayerNormalization", "", {"flat", "scale", "shift"}, {"one"}, {}, ""},
                       {"bend", "Tanh", "", {"one"}, {"bent"}, {}, ""},
                       {"norm2", "LayerNormalization", "", {"bent", "scale", "shift"}, {"two"}, {}, ""},
                       {"head", "MatMul", "", {"two", "weight"}, {"angle"}, {}, ""}};
  write_model("norms", model);
  const Said merged = train("norms", "--check --steps 1");
  ASSERT_EQ(merged.exit_code, 0) << merged.errors;
  for (const char* words :
       {"training 384 numbers in 3 parameters: ", "not trained: mean (only scales or shifts the input",
        "warning: 'scale' is one parameter for 2 operators (norm1, norm2)", "warning: 'shift' is", "--untie"})
    EXPECT_NE(merged.errors.find(words), std::string::npos) << words << " in: " << merged.errors;
  const Said untied = train("norms", "--check --steps 1 --untie");
  ASSERT_EQ(untied.exit_code, 0) << untied.errors;
  EXPECT_NE(untied.errors.find("training 640 numbers in 5 parameters: "), std::string::npos) << untied.errors;
  EXPECT_EQ(untied.errors.find("is one parameter for"), std::string::npos) << untied.errors;

  // What the file's metadata names stays, too; a name that nothing has is refused.
  model.metadata["opendojo.frozen"] = "scale";
  write_model("frozen", model);
  const Said frozen = train("frozen", "--check --steps 1");
  EXPECT_NE(frozen.errors.find("training 256 numbers in 2 parameters: "), std::string::npos) << frozen.errors;
  EXPECT_NE(frozen.errors.find("not trained: scale (the metadata says so)"), std::string::npos)
      << frozen.errors;
  model.metadata["opendojo.frozen"] = "scales";
  write_model("misspelt", model);
  expect_refused(train("misspelt", "--check --steps 1"), {"misspelt.onnx", "'scales'"});
}

// As torch 2.13's default exporter leaves Linear and BatchNorm1d in training mode.
TEST_F(TrainCheck, WarnsOfBatchNormsThatAnExporterFolded) {
  onnx::Model model = network("Tanh", 8, 16, 1, "angle");
  model.producer = "pytorch";
  model.graph.nodes = {{"node_Flatten_0", "Flatten", "", {"image"}, {"flat"}, {}, ""},
                       {"node_Gemm_1", "Gemm", "", {"flat", "weight"}, {"getitem"}, {}, ""},
                       {"node_tanh", "Tanh", "", {"getitem"}, {"angle"}, {}, ""}};
  write_model("folded", model);
  const std::string folded = train("folded", "--check --steps 1").errors;
  EXPECT_NE(folded.find("warning: 1 batch norm was computed into node_Gemm_1 by PyTorch's exporter"),
            std::string::npos)
      << folded;
  EXPECT_NE(folded.find("optimize=False"), std::string::npos) << folded;
  model.producer = "another";
  write_model("other", model);
  EXPECT_EQ(train("other", "--check --steps 1").errors.find("warning: 1 batch norm"), std::string::npos);
}

TEST_F(TrainCheck, RefusesWhatTheRunWould) {
  expect_refused(train("good", "--check --batch 30"), {"--batch", "30"});
  expect_refused(train("good", "--check --resume nowhere"), {"nowhere"});
}

}  // namespace
}  // namespace dojo
