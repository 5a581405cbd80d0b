// `dojo conformance` on cases of the standard's own backend tests (Debian's libonnx-testdata): what it prints
// and how it ends when all is right, when an operator is refused and when an expected value is another one.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "dojo_command.h"

namespace dojo {
namespace {

namespace fs = std::filesystem;
const fs::path standard = "/usr/share/libonnx-testdata/data/node";

class Conformance : public testing::Test {
protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("dojo-conformance-{}", getpid());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void take(const std::string& name) {
    fs::copy(standard / name, folder_ / name, fs::copy_options::recursive);
  }

  // The case's expected values, of which the last byte - sign and exponent of an FP32 - is changed.
  void spoil(const std::string& name) {
    const fs::path expected = folder_ / name / "test_data_set_0/output_0.pb";
    auto bytes = read_file(expected);
    bytes.back() ^= std::byte{0x80};
    write_file(expected, bytes);
  }

  int run(const std::string& more = "") {
    const fs::path words = folder_ / "words";
    const int status = std::system(
        fmt::format("{} conformance {} {} >{}", dojo_command(), folder_.string(), more, words.string())
            .c_str());
    said_ = read_text(words);
    return WEXITSTATUS(status);
  }

  fs::path folder_;
  std::string said_;
};

TEST_F(Conformance, PassesWhatTheStandardExpectsOnTheEmulatedMachine) {
  for (const char* name : {"test_matmul_2d", "test_softmax_axis_1", "test_averagepool_2d_default"})
    take(name);
  EXPECT_EQ(run("--json"), 0) << said_;
  const auto all = nlohmann::json::parse(said_);
  EXPECT_EQ(all.at("passed"), 3) << said_;
  EXPECT_EQ(all.at("on_machine"), 3) << said_;
}

TEST_F(Conformance, SaysWhichValueIsWrongAndEndsWithOne) {
  take("test_matmul_2d");
  take("test_relu");
  spoil("test_matmul_2d");
  EXPECT_EQ(run(), 1) << said_;
  EXPECT_NE(said_.find("wrong: test_matmul_2d: interpreter: "), std::string::npos) << said_;
  EXPECT_NE(said_.find("\nMatMul                         0        0      1\n"), std::string::npos) << said_;
  EXPECT_NE(said_.find("\nRelu                           1        0      0\n"), std::string::npos) << said_;
}

TEST_F(Conformance, NamesWhatItRefusesWhichIsNoFailure) {
  take("test_lstm_defaults");
  EXPECT_EQ(run(), 0) << said_;
  EXPECT_TRUE(said_.starts_with("refused: test_lstm_defaults: op 'LSTM'")) << said_;
}

}  // namespace
}  // namespace dojo
