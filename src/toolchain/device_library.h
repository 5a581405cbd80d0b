// The device library as object files: compiled once for a compiler, its flags and the state of the sources,
// and kept for later programs (base/cache.h).
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace dojo::toolchain {

// Its sources under device/, in link order. Whatever a program starts with stands before them.
constexpr std::array<std::string_view, 7> device_library{
    "memory.cpp", "print.cpp", "collective.cpp", "boxes.cpp", "matmul.cpp", "transpose.cpp", "vector.cpp"};

struct LibraryRequest {
  std::vector<std::string_view> start;  // sources under device/ that stand before the library
  std::vector<std::string> flags;       // of clang
  std::filesystem::path headers;        // a folder that the flags name and that is not ours; empty: none
  unsigned host_threads = 0;            // compilers that run at once; 0: one per core
};

// Puts an object for each source into `folder` and returns their names there, in link order. The bytes are
// the same whether they were kept or made. Throws UserError if clang is not installed or a source does not
// compile.
std::vector<std::string> library_objects(const LibraryRequest& request, const std::filesystem::path& folder);

// Compiles one source in `folder` to `object` there. Throws UserError with the compiler's first error, in
// which the source is called `name`.
void compile_source(const std::filesystem::path& clang, const std::vector<std::string>& flags,
                    std::string_view name, const std::filesystem::path& folder,
                    const std::filesystem::path& source, const std::string& object);

}  // namespace dojo::toolchain
