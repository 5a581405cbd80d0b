// Puts several random programs into one static ELF file.
//
// The file holds, for every program, a record (a State) to load before it and to dump after it, and in the
// end writes all records to its standard output. Load and dump are assembled by clang once; everything else
// is put together here.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "program.h"
#include "workshop.h"

namespace dojo::differ {

// Where the files lie.
constexpr std::uint64_t first_address = 0x400000, end_address = 0x800000;

constexpr std::size_t most_programs = 48;     // in one file
constexpr unsigned index_table_bytes = 1024;  // one each for 8, 16, 32 and 64-bit indices, from x3 - 2048

// Whom the file asks to write its records and to end.
enum class Service : std::uint8_t {
  linux_calls,     // by ecall
  host_interface,  // through tohost, as programs for bare machines do
};

class Shell {
public:
  Shell(const Workshop& workshop, Service service);

  // All programs have the same VLEN; at most most_programs.
  std::vector<std::byte> elf(std::span<const Program> programs) const;

private:
  Service service_;
  std::vector<std::byte> text_;
  std::uint64_t load_ = 0, save_ = 0, finish_ = 0;
};

}  // namespace dojo::differ
