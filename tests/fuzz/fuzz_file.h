// For readers that want a path: the fuzzer's bytes as a file in memory, one per process.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>

namespace dojo::fuzz {

inline std::filesystem::path file_of(const std::uint8_t* data, std::size_t size, std::string_view extension) {
  const auto path = std::filesystem::path("/dev/shm") / fmt::format("dojo-fuzz-{}.{}", getpid(), extension);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  return path;
}

}  // namespace dojo::fuzz
