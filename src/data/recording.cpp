#include "data/recording.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "data/not_a_recording.h"
#include "data/tub.h"

namespace dojo::data {
namespace {

namespace fs = std::filesystem;

template <typename Reader>
std::unique_ptr<Dataset> open_as(const fs::path& folder, const RecordingOptions& options) {
  return std::make_unique<Reader>(folder, options);
}

constexpr RecordingKind kinds[] = {
    {"a Donkeycar 4 or 5 tub", "images", Tub::is_in, open_as<Tub>},
};

}  // namespace

std::span<const RecordingKind> recording_kinds() { return kinds; }

std::string recording_names() {
  std::vector<const char*> names;
  for (const RecordingKind& kind : kinds) names.push_back(kind.name);
  return fmt::format("{}", fmt::join(names, " or "));
}

const RecordingKind* recording_kind(const fs::path& folder) {
  const auto found =
      std::ranges::find_if(kinds, [&](const RecordingKind& kind) { return kind.is_in(folder); });
  return found == std::end(kinds) ? nullptr : &*found;
}

const RecordingKind* kind_with_pictures_in(const fs::path& folder) {
  const fs::path place = fs::absolute(folder).lexically_normal();
  const RecordingKind* above = recording_kind(place.parent_path());
  return above != nullptr && place.filename() == above->pictures ? above : nullptr;
}

std::unique_ptr<Dataset> open_recording(const fs::path& folder, const RecordingOptions& options) {
  const RecordingKind* kind = recording_kind(folder);
  if (kind == nullptr) refuse_as_recording(folder);
  return kind->open(folder, options);
}

}  // namespace dojo::data
