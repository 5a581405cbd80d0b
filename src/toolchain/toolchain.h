// From C++ text for a node to an ELF file: clang-22 and lld-22 with the flags of this machine, and the device
// library.
//
// The one place that knows these flags. The ELF's bytes depend on the texts and the compiler alone, not on
// folders, threads or time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dojo::toolchain {

struct SourceText {
  std::string name;  // what diagnostics call it: "train.cpp"
  std::string text;
};

struct BuildOptions {
  unsigned host_threads = 0;            // compilers that run at once; 0: one per core
  std::uint64_t program_base = 0x1000;  // docs/notes/001
  unsigned node_threads =
      1;  // hardware threads that a launch starts, 1..4; the others enter dojo_thread_main(thread)
  unsigned vlen_bits = 512;                // of the machine: what the vectors of the program count on
  std::vector<std::string> extra_flags{};  // for the sources only, after all others: "-g", "-DNAME=1"
};

// One ELF per program, each linked from its own sources and the device library. Throws UserError: if clang or
// lld is not installed (naming the package), or if a source does not compile or link (naming it, with the
// compiler's first error). Works in a temporary folder that is gone afterwards, whatever happens.
//
// A program that has been built before, from the same sources by the same compiler, is taken from a cache
// (base/cache.h). So sources include no headers but those of device/ and src/numerics/.
std::vector<std::vector<std::byte>> build_programs(std::span<const std::vector<SourceText>> programs,
                                                   const BuildOptions& options = {});
std::vector<std::byte> build_program(std::vector<SourceText> sources, const BuildOptions& options = {});

// The flags for one C++ source, as build_programs passes them (include folders as absolute paths).
std::vector<std::string> compile_flags(unsigned vlen_bits = 512);
// Those of the linker.
std::vector<std::string> link_flags(const BuildOptions& options = {});

}  // namespace dojo::toolchain
