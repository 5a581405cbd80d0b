// A folder of one's own for files that nobody will want afterwards.
#pragma once

#include <filesystem>
#include <string_view>

namespace dojo {

class TemporaryFolder {
public:
  // Its name begins with `name`. Throws UserError if there is no place for temporary files ($TMPDIR, else
  // /tmp).
  explicit TemporaryFolder(std::string_view name);
  // Removes it with all that it holds.
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // Says that the place for temporary files is full where it is, and else that `failure` is not its fault by
  // returning. `failure`: what a tool or a write that failed in here said.
  void refuse_if_full(std::string_view failure) const;

private:
  std::filesystem::path path_;
};

}  // namespace dojo
