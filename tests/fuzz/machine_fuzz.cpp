// Arbitrary text as a machine file: read, or refused with its place.
#include "base/error.h"
#include "fuzz_file.h"
#include "machine/machine.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto path = dojo::fuzz::file_of(data, size, "toml");
  try {
    dojo::machine::read_machine(path.string());
  } catch (const dojo::UserError&) {
  }
  std::filesystem::remove(path);
  return 0;
}
