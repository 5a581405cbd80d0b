// What `dojo train` refuses, as a user meets it: one sentence, exit code 2, nothing half-written.
#include <sys/mount.h>
#include <sys/stat.h>

#include "training_command.h"

namespace dojo::refusals {
namespace {

class Refused : public TrainingCommand {};

TEST_F(Refused, OfNetworks) {
  const std::string bytes = read_text(folder_ / "good.onnx");
  write_text(folder_ / "short.onnx", bytes.substr(0, bytes.size() / 2));
  expect_refused(train("short", ""), {"short.onnx", "byte"});
  write_text(folder_ / "empty.onnx", "");
  expect_refused(train("empty", ""), {"empty.onnx"});
  expect_refused(train("absent", ""), {"absent.onnx", "No such file"});
  write_model("op", network("Bernoulli", 8, 16, 1, "angle"));
  expect_refused(train("op", ""), {"op.onnx", "'Bernoulli'", "'bend'"});
  onnx::Model several = network("Tanh", 8, 16, 3, "angle");
  several.metadata["opendojo.loss.angle"] = "mse";
  write_model("several", several);
  expect_refused(train("several", ""), {"'angle'", "3 values"});
  write_model("label", network("Tanh", 8, 16, 1, "speed"));
  expect_refused(train("label", ""), {"'speed'", "label"});
}

TEST_F(Refused, OfDataAndMachines) {
  expect_refused(train("good", "--data nowhere"), {"nowhere"});
  fs::create_directories(folder_ / "hollow");
  expect_refused(train("good", "--data hollow"),
                 {"hollow", "is no recording", "a Donkeycar 4 or 5 tub was expected"});
  write_tub(folder_ / "torn", 5);
  fs::resize_file(folder_ / "torn/catalog_0.catalog", 200);
  expect_refused(train("good", "--data torn"), {"torn", "fewer than two usable frames"});
  expect_refused(train("good", "--data torn --strict"), {"torn/catalog_0.catalog:2", "half a record"});
  expect_refused(train("good", "--machine nosuch"), {"nosuch"});
  expect_refused(train("good", machine_with("node.simd_cycle", "4")), {"machine.toml:", "node.simd_cycle"});
  for (const char* bits : {"256", "1024"})
    expect_refused(train("good", machine_with("node.vlen_bits", bits)), {"'node.vlen_bits' is", bits, "512"});
}

// It says how many frames would fit; so many do, and one more does not.
TEST_F(Refused, OfMoreFramesThanHbmHolds) {
  write_model("wide", network("Tanh", 100, 160, 1, "angle"));
  const std::string small = machine_with("interface.hbm_bytes", "1048576");
  write_tub(folder_ / "much", 60);
  const Said said = train("wide", "--check --data much " + small);
  expect_refused(said, {"has no room for the data set: 60 frames", " would fit"});
  const int fit = std::stoi(said.last.substr(said.last.rfind("; ") + 2));
  ASSERT_GT(fit, 1) << said.last;
  ASSERT_LT(fit, 60) << said.last;
  write_tub(folder_ / "full", fit);
  EXPECT_EQ(train("wide", "--check --data full " + small).exit_code, 0);
  write_tub(folder_ / "over", fit + 1);
  expect_refused(train("wide", "--check --data over " + small), {fmt::format("{} would fit", fit)});
}

TEST_F(Refused, OfWhatIsNoTubNamesIt) {
  write_tub(folder_ / "mycar/data", 3);
  expect_refused(train("good", "--data mycar"), {"mycar", "mycar/data is", "give that"});
  expect_refused(train("good", "--data mycar/data/images"), {"images", "the folder above"});
  fs::create_directories(folder_ / "old");
  write_text(folder_ / "old/record_1.json", "{}");
  expect_refused(train("good", "--data old"), {"old", "Donkeycar 3 or older", "convert_to_tub_v2.py"});
  write_text(folder_ / "tub.zip", "PK\3\4");
  expect_refused(train("good", "--data tub.zip"), {"tub.zip", "zip archive", "unpack"});
  expect_refused(train("good", "--data tub --data ./tub"), {"./tub", "the same frames as tub"});
}

TEST_F(Refused, OfNetworksInOtherFormatsNamesThemAndTheWayOut) {
  write_text(folder_ / "keras.onnx", "\x89HDF\r\n\x1a\n");
  expect_refused(train("keras", ""), {"keras.onnx", "Keras", "tf2onnx.convert --keras"});
  write_text(folder_ / "lite.onnx", std::string("\x1c\0\0\0TFL3", 8));
  expect_refused(train("lite", ""), {"lite.onnx", "TensorFlow Lite", "--tflite"});
  fs::create_directories(folder_ / "saved.onnx");
  write_text(folder_ / "saved.onnx/saved_model.pb", "");
  expect_refused(train("saved", ""), {"saved.onnx", "SavedModel", "--saved-model"});
}

// A name in Latin-1, as older systems write it: it is kept as it is, and shown with a mark for what is no
// text.
TEST_F(Refused, IsNotForNamesThatAreNoUtf8) {
  fs::rename(folder_ / "good.onnx", folder_ / "na\xefve.onnx");
  ASSERT_EQ(train("na\xefve", "--steps 2").exit_code, 0);
  EXPECT_NE(read_text(folder_ / "out/run.json").find("na\xef\xbf\xbdve.onnx"), std::string::npos);
  const Said more = dojo("{} train --resume out --steps 3");
  EXPECT_EQ(more.exit_code, 0) << more.errors;
}

// What is damaged, not measured or doubtful is said in one line each; the rest trains.
TEST_F(Refused, IsNotForTubsAsCarsLeaveThem) {
  const fs::path tub = folder_ / "torn";
  write_tub(tub, 70);
  std::string catalog = read_text(tub / "catalog_0.catalog");
  const auto replace = [&](const std::string& from, const std::string& to) {
    for (std::size_t at = 0; (at = catalog.find(from, at)) != std::string::npos; at += to.size())
      catalog.replace(at, from.size(), to);
  };
  replace(", \"user/throttle\": 0.5", "");  // the network needs the angle alone
  replace("\"user/angle\": -0.765625", "\"user/angle\": NaN");
  replace("\"user/angle\": 0.4765625", "\"user/angle\": 1.5");
  write_text(tub / "catalog_0.catalog", catalog.substr(0, catalog.size() - 20));
  fs::remove(tub / "images/7.jpg");
  fs::create_symlink("7.jpg", tub / "images/7.jpg");
  write_text(tub / "manifest.json", "[]\n[]\n{}\n{}\n{\"paths\": [\"cat");
  const Said said = train("good", "--data torn --steps 2");
  EXPECT_EQ(said.exit_code, 0) << said.errors;
  for (const char* words :
       {"torn/manifest.json:5: names no catalogs", "torn/catalog_0.catalog:70: is half a record",
        "torn/images/7.jpg (catalog_0.catalog:8): cannot be read",
        "torn/catalog_0.catalog:1: has no number for 'angle', which the network needs; skipped",
        "'angle' is 1.5, outside of -1 to 1"})
    EXPECT_NE(said.errors.find(words), std::string::npos) << words << " in: " << said.errors;
  EXPECT_EQ(said.errors.find("means nothing"), std::string::npos) << said.errors;
}

TEST_F(Refused, IsNotForSeveralTubsWhichGoOnTogether) {
  write_tub(folder_ / "other", 40);
  const Said said = train("good", "--data tub --data other --steps 2");
  ASSERT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_NE(said.errors.find("means nothing"), std::string::npos) << said.errors;
  EXPECT_NE(read_text(folder_ / "out/run.json").find("\"tub + other\""), std::string::npos);
  fs::rename(folder_ / "out", folder_ / "first");
  expect_refused(train("good", "--data other --data tub --resume first --steps 3"),
                 {"first/checkpoint.dojo", "another run"});
  const Said more = dojo("{} train --resume first --steps 3");
  EXPECT_EQ(more.exit_code, 0) << more.errors;
}

TEST_F(Refused, OfOptions) {
  for (const auto& [option, value] :
       std::vector<std::pair<std::string, std::string>>{{"--lr", "0"},
                                                        {"--lr", "-1"},
                                                        {"--lr", "nan"},
                                                        {"--lr", "inf"},
                                                        {"--lr", "1e300"},
                                                        {"--lr", "x"},
                                                        {"--batch", "0"},
                                                        {"--batch", "x"},
                                                        {"--batch", "-3"},
                                                        {"--batch", "30"},
                                                        {"--batch", "1000000"},
                                                        {"--batch", "99999999999999999999"},
                                                        {"--epochs", "0"},
                                                        {"--epochs", "18446744073709551615"},
                                                        {"--steps", "1.5"},
                                                        {"--seed", "-1"},
                                                        {"--nodes", "0"},
                                                        {"--nodes", "7"},
                                                        {"--nodes", "-1"},
                                                        {"--formats", "fp64"},
                                                        {"--schedule", "step"},
                                                        {"--optimizer", "adam"},
                                                        {"--no-such-option", "3"}})
    expect_refused(train("good", option + " " + value), {option, value});
  expect_refused(train("good", "--steps 2 --epochs 3"), {"--steps", "--epochs"});
  expect_refused(train("good", "--drives 3"), {"--drives", "--data"});
  expect_refused(dojo("{} train good.onnx --machine test6 --drives 0 --out out"), {"--drives", "0"});
  expect_refused(train("good", "--resume nowhere"), {"nowhere"});
}

// As a disk that is full after so many blocks of 1 KiB in a file: while compiling, and for anything larger.
TEST_F(Refused, OfFilesThatMayNotGrow) {
  for (const char* blocks : {"1", "8"})
    expect_refused(train("good", "--steps 2", fmt::format("ulimit -f {}", blocks)), {"cannot be written"});
}

TEST_F(Refused, LeavesNothingHalfWrittenOnAFullDisk) {
  fs::create_directories(folder_ / "disk");
  for (const char* size : {"size=16k", "size=64k"}) {
    if (::mount("tmpfs", (folder_ / "disk").c_str(), "tmpfs", 0, size) != 0)
      GTEST_SKIP() << "a disk of a test's own needs the right to mount one";
    const Said said = train("good", "--steps 2 --out disk/out");
    const bool nothing = fs::is_empty(folder_ / "disk");
    ::umount((folder_ / "disk").c_str());
    EXPECT_EQ(said.exit_code, 2) << said.errors;
    EXPECT_NE(said.last.find("No space left"), std::string::npos) << said.last;
    EXPECT_TRUE(nothing) << size;
  }
}

TEST_F(Refused, OfAPlaceThatIsNoFolder) {
  write_text(folder_ / "out", "a file");
  const Said said = train("good", "--steps 2");
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_NE(said.last.find("out: cannot be made"), std::string::npos) << said.last;
  EXPECT_EQ(read_text(folder_ / "out"), "a file");
}

TEST_F(Refused, IsNotForBatchesThatNodesCannotShareEvenly) {
  for (const std::string fine :
       {"--batch 1", "--batch 2", "--batch 7", "--nodes 1", "--nodes 5 --batch 23"}) {
    const Said said = train("good", fine + " --steps 1");
    EXPECT_EQ(said.exit_code, 0) << fine << ": " << said.errors;
    EXPECT_TRUE(fs::exists(folder_ / "out/run.json"));
  }
}

TEST_F(Refused, OfPathsThatNameNothing) {
  for (const char* option : {"--data", "--out", "--resume", "--machine"})
    expect_refused(train("good", fmt::format("{} ''", option)), {option, "''"});
  for (const char* line : {"{} conformance ''", "{} conformance . --machine ''"})
    expect_refused(dojo(line), {"'' names no file"});
}

TEST_F(Refused, OfFifosInPlaceOfFilesWithoutWaitingForAWriter) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe.onnx").c_str(), 0600), 0);
  expect_refused(train("pipe", ""), {"pipe.onnx", "FIFO"});
  expect_refused(train("good", "--machine ./pipe.onnx"), {"pipe.onnx"});
  expect_refused(train("good", "--data pipe.onnx"), {"pipe.onnx"});
  fs::create_directories(folder_ / "first");
  ASSERT_EQ(::mkfifo((folder_ / "first/checkpoint.dojo").c_str(), 0600), 0);
  expect_refused(train("good", "--resume first"), {"first/checkpoint.dojo", "FIFO"});
}

TEST_F(Refused, OfAFullTemporaryFolderNamesIt) {
  fs::create_directories(folder_ / "disk");
  for (const char* size : {"size=16k", "size=200k"}) {
    if (::mount("tmpfs", (folder_ / "disk").c_str(), "tmpfs", 0, size) != 0)
      GTEST_SKIP() << "a disk of a test's own needs the right to mount one";
    const Said said = train("good", "--steps 2", "export TMPDIR=$PWD/disk XDG_CACHE_HOME=$PWD/cache");
    ::umount((folder_ / "disk").c_str());
    expect_refused(said, {(folder_ / "disk").string(), "is full", "TMPDIR"});
  }
}

}  // namespace
}  // namespace dojo::refusals
