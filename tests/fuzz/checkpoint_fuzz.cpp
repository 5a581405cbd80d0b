// Arbitrary bytes as a run's checkpoint whose checksum holds, for no fuzzer guesses that: read, or refused.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.h"
#include "base/sha256.h"
#include "training/saved_run.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto folder = std::filesystem::path("/dev/shm") / fmt::format("dojo-fuzz-{}", getpid());
  std::filesystem::create_directories(folder);
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (size % 8 != 7) bytes += dojo::sha256_hex({reinterpret_cast<const std::byte*>(data), size});
  std::ofstream(dojo::training::checkpoint_in(folder), std::ios::binary) << bytes;
  try {
    dojo::training::read_saved(folder);
  } catch (const dojo::UserError&) {
  }
  std::filesystem::remove_all(folder);
  return 0;
}
