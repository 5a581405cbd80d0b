#include "workshop.h"

#include <stdlib.h>
#include <sys/wait.h>

#include "base/error.h"

namespace dojo::differ {

Workshop::Workshop() {
  std::string pattern = (std::filesystem::temp_directory_path() / "dojo-differ-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw UserError(pattern, "cannot be made");
  folder_ = pattern;
}

Workshop::~Workshop() { std::filesystem::remove_all(folder_); }

int Workshop::run(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace dojo::differ
