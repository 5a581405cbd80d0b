// Is what `dojo` says one line each, true, and of use, whatever stands in the files it reads?
#include <algorithm>

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

TEST_F(Messages, SayThatStandardOutputIsFull) {
  for (const char* line : {"{} machine >/dev/full", "{} --help >/dev/full"})
    expect_one_line(dojo(line), "dojo: standard output: cannot be written");
}

}  // namespace
}  // namespace dojo
