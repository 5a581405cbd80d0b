// Is what `dojo` says one line each, true, and of use, whatever stands in the files it reads?
#include <sys/mount.h>

#include <algorithm>
#include <cmath>

#include "training_command.h"

namespace dojo {
namespace {

// A name that would forge a line of ours, hide what was said before and is no text besides.
const std::string forged = "a\ndojo: all is well\r\x1b[2J";

class Messages : public TrainingCommand {
protected:
  // Every line is one that we began, and none holds anything but text.
  void expect_plain(const Said& said) {
    EXPECT_EQ(said.errors.find("\ndojo: all"), std::string::npos) << said.errors;
    EXPECT_FALSE(std::ranges::any_of(said.errors, [](unsigned char c) {
      return (c < ' ' && c != '\n') || c >= 0x7f;
    })) << said.errors;
  }
  void expect_one_line(const Said& said, const std::string& words) {
    expect_refused(said, {words});
    EXPECT_EQ(std::ranges::count(said.errors, '\n'), 1) << said.errors;
    expect_plain(said);
  }
  // As a shell takes it.
  static std::string quoted(const std::string& text) { return "'" + text + "'"; }
};

TEST_F(Messages, AreOneLineWhateverAnOptionHolds) {
  const std::string shown = "a\\ndojo: all is well\\r\\x1b[2J\\xff", word = quoted(forged + "\xff");
  expect_one_line(dojo("{} " + word), "'" + shown + "' is no command");
  expect_one_line(dojo("{} exec " + word), shown + ": ");
  expect_one_line(dojo("{} exec x --nodes " + word), "'" + shown + "' is no whole number");
  expect_one_line(dojo("{} machine " + word), shown);
  expect_one_line(dojo("{} conformance " + word), shown + ": is no folder");
  expect_one_line(dojo("{} train good.onnx --formats " + word), shown);
  expect_one_line(dojo("{} train good.onnx --no-such" + word), shown);
  expect_one_line(dojo("{} train " + word), shown + ": cannot be read");
}

TEST_F(Messages, AreOneLineWhateverNamesHold) {
  onnx::Model model = network("Bernoulli", 8, 16, 1, "angle");
  model.graph.nodes[0].name = forged + std::string("\0end", 4);
  write_model("op", model);
  const Said refused = train("op", "");
  expect_refused(refused, {"node 'a\\ndojo: all is well\\r\\x1b[2J\\x00end'", "Bernoulli"});
  expect_plain(refused);

  model = network("Tanh", 8, 16, 1, "angle");
  model.graph.initialisers[0].name = model.graph.nodes[2].inputs[1] = forged;
  write_model("named", model);
  const Said trained = train("named", "--check");
  EXPECT_EQ(trained.exit_code, 0) << trained.errors;
  EXPECT_NE(trained.errors.find("parameters: a\\ndojo: all is well\\r\\x1b[2J"), std::string::npos)
      << trained.errors;
  expect_plain(trained);
}

// A rate that no step has used cannot be at fault.
TEST_F(Messages, SayWhatOfTheFileMakesTheFirstLossNoNumber) {
  onnx::Model model = network("Tanh", 8, 16, 1, "angle");
  std::vector<float> weights = onnx::to_floats(model.graph.initialisers[0], "");
  weights[3] = weights[5] = std::nanf("");
  model.graph.initialisers[0] = onnx::make_tensor("weight", {8 * 16, 1}, std::span<const float>(weights));
  write_model("unknown", model);
  Said said = train("unknown", "--steps 3");
  EXPECT_EQ(said.exit_code, 3) << said.errors;
  EXPECT_EQ(
      said.last,
      "dojo: stopped at step 1: its loss is nan; the file's 'weight' holds 2 numbers that are not finite");

  model = network("Clip", 8, 16, 1, "angle");
  model.graph.nodes[0].inputs.push_back("low");
  model.graph.initialisers.push_back(
      onnx::make_tensor("low", {}, std::span<const float>(weights).subspan(3, 1)));
  write_model("bound", model);
  said = train("bound", "--steps 3");
  EXPECT_EQ(said.exit_code, 3) << said.errors;
  EXPECT_EQ(said.last,
            "dojo: stopped at step 1: its loss is nan; the file's 'low' holds 1 number that is not finite");

  said = train("good", "--optimizer sgd --lr 1e6 --formats fp32 --steps 9");
  EXPECT_EQ(said.exit_code, 3) << said.errors;
  EXPECT_TRUE(said.last.ends_with("try a lower learning rate (--lr)")) << said.last;
}

TEST_F(Messages, SayThatStandardOutputIsFull) {
  for (const char* line : {"{} machine >/dev/full", "{} --help >/dev/full"})
    expect_one_line(dojo(line), "dojo: standard output: cannot be written");
}

TEST_F(Messages, NameWaysOut) {
  expect_refused(train("good", "--data tub --data tub"), {"tub: is given twice"});
  expect_one_line(dojo("{} exec x --nodes 0"), "'0' is no whole number from 1 to the nodes of the machine");
}

TEST_F(Messages, OfCcNameAFullTemporaryFolder) {
  write_text(folder_ / "hello.c", "int main(void) { return 0; }\n");
  ASSERT_EQ(dojo("{} cc hello.c -o hello.elf").exit_code, 0);  // from now on the library comes from the cache
  fs::create_directories(folder_ / "disk");
  for (const char* size : {"size=4k", "size=16k"}) {
    if (::mount("tmpfs", (folder_ / "disk").c_str(), "tmpfs", 0, size) != 0)
      GTEST_SKIP() << "a disk of a test's own needs the right to mount one";
    const Said said = shell("export TMPDIR=$PWD/disk; " + dojo_command() + " cc hello.c -o hello.elf");
    const bool nothing = fs::is_empty(folder_ / "disk");
    ::umount((folder_ / "disk").c_str());
    expect_refused(said, {(folder_ / "disk").string(), "is full", "TMPDIR"});
    EXPECT_TRUE(nothing) << size;
  }
}

}  // namespace
}  // namespace dojo
