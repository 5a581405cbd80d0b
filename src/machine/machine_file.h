// Machine files as texts: found, parsed, and the file that `extends` names laid under the one that names it.
// What a row means is read_machine.cpp's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "machine/machine.h"
#include "machine/toml_text.h"

namespace dojo::machine {

struct ParsedFile {
  std::string path;
  toml::table root;

  ParsedFile(std::string file_path, toml::table table) : path(std::move(file_path)), root(std::move(table)) {}
  // A copy of toml++'s would no longer know its lines.
  ParsedFile(ParsedFile&&) = default;

  std::string at(const toml::node& node) const;  // "path:line"
};

std::vector<std::string> machine_names();  // of those that come with us, sorted

// The file of `name`, the one that it extends, and so on to one that extends nothing. Refuses what is no
// TOML, keys that no machine file has, and a chain that leads back into itself.
std::vector<ParsedFile> read_files(std::string_view name, const FindMachine& find);

// A parameter's row, from the first of the files that has one.
struct FoundRow {
  const ParsedFile& file;
  const toml::node& node;
};
std::optional<FoundRow> find_row(const std::vector<ParsedFile>& files, std::string_view section,
                                 std::string_view key);

void refuse_unknown_keys(const ParsedFile& file, const toml::table& table, std::string_view section,
                         std::initializer_list<std::string_view> known);

// A text that is there and not empty.
std::string read_string(const ParsedFile& file, const toml::table& table, std::string_view key);

}  // namespace dojo::machine
