// From machine files to a Machine: every row of the parameter table is found, checked and stored, then what
// only several parameters together can get wrong is checked.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "machine/machine_file.h"
#include "machine/parameter_table.h"

namespace dojo::machine {
namespace {

using Files = std::vector<ParsedFile>;

constexpr std::string_view origins[] = {"T", "T*", "I", "D", "U"};

template <typename Number>
Number checked(const ParsedFile& file, const toml::node& node, const ParameterRow& row) {
  const auto whole = node.value_exact<std::int64_t>();
  const auto value = whole ? std::optional(static_cast<double>(*whole)) : node.value<double>();
  if (!value || (std::is_integral_v<Number> && !whole))
    refuse(file.at(node), "'{}' must be {} in {}", row.name(),
           std::is_integral_v<Number> ? "a whole number" : "a number", row.unit);
  if (!(*value >= row.low && *value <= row.high))
    refuse(file.at(node), "'{}' is {}, outside {} to {} {}", row.name(),
           whole ? fmt::format("{}", *whole) : fmt::format("{}", *value), row.low, row.high, row.unit);
  return std::is_integral_v<Number> ? static_cast<Number>(*whole) : static_cast<Number>(*value);
}

template <typename Number>
std::string store(const ParsedFile& file, const toml::node& node, const ParameterRow& row, Number* field) {
  return fmt::format("{}", *field = checked<Number>(file, node, row));
}

std::string store(const ParsedFile& file, const toml::node& node, const ParameterRow& row, Positions* field) {
  const toml::array* list = node.as_array();
  if (!list) refuse(file.at(node), "'{}' must be a list of whole numbers", row.name());
  std::string text;
  for (const toml::node& element : *list) {
    field->push_back(checked<std::uint64_t>(file, element, row));
    text += fmt::format("{}{}", text.empty() ? "" : ", ", field->back());
  }
  return text.empty() ? "none" : text;
}

// Of a parameter that has been stored in `machine`: all three keys or none.
std::optional<PlausibleRange> read_plausible(const ParsedFile& file, const ParameterRow& row,
                                             const toml::table& entry, const Machine& machine) {
  const toml::node *fast = entry.get("fast"), *slow = entry.get("slow");
  if (!fast && !slow && !entry.get("range")) return {};
  if (!fast || !slow)
    refuse(file.at(entry), "'{}' has a range without '{}'", row.name(), fast ? "slow" : "fast");
  Machine trial = machine;
  if (std::holds_alternative<Positions*>(row.field(trial)))
    refuse(file.at(*fast), "'{}' is a list, which has no range", row.name());
  const auto end = [&](const toml::node& node) {
    std::visit([&](auto* field) { store(file, node, row, field); }, row.field(trial));
    return number_in(trial, row);
  };
  PlausibleRange range{end(*fast), end(*slow), read_string(file, entry, "range")};
  const double value = number_in(machine, row);
  if (value < std::min(range.fast, range.slow) || value > std::max(range.fast, range.slow))
    refuse(file.at(*fast), "'{}' is {}, outside its own range {} to {}", row.name(), value, range.fast,
           range.slow);
  return range;
}

[[noreturn]] void refuse_missing(const Files& files, const ParameterRow& row) {
  const ParsedFile& last = files.back();
  const toml::node* section = last.root.get(row.section);
  if (!section) refuse(last.path + ":1", "missing section [{}]", row.section);
  refuse(last.at(*section), "missing key '{}'", row.name());
}

void read_parameter(const Files& files, const ParameterRow& row, Machine& machine) {
  const auto found = find_row(files, row.section, row.key);
  if (!found) refuse_missing(files, row);
  const auto& [file, node] = *found;
  const toml::table* entry = node.as_table();
  if (!entry)
    refuse(file.at(node), "'{}' must be {{ value = ..., origin = \"...\", source = \"...\" }}", row.name());
  refuse_unknown_keys(file, *entry, fmt::format("'{}'", row.name()),
                      {"value", "origin", "source", "fast", "slow", "range"});
  const toml::node* value = entry->get("value");
  if (!value) refuse(file.at(node), "missing 'value' of '{}'", row.name());

  Parameter parameter{row.name(), {}, std::string(row.unit), {}, {}, {}};
  parameter.value =
      std::visit([&](auto* field) { return store(file, *value, row, field); }, row.field(machine));
  parameter.origin = read_string(file, *entry, "origin");
  parameter.source = read_string(file, *entry, "source");
  if (std::find(std::begin(origins), std::end(origins), parameter.origin) == std::end(origins))
    refuse(file.at(*entry->get("origin")), "origin of '{}' is '{}', not one of {}", row.name(),
           parameter.origin, fmt::join(origins, ", "));
  parameter.plausible = read_plausible(file, row, *entry, machine);
  machine.parameters.push_back(std::move(parameter));
}

// What no single range can say.
void check_together(const Files& files, const Machine& machine) {
  // Where a base's row does not go with the rows on top of it, the file on top is to blame.
  const auto refuse_row = [&](std::string_view section, std::string_view key, const std::string& why) {
    const auto row = find_row(files, section, key);
    const bool own = &row->file == &files.front();
    refuse(own ? row->file.at(row->node) : files.front().path, "'{}.{}'{} {}", section, key,
           own ? "" : fmt::format(" of {}", row->file.at(row->node)), why);
  };
  const Node& node = machine.node;
  const Mesh& mesh = machine.mesh;
  if ((node.vlen_bits & (node.vlen_bits - 1)) != 0)
    refuse_row("node", "vlen_bits", fmt::format("is {}, not a power of two", node.vlen_bits));
  if (node.sram_bytes % 64 != 0)
    refuse_row("node", "sram_bytes", fmt::format("is {}, not a multiple of 64", node.sram_bytes));
  if (node.program_base >= node.sram_bytes) refuse_row("node", "program_base", "is beyond the SRAM");
  if (node.matrix_operand_bytes > node.sram_load_ports * node.port_bytes)
    refuse_row("node", "matrix_operand_bytes", "exceeds what the load ports deliver");
  Positions sorted = mesh.disabled;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    refuse_row("mesh", "disabled", "names a place twice");
  if (!sorted.empty() && sorted.back() >= mesh.rows * mesh.columns)
    refuse_row(
        "mesh", "disabled",
        fmt::format("names place {}, but places end at {}: a mesh of another size wants a list of its own",
                    sorted.back(), mesh.rows * mesh.columns - 1));
  if (sorted.size() == mesh.rows * mesh.columns) refuse_row("mesh", "disabled", "leaves no node enabled");
  if (machine.interface.count > mesh.rows)
    refuse_row(
        "interface", "count",
        fmt::format("is {}, more than the {} rows of the west edge", machine.interface.count, mesh.rows));
}

}  // namespace

Machine read_machine(std::string_view name, const FindMachine& find) {
  const Files files = read_files(name, find);
  Machine machine;
  machine.name = read_string(files.front(), files.front().root, "name");
  machine.description = read_string(files.front(), files.front().root, "description");
  for (const ParsedFile& file : files) machine.files.push_back(file.path);
  for (const ParameterRow& row : parameter_rows()) read_parameter(files, row, machine);
  check_together(files, machine);
  for (const Parameter& parameter : machine.parameters)
    if (parameter.plausible)
      for (const double value : {parameter.plausible->fast, parameter.plausible->slow})
        check_together(files, with_parameter(machine, parameter.key, value));
  return machine;
}

Machine read_machine(std::string_view name) { return read_machine(name, find_machine); }

}  // namespace dojo::machine
