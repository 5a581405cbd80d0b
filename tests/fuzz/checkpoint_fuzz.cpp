// Arbitrary bytes as a checkpoint whose checksum holds, for no fuzzer guesses that: read, or refused.
#include <string>

#include "base/error.h"
#include "base/sha256.h"
#include "fuzz_file.h"
#include "training/checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (size % 8 != 7) bytes += dojo::sha256_hex({reinterpret_cast<const std::byte*>(data), size});
  const auto path =
      dojo::fuzz::file_of(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), "ckpt");
  try {
    dojo::training::read_checkpoint(path);
  } catch (const dojo::UserError&) {
  }
  std::filesystem::remove(path);
  return 0;
}
