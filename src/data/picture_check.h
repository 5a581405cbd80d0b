// The pictures of a recording, each decoded once before anything depends on it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/recording.h"

namespace dojo::data {

struct PictureCheck {
  std::string problem;  // why it is none (image_file.h); empty if it is good
  std::string sha256;   // of the file's bytes, as far as they could be read
};

// In the order of `pictures`. Where options.interrupted says so, a UserError that `name` was not read to its
// end.
std::vector<PictureCheck> check_pictures(const std::string& name,
                                         const std::vector<std::filesystem::path>& pictures,
                                         const RecordingOptions& options);

}  // namespace dojo::data
