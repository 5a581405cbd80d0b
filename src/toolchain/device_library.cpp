#include "toolchain/device_library.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <span>

#include "base/cache.h"
#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/resources.h"
#include "base/sha256.h"
#include "toolchain/tool.h"

namespace dojo::toolchain {
namespace {

namespace fs = std::filesystem;

// A list of texts of which no two lists have the same hash.
class Key {
public:
  void add(std::string_view text) {
    const std::uint64_t bytes = text.size();
    hash_.add(std::as_bytes(std::span(&bytes, 1)));
    hash_.add(std::as_bytes(std::span(text)));
  }
  std::string hex() { return hash_.hex(); }

private:
  Sha256 hash_;
};

// Every file of a folder, with its name.
void add_folder(Key& key, const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    key.add(file.string());
    key.add(read_text(file));
  }
}

// What the objects follow from. The compiler's own headers and libraries are told by its version; it sees
// nothing of the environment that changes what it makes (tool.h).
std::string key_of(const LibraryRequest& request, const std::vector<std::string_view>& sources,
                   const fs::path& clang, const fs::path& folder) {
  const fs::path version = folder / "version.log";
  if (!run_tool({clang.string(), "--no-default-config", "--version"}, folder, version))
    refuse(clang.string(), "does not run");
  Key key;
  key.add(read_text(version));
  for (const std::string& flag : request.flags) key.add(flag);
  for (const std::string_view source : sources) key.add(source);
  add_folder(key, resource("device"));
  if (!request.headers.empty()) add_folder(key, request.headers);
  return key.hex();
}

// One behind the other, each with its size before it.
std::vector<std::byte> pack(const fs::path& folder, const std::vector<std::string>& objects) {
  std::vector<std::byte> packed;
  for (const std::string& object : objects) {
    const std::vector<std::byte> bytes = read_file(folder / object);
    const std::uint64_t size = bytes.size();
    const auto head = std::as_bytes(std::span(&size, 1));
    packed.insert(packed.end(), head.begin(), head.end());
    packed.insert(packed.end(), bytes.begin(), bytes.end());
  }
  return packed;
}

void unpack(std::span<const std::byte> packed, const fs::path& folder,
            const std::vector<std::string>& objects) {
  for (const std::string& object : objects) {
    std::uint64_t size = 0;
    DOJO_ENSURE(packed.size() >= sizeof size);
    std::memcpy(&size, packed.data(), sizeof size);
    packed = packed.subspan(sizeof size);
    DOJO_ENSURE(packed.size() >= size);
    std::ofstream file(folder / object, std::ios::binary);  // for a moment: it need not outlive a crash
    file.write(reinterpret_cast<const char*>(packed.data()), static_cast<std::streamsize>(size));
    file.close();
    if (!file.good()) refuse((folder / object).string(), "cannot be written: {}", std::strerror(errno));
    packed = packed.subspan(size);
  }
}

}  // namespace

void compile_source(const fs::path& clang, const std::vector<std::string>& flags, std::string_view name,
                    const fs::path& folder, const fs::path& source, const std::string& object) {
  std::vector<std::string> command{clang.string()};
  command.insert(command.end(), flags.begin(), flags.end());
  if (source.extension() == ".S") command.emplace_back("-Wno-unused-command-line-argument");
  command.insert(command.end(), {"-c", source.string(), "-o", object});
  const fs::path log = folder / (object + ".log");
  if (!run_tool(command, folder, log)) refuse(name, "does not compile: {}", first_error(log));
}

std::vector<std::string> library_objects(const LibraryRequest& request, const fs::path& folder) {
  const fs::path clang = find_tool("clang++-22", "clang-22");
  std::vector<std::string_view> sources = request.start;
  sources.insert(sources.end(), device_library.begin(), device_library.end());
  std::vector<std::string> objects;
  for (const std::string_view source : sources)
    objects.push_back(fmt::format("library-{}.o", fs::path(source).filename().string()));

  const Cache cache("device-library");
  const std::string key = key_of(request, sources, clang, folder);
  if (const auto packed = cache.find(key)) {
    unpack(*packed, folder, objects);
    return objects;
  }
  const fs::path device = resource("device");
  parallel_for(request.host_threads, sources.size(), [&](std::size_t i) {
    const fs::path source = device / sources[i];
    compile_source(clang, request.flags, source.string(), folder, source, objects[i]);
  });
  cache.keep(key, pack(folder, objects));
  return objects;
}

}  // namespace dojo::toolchain
