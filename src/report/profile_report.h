// Where a program's cycles went, by function and by line of its sources: in words and as JSON.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/source_lines.h"
#include "system/profile.h"

namespace dojo::report {

using ProfileRows = std::vector<std::pair<std::string, system::ProfileEntry>>;  // the most cycles first

system::ProfileEntry sum_of(const system::Profile& profile);
ProfileRows rows_by_function(const system::Profile& profile, const runtime::SourceLines& places);
// Lines of the C library, as its package was built, are one row: hundreds that nobody is about to change.
// `whole_library`: they are not.
ProfileRows rows_by_line(const system::Profile& profile, const runtime::SourceLines& places,
                         bool whole_library);

// The first `most` rows under a title, the others in one, and their sum.
std::string profile_table(std::string_view title, const ProfileRows& rows, std::size_t most,
                          const system::ProfileEntry& sum);

// What is said of a run at its end.
struct ProfileReport {
  std::string_view program, machine;
  unsigned nodes = 1;
  std::uint64_t launch_cycles = 0;
  const ProfileRows& functions;
  const ProfileRows& lines;
  const system::ProfileEntry& sum;
};
std::string profile_json(const ProfileReport& report);

}  // namespace dojo::report
