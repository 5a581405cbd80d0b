#include "system/program.h"

#include "base/file.h"
#include "base/sha256.h"

namespace dojo::system {

Program Program::parse(std::span<const std::byte> elf, std::string_view where) {
  Program program;
  program.elf_ = toolchain::read_elf(elf, where);
  program.where_ = where;
  program.sha256_ = sha256_hex(elf);
  return program;
}

Program Program::read(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_file(path);
  return parse(bytes, path.string());
}

std::pair<std::uint64_t, std::uint64_t> Program::text() const {
  std::pair<std::uint64_t, std::uint64_t> best{0, 0}, run{0, 0};
  for (const toolchain::ElfSegment& segment : segments()) {
    if (segment.writable) {
      run = {0, 0};
      continue;
    }
    if (run.second == 0) run.first = segment.address;
    run.second = segment.end();
    if (run.second - run.first > best.second - best.first) best = run;
  }
  return best;
}

}  // namespace dojo::system
