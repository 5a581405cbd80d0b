#include "toolchain/content_key.h"

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "base/file.h"
#include "toolchain/tool.h"

namespace dojo::toolchain {

namespace fs = std::filesystem;

void ContentKey::add(std::string_view text) {
  const std::uint64_t bytes = text.size();
  hash_.add(std::as_bytes(std::span(&bytes, 1)));
  hash_.add(std::as_bytes(std::span(text)));
}

void ContentKey::add_folder(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    add(file.string());
    add(read_text(file));
  }
}

void ContentKey::add_answer(const std::vector<std::string>& command, const fs::path& scratch) {
  const fs::path answer = scratch / "answer.log";
  if (!run_tool(command, scratch, answer)) refuse(command[0], "does not run");
  add(read_text(answer));
}

std::string ContentKey::hex() { return hash_.hex(); }

}  // namespace dojo::toolchain
