// What a kept result of the compiler follows from, as the name under which base/cache.h keeps it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/sha256.h"

namespace dojo::toolchain {

// A list of texts of which no two lists have the same hash.
class ContentKey {
public:
  void add(std::string_view text);
  // Every file of a folder and of those in it, with its name.
  void add_folder(const std::filesystem::path& folder);
  // What a tool answers, such as its version, which tells its own headers and libraries; it sees nothing of
  // the environment that changes what it makes (tool.h). `scratch`: a folder to work in. Throws UserError if
  // the tool does not run.
  void add_answer(const std::vector<std::string>& command, const std::filesystem::path& scratch);

  std::string hex();  // 64 digits; the object is finished afterwards

private:
  Sha256 hash_;
};

}  // namespace dojo::toolchain
