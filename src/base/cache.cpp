#include "base/cache.h"

#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"

namespace dojo {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t hash_digits = 64;
constexpr std::chrono::days kept_for{30};
constexpr std::uintmax_t most_bytes = std::uintmax_t{1} << 30;  // of all entries of a cache

// The XDG base directory specification: a relative path is to be ignored.
fs::path cache_home() {
  if (const char* cache = ::getenv("XDG_CACHE_HOME"); cache != nullptr && fs::path(cache).is_absolute())
    return cache;
  if (const char* home = ::getenv("HOME"); home != nullptr && fs::path(home).is_absolute())
    return fs::path(home) / ".cache";
  return {};
}

// Entries of sources and compilers that are gone, what killed processes left, and the oldest of too many.
void remove_old(const fs::path& folder) {
  struct Entry {
    fs::file_time_type written;
    std::uintmax_t bytes;
    fs::path path;
  };
  std::vector<Entry> entries;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator(folder, gone)) {
    const fs::file_time_type written = entry.last_write_time(gone);
    const std::uintmax_t bytes = gone ? 0 : entry.file_size(gone);
    if (!gone) entries.push_back({written, bytes, entry.path()});
  }
  std::ranges::sort(entries, std::ranges::greater{}, &Entry::written);
  const auto oldest = fs::file_time_type::clock::now() - kept_for;
  std::uintmax_t bytes = 0;
  for (const Entry& entry : entries) {
    bytes += entry.bytes;
    if (entry.written < oldest || bytes > most_bytes) fs::remove(entry.path, gone);
  }
}

// Its hash, then the value.
std::vector<std::byte> entry_of(std::span<const std::byte> value) {
  const std::string hash = sha256_hex(value);
  const auto digits = std::as_bytes(std::span(hash));
  std::vector<std::byte> entry(digits.begin(), digits.end());
  entry.insert(entry.end(), value.begin(), value.end());
  return entry;
}

}  // namespace

Cache::Cache(std::string_view name) {
  if (const fs::path home = cache_home(); !home.empty()) folder_ = home / "opendojo" / name;
}

std::optional<std::vector<std::byte>> Cache::find(std::string_view key) const {
  const fs::path path = folder_ / key;
  std::error_code none;
  if (folder_.empty() || !fs::is_regular_file(path, none)) return std::nullopt;
  try {
    std::vector<std::byte> bytes = read_file(path);
    if (bytes.size() < hash_digits) return std::nullopt;
    const std::string hash(reinterpret_cast<const char*>(bytes.data()), hash_digits);
    bytes.erase(bytes.begin(), bytes.begin() + hash_digits);
    return hash == sha256_hex(bytes) ? std::optional(std::move(bytes)) : std::nullopt;
  } catch (const UserError&) {
    return std::nullopt;
  }
}

void Cache::keep(std::string_view key, std::span<const std::byte> value) const {
  std::error_code failed;
  if (folder_.empty() || (fs::create_directories(folder_, failed), failed)) return;
  try {
    write_file(folder_ / key, entry_of(value));
  } catch (const UserError&) {
    return;
  }
  remove_old(folder_);
}

}  // namespace dojo
