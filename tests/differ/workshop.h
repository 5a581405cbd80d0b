// Where the differ makes its files, and how it has other programs work on them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace dojo::differ {

// A folder of our own under the system's, removed at the end.
class Workshop {
public:
  Workshop();
  ~Workshop();
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;
  std::filesystem::path file(std::string_view name) const { return folder_ / name; }

  // Its exit code, or 128 and the signal that ended it.
  static int run(const std::string& command);

private:
  std::filesystem::path folder_;
};

}  // namespace dojo::differ
