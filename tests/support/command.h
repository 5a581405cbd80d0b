// A command line of a shell's, for tests: how it ended, and what it wrote. And where the program under test
// lies. Tests of rooms may include it, too.
#pragma once

#include <fmt/format.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/file.h"

namespace dojo {

struct Said {
  int exit_code = 0;
  std::string words = {}, errors = {};  // standard output and, where it is caught apart, standard error
  std::string last = {};                // line of `errors`
};

// Of what wait() and system() give: the exit code, or 128 and the signal that ended it.
inline int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

inline int run(const std::string& line) { return exit_code_of(std::system(line.c_str())); }

inline Said shell(const std::string& line) {
  Said said;
  FILE* pipe = popen(line.c_str(), "r");
  if (pipe == nullptr) return {-1, ""};
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe))
    said.words.append(buffer, count);
  said.exit_code = exit_code_of(pclose(pipe));
  return said;
}

// In `folder`, where the last command's two outputs are caught in the files `words` and `errors`.
inline Said shell_in(const std::filesystem::path& folder, const std::string& line) {
  Said said;
  said.exit_code = run(fmt::format("cd '{}' && {} >words 2>errors", folder.string(), line));
  said.words = read_text(folder / "words");
  said.errors = read_text(folder / "errors");
  const std::string lines = said.errors.substr(0, said.errors.size() - !said.errors.empty());
  said.last = lines.substr(lines.rfind('\n') + 1);
  return said;
}

// Beside the folder of the tests.
inline std::string dojo_command() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "dojo").string();
}

}  // namespace dojo
