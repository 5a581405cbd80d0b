// `dojo` as the author of a kernel meets it, in a folder of a test's own: for the tests of cc, exec and
// profile.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "dojo_command.h"
#include "said.h"

namespace dojo {

namespace fs = std::filesystem;

class KernelTools : public testing::Test {
protected:
  // Runs `dojo` in the test's folder; its input is what the command `feeder` writes, and it sees `variables`
  // in its environment.
  Said dojo(const std::string& arguments, const std::string& feeder = "true",
            const std::string& variables = "") const {
    const std::string line = fmt::format("cd {} && {} | {} {} {} >words 2>errors", folder_.string(), feeder,
                                         variables, dojo_command(), arguments);
    Said said;
    said.exit_code = WEXITSTATUS(std::system(line.c_str()));
    said.words = read_text(folder_ / "words");
    said.errors = read_text(folder_ / "errors");
    return said;
  }

  void write(const std::string& name, std::string_view text) const { write_text(folder_ / name, text); }

  void expect_built(const std::string& arguments) const {
    const Said said = dojo("cc " + arguments);
    ASSERT_EQ(said.exit_code, 0) << said.errors;
    EXPECT_EQ(said.words + said.errors, "");
  }

  // Exit code 2 and one sentence that says every word of `words`.
  void expect_refused(const std::string& arguments, const std::vector<std::string>& words) const {
    const Said said = dojo(arguments);
    EXPECT_EQ(said.exit_code, 2) << arguments;
    EXPECT_TRUE(said.errors.starts_with("dojo: ")) << arguments << ": " << said.errors;
    EXPECT_EQ(std::ranges::count(said.errors, '\n'), 1) << said.errors;
    EXPECT_EQ(said.words, "") << arguments;
    for (const std::string& word : words)
      EXPECT_NE(said.errors.find(word), std::string::npos) << word << " in: " << said.errors;
  }

  const TemporaryFolder own_{"dojo-kernel"};
  const fs::path folder_ = own_.path();
};

inline std::uint64_t number_behind(const std::string& text, std::string_view word) {
  const std::size_t at = text.find(word);
  return at == std::string::npos ? 0 : std::stoull(text.substr(at + word.size()));
}

}  // namespace dojo
