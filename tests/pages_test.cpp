// Do the manual page and the shells' completion say every command and option, in their readers' own grammar?
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "support/command.h"
#include "support/pattern.h"

namespace dojo {
namespace {

std::string dojo_says(const std::string& words) { return shell(dojo_command() + " " + words).words; }

std::set<std::string> matches(const std::string& text, const std::string& expression) {
  std::set<std::string> found;
  for (const Match& match : all_matches(text, expression)) found.insert(match[1]);
  return found;
}

const std::set<std::string>& commands() {
  static const std::string help = dojo_says("--help");
  static const std::set<std::string> names = matches(help.substr(help.find("Subcommands:")), "\n  ([a-z]+) ");
  return names;
}

std::set<std::string> options_of(const std::string& command) {
  return matches(dojo_says(command + " --help"), "\n  (?:-h,)?(--?[a-z-]+)");
}

TEST(Pages, TheManualSaysEveryOptionBehindItsCommand) {
  const std::string manual = replaced(dojo_says("manual"), "\\\\-", "-");
  ASSERT_GE(commands().size(), 11u);
  for (const std::string& command : commands()) {
    const std::size_t begin = manual.find(".SS " + command + "\n"), end = manual.find("\n.S", begin + 1);
    ASSERT_NE(begin, manual.npos) << command;
    std::set<std::string> wanted = options_of(command);
    EXPECT_TRUE(wanted.erase("--help"));  // said once for all
    EXPECT_EQ(matches(manual.substr(begin, end - begin), "\n\\.TP\n\\\\fB(--?[a-z-]+)"), wanted) << command;
  }
}

TEST(Pages, GroffReadsTheManualWithoutAWarning) {
  const Said said = shell(dojo_command() + " manual | groff -man -Tascii -P-c -ww 2>&1");
  EXPECT_EQ(said.exit_code, 0);
  EXPECT_EQ(said.words.find("warning"), std::string::npos) << said.words;
  EXPECT_EQ(said.words.find("error"), std::string::npos) << said.words;
  EXPECT_NE(said.words.find("Default: 0.003."), std::string::npos) << said.words;
}

// What bash completes the last of the words to, in a folder of two files.
class Bash : public testing::Test {
protected:
  void SetUp() override {
    write_text(folder_.path() / "network.onnx", "");
    write_text(folder_.path() / "script", dojo_says("completion bash"));
  }

  std::set<std::string> completed(const std::string& words) const {
    const Said said = shell(fmt::format(
        "cd '{}' && bash -c '. ./script && COMP_WORDS=({}) && COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)) && "
        "_dojo && printf \"%s\\n\" \"${{COMPREPLY[@]}}\"' 2>&1",
        folder_.path().string(), words));
    EXPECT_EQ(said.exit_code, 0) << said.words;
    return matches("\n" + said.words, "\n([^\n]+)");
  }

  const TemporaryFolder folder_{"dojo-bash"};
  using Words = std::set<std::string>;
};

TEST_F(Bash, CompletesCommands) {
  Words wanted = commands();
  wanted.insert({"--help", "--version"});
  EXPECT_EQ(completed("dojo \"\""), wanted);
  EXPECT_EQ(completed("dojo pr"), (Words{"predict", "prepare", "profile"}));
}

TEST_F(Bash, CompletesEveryOptionOfEveryCommand) {
  for (const std::string& command : commands())
    EXPECT_EQ(completed("dojo " + command + " -"), options_of(command)) << command;
}

TEST_F(Bash, CompletesValues) {
  EXPECT_EQ(completed("dojo train --formats \"\""), (Words{"fp32", "bf16", "cfloat8"}));
  EXPECT_EQ(completed("dojo train --formats = cf"), (Words{"cfloat8"}));
  EXPECT_EQ(completed("dojo train --formats ="), (Words{"fp32", "bf16", "cfloat8"}));
  EXPECT_EQ(completed("dojo train --machine te"), (Words{"test6"}));
  EXPECT_EQ(completed("dojo train --machine net"), (Words{"network.onnx"}));
  EXPECT_EQ(completed("dojo machine d"), (Words{"d1"}));
  EXPECT_EQ(completed("dojo train --lr \"\""), Words{});
  EXPECT_EQ(completed("dojo completion z"), (Words{"zsh"}));
}

TEST_F(Bash, CompletesFiles) {
  EXPECT_EQ(completed("dojo train \"\""), (Words{"network.onnx", "script"}));
  EXPECT_EQ(completed("dojo train --data net"), (Words{"network.onnx"}));
  EXPECT_EQ(completed("dojo cc -O2 net"), (Words{"network.onnx"}));
}

TEST(Pages, ZshAndFishAreToldEveryOptionToo) {
  const std::string zsh = dojo_says("completion zsh"), fish = dojo_says("completion fish");
  for (const std::string& command : commands()) {
    const std::size_t begin = zsh.find("\n    " + command + ") _arguments"), end = zsh.find(";;", begin);
    ASSERT_NE(begin, zsh.npos) << command;
    EXPECT_EQ(matches(zsh.substr(begin, end - begin), "'\\*?(--?[a-z-]+)[=+]?\\["), options_of(command))
        << command;
    std::set<std::string> told{"--help"};
    for (const auto& [letters, dashes] : {std::pair("s", "-"), {"l", "--"}})
      for (const std::string& name :
           matches(fish, fmt::format("__fish_seen_subcommand_from {}' -{} ([a-z-]+) ", command, letters)))
        told.insert(dashes + name);
    EXPECT_EQ(told, options_of(command)) << command;
  }
}

TEST(Pages, OfOtherShellsThereAreNone) {
  const Said said = shell(dojo_command() + " completion ksh 2>&1");
  EXPECT_EQ(said.exit_code, 2);
  EXPECT_EQ(said.words, "dojo: SHELL: 'ksh' is not bash, zsh or fish\n");
}

}  // namespace
}  // namespace dojo
