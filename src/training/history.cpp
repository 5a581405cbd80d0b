#include "training/history.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "training/run_folder.h"
#include "training/table_text.h"

namespace dojo::training {
namespace {

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

// Whole lines; what a cut left behind the last is not one.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1))
    lines.push_back(text.substr(0, end));
  return lines;
}

double number(std::string_view text) {
  double value = std::numeric_limits<double>::quiet_NaN();
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string header(const std::vector<std::string>& outputs, const std::vector<OutputQuality>& values) {
  std::string line = "step,epoch,loss";
  for (const std::string& output : outputs) line += ",loss." + head_field(output);
  line += ",learning_rate,cycles,frames_per_second";
  for (const OutputQuality& value : values)
    line +=
        fmt::format(fmt::runtime(value.classes_are_names ? ",accuracy.{0},error.{0}" : ",r2.{0},rmse.{0}"),
                    head_field(column(value)));
  return line + "\n";
}

}  // namespace

HistoryTable read_history(const std::filesystem::path& path) {
  const std::string text = read_text(path);
  HistoryTable table;
  for (const std::string_view line : lines_of(text)) {
    const auto fields = split(line);
    if (table.columns.empty()) {
      table.columns.assign(fields.begin(), fields.end());
      continue;
    }
    if (fields.size() != table.columns.size())
      refuse(path.string(), "has a row of {} fields under {} columns", fields.size(), table.columns.size());
    std::ranges::transform(fields, std::back_inserter(table.rows.emplace_back()), number);
  }
  return table;
}

History::History(const std::filesystem::path& folder, const std::vector<std::string>& outputs,
                 const std::vector<OutputQuality>& values, const std::filesystem::path& earlier,
                 std::uint64_t last_step)
    : path_(folder / history_file), values_(values.size()) {
  std::string text = header(outputs, values);
  std::error_code none;
  if (last_step != 0 && std::filesystem::exists(earlier, none)) {
    const std::string before = read_text(earlier);
    for (const std::string_view line : lines_of(before))
      if (number(line) <= static_cast<double>(last_step)) text += fmt::format("{}\n", line);
  }
  write_text(path_, text);
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (descriptor_ < 0) refuse(path_.string(), "cannot be written: {}", std::strerror(errno));
}

History::~History() { ::close(descriptor_); }

void History::add(const HistoryRow& row) {
  std::string line = fmt::format("{},{}", row.step, row.epoch);
  for (const float loss : row.losses) line += fmt::format(",{}", loss);
  line += fmt::format(",{},{},{:.4g}", row.learning_rate, row.cycles, row.frames_per_second);
  for (const OutputQuality& value : row.validation)
    line += std::isnan(value.merit()) ? fmt::format(",,{:.6g}", value.error())
                                      : fmt::format(",{:.6g},{:.6g}", value.merit(), value.error());
  if (row.validation.empty()) line.append(2 * values_, ',');
  line += "\n";
  // One write a row: a kill leaves whole rows.
  const ssize_t wrote = ::write(descriptor_, line.data(), line.size());
  if (wrote != static_cast<ssize_t>(line.size()))
    refuse(path_.string(), "cannot be written: {}", std::strerror(wrote < 0 ? errno : ENOSPC));
}

void History::sync() {
  if (::fsync(descriptor_) != 0) refuse(path_.string(), "cannot be written: {}", std::strerror(errno));
}

}  // namespace dojo::training
