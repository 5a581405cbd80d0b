#include "toolchain/tool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "base/error.h"
#include "base/file.h"

namespace dojo::toolchain {

namespace fs = std::filesystem;

fs::path find_tool(std::string_view name, std::string_view package) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const fs::path candidate = fs::path(rest.substr(0, end)) / name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  refuse(name, "not found; programs for the nodes are built with it (apt install {})", package);
}

namespace {

// In front of what the tool said, in the form that first_error looks for. Returns false, as run_tool then
// does.
bool add_error(const fs::path& log, const std::string& what) {
  std::error_code missing;
  const std::string said = fs::exists(log, missing) ? read_text(log) : "";
  write_text(log, fmt::format("error: {}\n{}", what, said));
  return false;
}

// Where a program's streams lead; ours, where nothing is said of them.
class Streams {
public:
  Streams() { check(::posix_spawn_file_actions_init(&actions_)); }
  ~Streams() { ::posix_spawn_file_actions_destroy(&actions_); }
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  void start_in(const fs::path& folder) {
    check(::posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str()));
  }
  void open(int stream, const fs::path& file, int how) {
    check(::posix_spawn_file_actions_addopen(&actions_, stream, file.c_str(), how, 0600));
  }
  void join(int stream, int other) { check(::posix_spawn_file_actions_adddup2(&actions_, stream, other)); }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }

private:
  static void check(int failure) {
    if (failure != 0)
      throw std::system_error(failure, std::generic_category(), "a program cannot be started");
  }

  posix_spawn_file_actions_t actions_;
};

// TERM only lets what a tool says to a terminal have colours. `temporary`: another TMPDIR than ours, if not
// empty.
std::vector<std::string> environment(const fs::path& temporary) {
  std::vector<std::string> variables{"LC_ALL=C"};
  for (const std::string name : {"PATH", "HOME", "TMPDIR", "TERM"}) {
    const bool ours = name == "TMPDIR" && !temporary.empty();
    const char* value = ours ? temporary.c_str() : std::getenv(name.c_str());
    if (value != nullptr) variables.push_back(fmt::format("{}={}", name, value));
  }
  return variables;
}

// As C's functions take it; good for as long as `words` is.
std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> all;
  for (const std::string& word : words) all.push_back(const_cast<char*>(word.c_str()));
  all.push_back(nullptr);
  return all;
}

struct Ending {
  int failure = 0;  // an errno if it could not be started or waited for
  int status = 0;   // else as waitpid has it
};

Ending run(const std::vector<std::string>& command, const Streams& streams, const fs::path& temporary = {}) {
  const std::vector<std::string> variables = environment(temporary);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, command[0].c_str(), streams.actions(), nullptr,
                                   pointers(command).data(), pointers(variables).data());
  if (failed != 0) return {.failure = failed};
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return {.failure = errno};
  return {.status = status};
}

}  // namespace

bool run_tool(const std::vector<std::string>& command, const fs::path& folder, const fs::path& log) {
  const std::string name = fs::path(command[0]).filename().string();
  Streams streams;
  streams.start_in(folder);
  streams.open(STDIN_FILENO, "/dev/null", O_RDONLY);
  streams.open(STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC);
  streams.join(STDOUT_FILENO, STDERR_FILENO);
  const Ending ending = run(command, streams);
  if (ending.failure != 0)
    return add_error(log, fmt::format("{} cannot be started: {}", name, std::strerror(ending.failure)));
  if (WIFSIGNALED(ending.status))
    return add_error(
        log, fmt::format("{} was ended by signal {} ({}); it may lack memory, or stack for code that deep",
                         name, WTERMSIG(ending.status), ::strsignal(WTERMSIG(ending.status))));
  const int code = WEXITSTATUS(ending.status);
  if (code != 0 && (!fs::exists(log) || fs::file_size(log) == 0))
    add_error(log, fmt::format("{} ended with code {} and said nothing", name, code));
  return code == 0;
}

bool ask_tool(const std::vector<std::string>& command, const fs::path& folder, const fs::path& input,
              const fs::path& output) {
  Streams streams;
  streams.start_in(folder);
  streams.open(STDIN_FILENO, input, O_RDONLY);
  streams.open(STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_TRUNC);
  streams.open(STDERR_FILENO, "/dev/null", O_WRONLY);
  const Ending ending = run(command, streams);
  return ending.failure == 0 && WIFEXITED(ending.status) && WEXITSTATUS(ending.status) == 0;
}

int run_tool_in_view(const std::vector<std::string>& command, const fs::path& temporary) {
  const Ending ending = run(command, Streams(), temporary);
  if (ending.failure != 0) refuse(command[0], "cannot be started: {}", std::strerror(ending.failure));
  return WIFEXITED(ending.status) ? WEXITSTATUS(ending.status) : 128 + WTERMSIG(ending.status);
}

std::string first_error(const fs::path& log) {
  const std::string text = fs::exists(log) ? read_text(log) : "";
  std::size_t at = text.find("error:");
  if (at == std::string::npos) at = 0;
  const std::size_t begin = text.rfind('\n', at) == std::string::npos ? 0 : text.rfind('\n', at) + 1;
  const std::string line = text.substr(begin, text.find('\n', at) - begin);
  return line.empty() ? "it ended with nothing in its log" : line;
}

}  // namespace dojo::toolchain
