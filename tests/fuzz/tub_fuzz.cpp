// Arbitrary bytes as a tub: its manifest, its catalog and its picture 0.jpg, divided by lines of "====". Read
// with every frame that it claims to have, or refused, and nothing else; strictly never more than otherwise.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include "base/error.h"
#include "data/tub.h"

namespace {

namespace fs = std::filesystem;

std::string_view take_part(std::string_view& rest) {
  constexpr std::string_view border = "====\n";
  const std::size_t end = rest.find(border);
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + border.size());
  return part;
}

void write(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// Frames read; 0 if refused.
std::size_t frames_of(const fs::path& folder, bool strict) {
  try {
    const dojo::data::Tub tub(folder, {.strict = strict, .threads = 1});
    for (std::size_t frame = 0; frame < tub.size(); ++frame) {
      tub.image(frame);
      tub.labels(frame);
      tub.place(frame);
    }
    return tub.size();
  } catch (const dojo::UserError&) {
    return 0;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fs::path folder = [] {
    const fs::path path = fmt::format("/dev/shm/dojo-fuzz-tub-{}", getpid());
    fs::create_directories(path / "images");
    return path;
  }();
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  write(folder / "manifest.json", take_part(rest));
  write(folder / "catalog_0.catalog", take_part(rest));
  write(folder / "images/0.jpg", take_part(rest));
  if (frames_of(folder, true) > frames_of(folder, false)) std::abort();
  return 0;
}
