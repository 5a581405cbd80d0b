// Arbitrary bytes as a tub: its manifest, its catalog and its picture 0.jpg, divided by lines of "====". Read
// with every frame that it claims to have, or refused, and nothing else; strictly never more than otherwise.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "data/tub.h"
#include "recording_parts.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fs = std::filesystem;
  using namespace dojo::fuzz;
  static const fs::path folder = [] {
    const fs::path path = fmt::format("/dev/shm/dojo-fuzz-tub-{}", getpid());
    fs::create_directories(path / "images");
    return path;
  }();
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  write(folder / "manifest.json", take_part(rest));
  write(folder / "catalog_0.catalog", take_part(rest));
  write(folder / "images/0.jpg", take_part(rest));
  if (frames_of<dojo::data::Tub>(folder, true) > frames_of<dojo::data::Tub>(folder, false)) std::abort();
  return 0;
}
