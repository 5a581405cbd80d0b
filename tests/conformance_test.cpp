// `dojo conformance` on cases of the standard's own backend tests (Debian's libonnx-testdata): what it prints
// and how it ends when all is right, when an operator is refused and when an expected value is another one.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "support/command_test.h"
#include "support/json.h"

namespace dojo {
namespace {

namespace fs = std::filesystem;
const fs::path standard = "/usr/share/libonnx-testdata/data/node";

class Conformance : public CommandTest {
protected:
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

  // The cases lie beside what is said of them, which is not one.
  Said conformance(const std::string& more = "") const {
    return dojo(fmt::format("conformance {} {}", folder_.string(), more));
  }
};

TEST_F(Conformance, PassesWhatTheStandardExpectsOnTheEmulatedMachine) {
  // A product, windows, numbers that name places, an input that is the result, a result that is known.
  for (const char* name : {"test_matmul_2d", "test_averagepool_2d_default", "test_onehot_without_axis",
                           "test_cast_FLOAT_to_DOUBLE", "test_shape"})
    take(name);
  const Said said = conformance("--json");
  EXPECT_EQ(said.exit_code, 0) << said.errors;
  const Json all = Json::parse(said.words);
  EXPECT_EQ(all.at("passed"), 5) << said.words;
  EXPECT_EQ(all.at("on_machine"), 5) << said.words;
}

TEST_F(Conformance, SaysWhichValueIsWrongAndEndsWithOne) {
  take("test_matmul_2d");
  take("test_relu");
  spoil("test_matmul_2d");
  const Said said = conformance();
  EXPECT_EQ(said.exit_code, 1) << said.errors;
  EXPECT_NE(said.words.find("wrong: test_matmul_2d: interpreter: "), std::string::npos) << said.words;
  EXPECT_NE(said.words.find("\nMatMul                         0        0      1\n"), std::string::npos)
      << said.words;
  EXPECT_NE(said.words.find("\nRelu                           1        0      0\n"), std::string::npos)
      << said.words;
}

TEST_F(Conformance, NamesWhatItRefusesWhichIsNoFailure) {
  take("test_identity_sequence");
  take("test_nonmaxsuppression_single_box");
  const Said said = conformance();
  EXPECT_EQ(said.exit_code, 0) << said.errors;
  EXPECT_TRUE(said.words.starts_with(
      "refused: test_identity_sequence: input 'x' is no tensor but a sequence, a map or "
      "an optional value (unsupported)\n"
      "refused: test_nonmaxsuppression_single_box: op 'NonMaxSuppression'"))
      << said.words;
}

}  // namespace
}  // namespace dojo
