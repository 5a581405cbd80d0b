// What people give in a recording's place, and how they get from it to one.
#pragma once

#include <filesystem>

namespace dojo::data {

// Refuses `path`, which no kind of recording knows for its own (recording.h): an older tub, a folder with the
// recording inside, an archive, a folder of pictures, one of a tub's own parts.
[[noreturn]] void refuse_as_recording(const std::filesystem::path& path);

}  // namespace dojo::data
