// What the addresses of a program are called.
#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "system/program.h"

namespace dojo::system {

using toolchain::ElfSegment;
using toolchain::ElfSymbol;

namespace {

std::string behind(std::uint64_t distance) { return distance == 0 ? "" : fmt::format("+{:#x}", distance); }

// C++'s names as they are written; any other as it is.
std::string demangled(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
  return name.starts_with("_Z") && status == 0 ? text.get() : name;
}

}  // namespace

std::uint64_t Program::symbol(std::string_view name, std::uint64_t otherwise) const {
  const auto found = std::ranges::find(elf_.symbols, name, &ElfSymbol::name);
  return found == elf_.symbols.end() ? otherwise : found->address;
}

bool Program::has_symbol(std::string_view name) const {
  return std::ranges::find(elf_.symbols, name, &ElfSymbol::name) != elf_.symbols.end();
}

const ElfSymbol* Program::find_code(std::uint64_t address) const {
  const auto segment = std::ranges::find_if(elf_.segments, [address](const ElfSegment& one) {
    return address >= one.address && address < one.end();
  });
  if (segment == elf_.segments.end()) return nullptr;
  auto after = std::ranges::upper_bound(elf_.symbols, address, {}, &ElfSymbol::address);
  while (after != elf_.symbols.begin()) {
    const ElfSymbol& symbol = *--after;
    if (symbol.address < segment->address) break;
    if (!symbol.code) continue;
    return symbol.size != 0 && address - symbol.address >= symbol.size ? nullptr : &symbol;
  }
  return nullptr;
}

const ElfSymbol* Program::find_data(std::uint64_t address) const {
  const auto found = std::ranges::find_if(elf_.symbols, [address](const ElfSymbol& symbol) {
    return !symbol.code && address >= symbol.address && address - symbol.address < symbol.size;
  });
  return found == elf_.symbols.end() ? nullptr : &*found;
}

std::string Program::locate(std::uint64_t address) const {
  const ElfSymbol* symbol = find_code(address);
  return symbol == nullptr ? "" : symbol->name + behind(address - symbol->address);
}

std::string Program::describe(std::uint64_t address) const {
  const ElfSymbol* symbol = find_code(address);
  if (symbol == nullptr) symbol = find_data(address);
  return symbol == nullptr ? "" : demangled(symbol->name) + behind(address - symbol->address);
}

}  // namespace dojo::system
