// What took time to make and can be made again, kept on disk between runs.
//
// A cache is never the reason that something fails: what cannot be read, is cut short or was changed is not
// there, and what cannot be kept is not kept; what was kept a month ago is forgotten, and the oldest of what
// takes more than a GiB. Several processes may use one at a time, and any of them may be killed: an entry is
// written as a whole (file.h), and holds a hash of itself.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace dojo {

class Cache {
public:
  // In $XDG_CACHE_HOME/opendojo, else $HOME/.cache/opendojo; without either nothing is found or kept.
  explicit Cache(std::string_view name);

  // `key`: a file name, such as a hash of all that the value follows from.
  std::optional<std::vector<std::byte>> find(std::string_view key) const;
  void keep(std::string_view key, std::span<const std::byte> value) const;

private:
  std::filesystem::path folder_;  // empty: none
};

}  // namespace dojo
