#include "report/profile_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json_text.h"
#include "base/printable.h"
#include "machine/events.h"

namespace dojo::report {
namespace {

using runtime::SourceLine;
using runtime::SourceLines;
using system::Profile;
using system::ProfileEntry;
using Json = nlohmann::ordered_json;

// Of picolibc or the compiler's own routines.
bool in_c_library(const SourceLine& place) {
  constexpr std::array<std::string_view, 4> folders{"/newlib/libc/", "/newlib/libm/", "/picolibc/",
                                                    "/libgcc/"};
  return std::ranges::any_of(folders, [&](std::string_view folder) { return place.file.contains(folder); });
}

template <typename Name>
ProfileRows sorted_by(const Profile& profile, const SourceLines& places, Name name) {
  std::map<std::string, ProfileEntry> sums;
  for (const auto& [pc, entry] : profile) sums[name(places.at(pc))] += entry;
  ProfileRows rows(sums.begin(), sums.end());
  std::ranges::stable_sort(rows,
                           [](const auto& a, const auto& b) { return a.second.total() > b.second.total(); });
  return rows;
}

Json json_of(const ProfileEntry& entry) {
  Json json{{"cycles", entry.total()}, {"instructions", entry.instructions}};
  for (std::size_t c = 0; c < entry.cycles.size(); ++c)
    json["cycles_by_cause"][std::string(name_of(machine::cause_events[c]))] = entry.cycles[c];
  return json;
}

Json json_of(const ProfileRows& rows) {
  Json list = Json::array();
  for (const auto& [name, entry] : rows) {
    Json row = json_of(entry);
    row["name"] = name;
    list.push_back(std::move(row));
  }
  return list;
}

}  // namespace

ProfileEntry sum_of(const Profile& profile) {
  ProfileEntry sum;
  for (const auto& [pc, entry] : profile) sum += entry;
  return sum;
}

ProfileRows rows_by_function(const Profile& profile, const SourceLines& places) {
  return sorted_by(profile, places, [](const SourceLine& place) { return place.function; });
}

ProfileRows rows_by_line(const Profile& profile, const SourceLines& places, bool whole_library) {
  std::set<std::string> folded;
  if (!whole_library)
    for (const auto& [pc, place] : places)
      if (in_c_library(place)) folded.insert(place.text());
  const std::string row = fmt::format("C library ({} lines)", folded.size());
  return sorted_by(profile, places, [&](const SourceLine& place) {
    const std::string source = place.text();
    return folded.contains(source) ? row : source;
  });
}

std::string profile_table(std::string_view title, const ProfileRows& rows, std::size_t most,
                          const ProfileEntry& sum) {
  std::string text = fmt::format("\n{:>12} {:>6} {:>12} {:>5}", "cycles", "%", "instructions", "IPC");
  std::vector<std::size_t> shown;
  for (std::size_t c = 0; c < sum.cycles.size(); ++c)
    if (sum.cycles[c] != 0) shown.push_back(c);
  for (const std::size_t c : shown) text += fmt::format(" {:>11.11}", name_of(machine::cause_events[c]));
  text += fmt::format("  {}\n", title);
  const auto line = [&](const std::string& name, const ProfileEntry& entry) {
    const auto total = static_cast<double>(entry.total());
    text += fmt::format("{:>12} {:>6.1f} {:>12} {:>5.2f}", entry.total(),
                        100 * total / static_cast<double>(std::max<std::uint64_t>(1, sum.total())),
                        entry.instructions, total == 0 ? 0 : static_cast<double>(entry.instructions) / total);
    for (const std::size_t c : shown) text += fmt::format(" {:>11}", entry.cycles[c]);
    text += fmt::format("  {}\n", printable(name));
  };
  ProfileEntry rest;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (i < most)
      line(rows[i].first, rows[i].second);
    else
      rest += rows[i].second;
  if (rows.size() > most) line(fmt::format("({} more)", rows.size() - most), rest);
  line("all", sum);
  return text;
}

std::string profile_json(const ProfileReport& report) {
  Json json{{"program", report.program},
            {"machine", report.machine},
            {"nodes", report.nodes},
            {"launch_cycles", report.launch_cycles},
            {"total", json_of(report.sum)}};
  json["functions"] = json_of(report.functions);
  json["lines"] = json_of(report.lines);
  return json_text(json, 2) + "\n";
}

}  // namespace dojo::report
