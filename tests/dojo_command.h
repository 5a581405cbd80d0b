// Where the program under test lies: beside the folder of the tests.
#pragma once

#include <filesystem>
#include <string>

namespace dojo {

inline std::string dojo_command() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "dojo").string();
}

}  // namespace dojo
