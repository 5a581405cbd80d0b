// What the addresses of a program are called.
#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "system/program.h"

namespace dojo::system {

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
  const auto found = std::ranges::find(symbols_, name, &Symbol::name);
  return found == symbols_.end() ? otherwise : found->address;
}

bool Program::has_symbol(std::string_view name) const {
  return std::ranges::find(symbols_, name, &Symbol::name) != symbols_.end();
}

const Program::Symbol* Program::find_code(std::uint64_t address) const {
  const auto segment = std::ranges::find_if(segments_, [address](const ProgramSegment& one) {
    return address >= one.address && address < one.end();
  });
  if (segment == segments_.end()) return nullptr;
  auto after = std::ranges::upper_bound(symbols_, address, {}, &Symbol::address);
  while (after != symbols_.begin()) {
    const Symbol& symbol = *--after;
    if (symbol.address < segment->address) break;
    if (!symbol.code) continue;
    return symbol.size != 0 && address - symbol.address >= symbol.size ? nullptr : &symbol;
  }
  return nullptr;
}

const Program::Symbol* Program::find_data(std::uint64_t address) const {
  const auto found = std::ranges::find_if(symbols_, [address](const Symbol& symbol) {
    return !symbol.code && address >= symbol.address && address - symbol.address < symbol.size;
  });
  return found == symbols_.end() ? nullptr : &*found;
}

std::string Program::locate(std::uint64_t address) const {
  const Symbol* symbol = find_code(address);
  return symbol == nullptr ? "" : symbol->name + behind(address - symbol->address);
}

std::string Program::describe(std::uint64_t address) const {
  const Symbol* symbol = find_code(address);
  if (symbol == nullptr) symbol = find_data(address);
  return symbol == nullptr ? "" : demangled(symbol->name) + behind(address - symbol->address);
}

std::vector<std::pair<std::uint64_t, std::string>> Program::code_symbols() const {
  std::vector<std::pair<std::uint64_t, std::string>> found;
  for (const Symbol& symbol : symbols_)
    if (symbol.code) found.emplace_back(symbol.address, symbol.name);
  return found;
}

}  // namespace dojo::system
