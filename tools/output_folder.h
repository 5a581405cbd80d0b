// The folder that a command writes to, its own for as long as the command runs.
#pragma once

#include <filesystem>
#include <vector>

namespace dojo::tools {

// Refuses what OutputFolder would refuse, and makes nothing.
void refuse_unusable_folder(const std::filesystem::path& folder);

// Makes a folder with those above it, so that a place that cannot be written is known before the long work,
// and locks it against another command that would write there, too. The lock is the kernel's: it ends with
// this process, however that ends. What it made and nobody put anything into is gone afterwards.
class OutputFolder {
public:
  // Refuses what cannot be made or written, a folder that another process has locked, and recordings; then
  // nothing that it made is left either.
  explicit OutputFolder(const std::filesystem::path& folder);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

private:
  bool make(const std::filesystem::path& folder);
  bool lock(const std::filesystem::path& folder);
  void remove_empty() const;
  void close();

  std::vector<std::filesystem::path> made_;  // innermost first
  int descriptor_ = -1;                      // of the folder; -1: it is not ours
};

}  // namespace dojo::tools
