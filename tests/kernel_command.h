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
#include "support/command_test.h"

namespace dojo {

class KernelTools : public CommandTest {
protected:
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
};

inline std::uint64_t number_behind(const std::string& text, std::string_view word) {
  const std::size_t at = text.find(word);
  return at == std::string::npos ? 0 : std::stoull(text.substr(at + word.size()));
}

}  // namespace dojo
