// Recordings of drives, of whatever kind: a reader for each, chosen by what lies in the folder.
//
// A kind is a row of the table in recording.cpp: what to call it, how its folder is known, and its reader, a
// Dataset. Whatever opens a recording, names the kinds, or keeps its own files out of one reads this table.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "data/dataset.h"

namespace dojo::data {

struct RecordingOptions {
  bool strict = false;                                       // refuse what is damaged
  unsigned threads = 0;                                      // of this computer; 0: one per core
  std::function<bool()> interrupted = [] { return false; };  // then it is refused
};

struct RecordingKind {
  const char* name;      // for people: "a Donkeycar 4 or 5 tub"
  const char* pictures;  // which folder in it holds them
  // Does not throw and reads only names.
  bool (*is_in)(const std::filesystem::path& folder);
  // Throws UserError for what has no usable frame, and where interrupted.
  std::unique_ptr<Dataset> (*open)(const std::filesystem::path& folder, const RecordingOptions& options);
};

std::span<const RecordingKind> recording_kinds();

// All of their names: "a Donkeycar 4 or 5 tub or ...".
std::string recording_names();

// The first kind that knows the folder for its own; null if none does.
const RecordingKind* recording_kind(const std::filesystem::path& folder);

// The kind whose pictures lie there; null if none's do.
const RecordingKind* kind_with_pictures_in(const std::filesystem::path& folder);

// Throws UserError also for what is no recording, and then says what it is instead.
std::unique_ptr<Dataset> open_recording(const std::filesystem::path& folder, const RecordingOptions& options);

}  // namespace dojo::data
