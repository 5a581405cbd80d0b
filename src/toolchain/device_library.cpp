#include "toolchain/device_library.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <span>

#include "base/cache.h"
#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/resources.h"
#include "toolchain/content_key.h"
#include "toolchain/tool.h"

namespace dojo::toolchain {
namespace {

namespace fs = std::filesystem;

// What the objects follow from.
std::string key_of(const LibraryRequest& request, const std::vector<std::string_view>& sources,
                   const fs::path& clang, const fs::path& folder) {
  ContentKey key;
  key.add_answer({clang.string(), "--no-default-config", "--version"}, folder);
  for (const std::string& flag : request.flags) key.add(flag);
  for (const std::string_view source : sources) key.add(source);
  key.add_folder(resource("device"));
  if (!request.headers.empty()) key.add_folder(request.headers);
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
