// Is every extension in the table, called as clang calls it, and are the profiles' there?
#include "isa/extensions.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "isa/block.h"
#include "isa/compressed.h"
#include "support/command.h"

namespace dojo::isa {
namespace {

// The names that clang lists, which stand with a version behind them, before a line that begins with `end`.
std::set<std::string> names_of_clang(const std::string& question, std::string_view end = "nothing") {
  const Said said = shell("clang-22 --target=riscv64-unknown-elf " + question + " 2> /dev/null");
  EXPECT_EQ(said.exit_code, 0);
  std::istringstream lines(said.words);
  std::set<std::string> names;
  for (std::string line; std::getline(lines, line) && !line.starts_with(end);) {
    std::istringstream words(line);
    std::string name, version;
    words >> name >> version;
    if (version.find('.') != std::string::npos && line.starts_with("    ")) names.insert(name);
  }
  return names;
}

bool is_listed(std::string_view name) {
  const bool own = name == "Xdojo" || name == "Sm";  // nobody else has names for them
  return own || std::ranges::find(extensions(), name, &Extension::name) != extensions().end();
}

TEST(Extensions, OfEveryRowAreListed) {
  for (const Row* row : all_rows()) EXPECT_TRUE(is_listed(row->extension)) << row->mnemonic;
  for (const CompressedRow& row : compressed_rows())
    EXPECT_TRUE(is_listed(row.extension)) << row.mnemonic << " is of " << row.extension;
}

// None of them experimental, which clang would want to be told.
TEST(Extensions, AreCalledAsClangCallsThem) {
  const std::set<std::string> known =
      names_of_clang("--print-supported-extensions", "Experimental extensions");
  EXPECT_GT(known.size(), 100u);
  std::set<std::string_view> seen;
  for (const Extension& extension : extensions()) {
    EXPECT_TRUE(known.contains(std::string(extension.llvm))) << extension.llvm;
    EXPECT_TRUE(seen.insert(extension.llvm).second) << extension.llvm << " is there twice";
  }
}

TEST(Extensions, HoldTheProfiles) {
  for (const std::string profile : {"rva22u64", "rva23u64"}) {
    const std::set<std::string> wanted = names_of_clang("--print-enabled-extensions -march=" + profile);
    EXPECT_GT(wanted.size(), 25u);
    for (const std::string& name : wanted) {
      if (name == "supm") continue;  // nobody can ask for it here
      EXPECT_NE(std::ranges::find(extensions(), name, &Extension::llvm), extensions().end())
          << name << " of " << profile;
    }
  }
}

}  // namespace
}  // namespace dojo::isa
