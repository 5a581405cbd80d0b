// A command line of a shell's, for tests: how it ended, and what it wrote. One type for all of them, for they
// are one program.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <string>

namespace dojo {

struct Said {
  int exit_code = 0;
  std::string words = {}, errors = {};  // standard output and, where it is caught apart, standard error
  std::string last = {};                // line of `errors`, where somebody asks
};

inline Said shell(const std::string& line) {
  Said said;
  FILE* pipe = popen(line.c_str(), "r");
  if (pipe == nullptr) return {-1, ""};
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe))
    said.words.append(buffer, count);
  said.exit_code = WEXITSTATUS(pclose(pipe));
  return said;
}

}  // namespace dojo
