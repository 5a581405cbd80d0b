// For fuzzers of recordings: files from one input, and every frame read.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "base/error.h"
#include "data/recording.h"

namespace dojo::fuzz {

// The next part of `rest`; parts are divided by lines of "====".
inline std::string_view take_part(std::string_view& rest) {
  constexpr std::string_view border = "====\n";
  const std::size_t end = rest.find(border);
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + border.size());
  return part;
}

inline void write(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// A picture of one grey pixel, as PNG.
constexpr unsigned char grey_pixel[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00,
    0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x68, 0x00, 0x00, 0x00, 0x82, 0x00, 0x81,
    0x77, 0xcd, 0x72, 0xb6, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};

// Frames read; 0 if refused.
template <typename Reader>
std::size_t frames_of(const std::filesystem::path& folder, bool strict) {
  try {
    const Reader data(folder, {.strict = strict, .threads = 1});
    for (std::size_t frame = 0; frame < data.size(); ++frame) {
      data.image(frame);
      data.labels(frame);
      data.place(frame);
    }
    return data.size();
  } catch (const UserError&) {
    return 0;
  }
}

}  // namespace dojo::fuzz
