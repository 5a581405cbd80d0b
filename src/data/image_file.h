// A camera's picture file: JPEG or PNG, told apart by their first bytes and not by the file's name.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace dojo::data {

struct ImageFile {
  std::optional<Image> image;
  std::string problem;           // why there is no image: "is empty"; a clause without the file's name
  std::vector<std::byte> bytes;  // as far as they could be read
};

// Never throws for what lies there: a folder, a pipe, links in a loop, half a picture.
ImageFile read_image_file(const std::filesystem::path& path);

}  // namespace dojo::data
