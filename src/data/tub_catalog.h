// A tub's catalog: one JSON record a line. Every record is written and flushed by itself, nothing is synced:
// the last lines may be cut, filled with NULs, or run into the first line of the next drive.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/faults.h"

namespace dojo::data {

struct TubRecord {
  long long index = 0;  // unique in a whole tub, ascending in time
  bool deleted = false;
  std::string image;                  // as the record names it; empty if a deleted record names none
  std::vector<float> labels;          // NaN where the record has no finite number: the writer leaves None out
  std::size_t catalog = 0, line = 0;  // where it stands: a place in the manifest's list; from 1
};

// Appends the records of one catalog, `keys` giving their labels and `deleted` (ascending) the indexes that
// don't count. What cannot be read is a fault.
void read_tub_catalog(const std::filesystem::path& path, std::size_t catalog,
                      const std::vector<std::string>& keys, const std::vector<long long>& deleted,
                      std::vector<TubRecord>& records, Faults& faults);

}  // namespace dojo::data
