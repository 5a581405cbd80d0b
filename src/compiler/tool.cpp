#include "compiler/tool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/file.h"

extern char** environ;

namespace dojo::compiler {

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

}  // namespace

bool run_tool(const std::vector<std::string>& command, const fs::path& folder, const fs::path& log) {
  std::vector<char*> arguments;
  for (const std::string& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  const std::string name = fs::path(command[0]).filename().string();
  if (failed != 0)
    return add_error(log, fmt::format("{} cannot be started: {}", name, std::strerror(failed)));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return add_error(log, fmt::format("{}: {}", name, std::strerror(errno)));
  if (WIFSIGNALED(status))
    return add_error(
        log, fmt::format("{} was ended by signal {} ({}); it may lack memory, or stack for code that deep",
                         name, WTERMSIG(status), ::strsignal(WTERMSIG(status))));
  if (WEXITSTATUS(status) != 0 && (!fs::exists(log) || fs::file_size(log) == 0))
    add_error(log, fmt::format("{} ended with code {} and said nothing", name, WEXITSTATUS(status)));
  return WEXITSTATUS(status) == 0;
}

std::string first_error(const fs::path& log) {
  const std::string text = fs::exists(log) ? read_text(log) : "";
  std::size_t at = text.find("error:");
  if (at == std::string::npos) at = 0;
  const std::size_t begin = text.rfind('\n', at) == std::string::npos ? 0 : text.rfind('\n', at) + 1;
  const std::string line = text.substr(begin, text.find('\n', at) - begin);
  return line.empty() ? "it ended with nothing in its log" : line;
}

}  // namespace dojo::compiler
