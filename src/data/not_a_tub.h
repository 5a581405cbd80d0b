// What people give in a tub's place, and how they get from it to a tub.
#pragma once

#include <filesystem>

namespace dojo::data {

// Refuses `path`, which holds no manifest and no catalog: an older tub, a car's folder with the tub inside,
// an archive, a folder of pictures, one of the tub's own parts.
[[noreturn]] void refuse_as_tub(const std::filesystem::path& path);

}  // namespace dojo::data
