#include "base/stages.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"

namespace dojo {

StageSink stages_into(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) refuse(folder.string(), "cannot be made: {}", failure.message());
  const bool empty = fs::is_empty(folder, failure);
  if (failure) refuse(folder.string(), "cannot be read: {}", failure.message());
  if (!empty) refuse(folder.string(), "is not empty: stages go to a folder of their own");
  return StageSink([folder, number = 0](const Stage& stage) mutable {
    ++number;
    write_text(folder / fmt::format("{:02}-{}-{}.{}", number, stage.of, stage.name, stage.ending),
               stage.text);
  });
}

}  // namespace dojo
