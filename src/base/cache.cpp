#include "base/cache.h"

#include <stdlib.h>

#include <chrono>
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

// The XDG base directory specification: a relative path is to be ignored.
fs::path cache_home() {
  if (const char* cache = ::getenv("XDG_CACHE_HOME"); cache != nullptr && fs::path(cache).is_absolute())
    return cache;
  if (const char* home = ::getenv("HOME"); home != nullptr && fs::path(home).is_absolute())
    return fs::path(home) / ".cache";
  return {};
}

// Entries of sources and compilers that are gone, and what killed processes left.
void remove_old(const fs::path& folder) {
  std::error_code ignored;
  const auto oldest = fs::file_time_type::clock::now() - kept_for;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const fs::file_time_type written = entry.last_write_time(ignored);
    if (!ignored && written < oldest) fs::remove(entry.path(), ignored);
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
