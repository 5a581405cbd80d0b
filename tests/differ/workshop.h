// Where the differ makes its files.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/temporary_folder.h"

namespace dojo::differ {

class Workshop {
public:
  std::filesystem::path file(std::string_view name) const { return folder_.path() / name; }

private:
  TemporaryFolder folder_{"dojo-differ"};
};

}  // namespace dojo::differ
