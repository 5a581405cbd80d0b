#include "data/tub_catalog.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/error.h"
#include "data/text_lines.h"

namespace dojo::data {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// Python writes numbers that JSON doesn't have; outside of strings they become null.
std::string without_python_numbers(std::string text) {
  constexpr std::string_view words[] = {"NaN", "-Infinity", "Infinity"};
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') quoted = !quoted;
    if (quoted && text[at] == '\\') ++at;
    if (quoted) continue;
    for (const std::string_view word : words)
      if (text.compare(at, word.size(), word) == 0) text.replace(at, word.size(), "null");
  }
  return text;
}

json parse(const std::string& text) {
  json value = json::parse(text, nullptr, false);
  return value.is_discarded() ? json::parse(without_python_numbers(text), nullptr, false) : value;
}

// A line's record, if it holds one, and what is wrong with the line.
struct ReadLine {
  json record = json(json::value_t::discarded);
  std::string problem;
};

ReadLine read_line(const TextLine& line) {
  ReadLine reading{parse(line.text), ""};
  if (line.had_nul || line.text.contains('\0')) reading.problem = "holds NUL bytes, as after a power cut";
  if (!reading.record.is_discarded()) return reading;
  // A drive that begins behind half a line goes on in it. The writer sorts the keys, this one is the first.
  const std::size_t second = line.text.rfind("{\"_index\"");
  if (second != std::string::npos && second != 0) reading.record = parse(line.text.substr(second));
  const bool cut = !line.ended || !reading.record.is_discarded();
  if (reading.problem.empty())
    reading.problem = cut ? "is half a record, as after a power cut" : "is not JSON";
  return reading;
}

bool has(const json& record, const char* key, bool (json::*type)() const noexcept) {
  return record.is_object() && record.contains(key) && (record[key].*type)();
}

float number_in(const json& record, const std::string& key) {
  const auto found = record.find(key);
  const float value = found != record.end() && found->is_number() ? found->get<float>()
                                                                  : std::numeric_limits<float>::quiet_NaN();
  return std::isfinite(value) ? value : std::numeric_limits<float>::quiet_NaN();
}

}  // namespace

void read_tub_catalog(const fs::path& path, std::size_t catalog, const std::vector<std::string>& keys,
                      const std::vector<long long>& deleted, std::vector<TubRecord>& records,
                      Faults& faults) {
  const std::vector<TextLine> lines = lines_of(path, faults);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string place = fmt::format("{}:{}", path.string(), i + 1);
    if (lines[i].text.empty() && !lines[i].had_nul) continue;
    const auto [value, problem] = read_line(lines[i]);
    if (!problem.empty()) faults.skip(place, problem);
    if (value.is_discarded()) continue;
    if (!has(value, "_index", &json::is_number_integer)) {
      faults.skip(place, "has no usable '_index'");
      continue;
    }
    TubRecord record;
    record.index = value["_index"].get<long long>();
    record.catalog = catalog;
    record.line = i + 1;
    record.deleted = std::ranges::binary_search(deleted, record.index);
    const bool has_image = has(value, "cam/image_array", &json::is_string);
    if (has_image) record.image = value["cam/image_array"].get<std::string>();
    if (!has_image && !record.deleted) {
      faults.skip(place, "has no usable 'cam/image_array'");
      continue;
    }
    for (const std::string& key : keys) record.labels.push_back(number_in(value, key));
    records.push_back(std::move(record));
  }
}

}  // namespace dojo::data
