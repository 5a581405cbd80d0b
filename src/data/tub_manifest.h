// A tub's table of contents, manifest.json: five JSON values, one a line. The writer cuts the file and writes
// the fifth line anew for every record, without syncing, so that a car that loses its power leaves it short
// or filled with NULs. Then the folder itself says what there is.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/faults.h"

namespace dojo::data {

struct TubManifest {
  std::vector<std::string> keys;      // "user/angle", "user/throttle", then what else is declared as float
  std::vector<std::string> catalogs;  // file names, in order of time
  std::vector<long long> deleted;     // indexes, ascending
};

// Whether the folder holds a manifest or a catalog.
bool has_tub_contents(const std::filesystem::path& folder);

// Of a folder that holds one of the two.
TubManifest read_tub_manifest(const std::filesystem::path& folder, Faults& faults);

// A name that stays inside the folder it is looked up in.
bool is_bare_name(const std::string& name);

}  // namespace dojo::data
