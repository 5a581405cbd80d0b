#include "machine/machine_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/resources.h"
#include "machine/parameter_table.h"
#include "machine/toml_text.h"

namespace dojo::machine {
namespace {

namespace fs = std::filesystem;

fs::path locate(std::string_view name, const std::string& from) {
  const fs::path given(name);
  if (!name.contains('\0')) {
    if (given.has_parent_path() || given.extension() == ".toml")
      return from.empty() ? given : (fs::path(from).parent_path() / given).lexically_normal();
    const fs::path path = resource("machines") / fmt::format("{}.toml", name);
    if (fs::exists(path)) return path;
  }
  refuse(name, "no such machine: neither a path to a .toml file nor one of {}",
         fmt::join(machine_names(), ", "));
}

void refuse_misspelt(const ParsedFile& file) {
  refuse_unknown_keys(file, file.root, "a machine file",
                      {"name", "description", "extends", "node", "mesh", "interface"});
  for (const auto& [section, node] : file.root) {
    if (std::ranges::find(parameter_rows(), section.str(), &ParameterRow::section) == parameter_rows().end())
      continue;
    if (!node.is_table()) refuse(file.at(node), "'{}' must be a section [{}]", section.str(), section.str());
    for (const auto& [key, value] : *node.as_table())
      if (std::ranges::none_of(parameter_rows(), [&](const ParameterRow& row) {
            return row.section == section.str() && row.key == key.str();
          }))
        refuse(file.at(value), "unknown key '{}.{}'", section.str(), key.str());
  }
}

ParsedFile parse(const MachineText& text) {
  ParsedFile file(text.path, parse_toml(text.path, text.text));
  refuse_misspelt(file);
  return file;
}

// What `file` extends, if anything.
std::optional<MachineText> base_of(const ParsedFile& file, const FindMachine& find) {
  const toml::node* extends = file.root.get("extends");
  if (!extends) return {};
  const std::string name = read_string(file, file.root, "extends");
  try {
    return find(name, file.path);
  } catch (const UserError& error) {
    refuse(file.at(*extends), "'extends' names '{}': {}", error.where(), error.what_alone());
  }
}

bool are_one(const std::string& one, const std::string& other) {
  std::error_code absent;
  return one == other || fs::equivalent(one, other, absent);
}

}  // namespace

std::vector<std::string> machine_names() {
  std::vector<std::string> names;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(resource("machines"), absent))
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  std::ranges::sort(names);
  return names;
}

MachineText find_machine(std::string_view name, const std::string& from) {
  const fs::path path = locate(name, from);
  return {path.string(), read_text(path)};
}

std::string ParsedFile::at(const toml::node& node) const {
  return fmt::format("{}:{}", path, node.source().begin.line);
}

std::vector<ParsedFile> read_files(std::string_view name, const FindMachine& find) {
  std::vector<ParsedFile> files;
  files.push_back(parse(find(name, "")));
  while (const auto base = base_of(files.back(), find)) {
    for (const ParsedFile& above : files)
      if (are_one(above.path, base->path))
        refuse(files.back().at(*files.back().root.get("extends")), "'extends' leads back to {}", above.path);
    files.push_back(parse(*base));
  }
  return files;
}

std::optional<FoundRow> find_row(const std::vector<ParsedFile>& files, std::string_view section,
                                 std::string_view key) {
  for (const ParsedFile& file : files)
    if (const toml::table* table = file.root[section].as_table())
      if (const toml::node* node = table->get(key)) return FoundRow{file, *node};
  return {};
}

void refuse_unknown_keys(const ParsedFile& file, const toml::table& table, std::string_view section,
                         std::initializer_list<std::string_view> known) {
  for (const auto& [key, node] : table)
    if (std::find(known.begin(), known.end(), key.str()) == known.end())
      refuse(file.at(node), "unknown key '{}' in {}", key.str(), section);
}

std::string read_string(const ParsedFile& file, const toml::table& table, std::string_view key) {
  const toml::node* node = table.get(key);
  if (!node) refuse(file.at(table), "missing key '{}'", key);
  const auto text = node->value_exact<std::string>();
  if (!text || text->empty()) refuse(file.at(*node), "'{}' must be a text that is not empty", key);
  return *text;
}

}  // namespace dojo::machine
