// Runs random programs: several in one static ELF file, under qemu-riscv64 and here.
//
// The file holds, for every program, a record (a State) to load before it and to dump after it, and in the
// end writes all records to its standard output. Load and dump are assembled by clang once; everything else
// is put together here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "program.h"
#include "system/computer.h"

namespace dojo::differ {

constexpr std::size_t most_programs = 48;     // in one file
constexpr unsigned index_table_bytes = 1024;  // one each for 8, 16, 32 and 64-bit indices, from x3 - 2048

// A folder of our own under the system's, removed at the end.
class Workshop {
public:
  Workshop();
  ~Workshop();
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;
  std::filesystem::path file(std::string_view name) const { return folder_ / name; }

private:
  std::filesystem::path folder_;
};

// The states after all programs of a file; or why there are none.
struct Ended {
  std::vector<State> states;
  std::string died;                // empty if it did not
  std::uint64_t instructions = 0;  // executed, where known
};

class Shell {
public:
  explicit Shell(const Workshop& workshop);

  // All programs have the same VLEN; at most most_programs.
  std::vector<std::byte> elf(std::span<const Program> programs) const;

private:
  std::vector<std::byte> text_;
  std::uint64_t load_ = 0, save_ = 0, finish_ = 0;
};

// A way to run a file of programs.
using Runner = std::function<Ended(std::span<const std::byte> elf, unsigned vlen_bits)>;

Runner run_under_qemu(const Workshop& workshop);
// The whole emulated node. With timing, programs run through the timed path.
// `translated`: as host code from the first run on; otherwise by the instructions' meanings alone.
Runner run_here(bool timing, bool translated);

}  // namespace dojo::differ
