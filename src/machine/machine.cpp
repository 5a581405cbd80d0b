// Reads machines/*.toml: a table binds each key of the file to a field, its unit and its valid range.
#include "machine/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <variant>

#include "base/error.h"
#include "base/file.h"

#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

namespace dojo::machine {
namespace {

using Places = std::vector<std::uint64_t>;
using Slot = std::variant<double*, std::uint64_t*, Places*>;

// One parameter: where it stands in the file, where it goes, and what is accepted (ends included).
struct Binding {
  std::string_view section, key, unit;
  Slot (*slot)(Machine&);
  double low, high;
};

#define NODE(field) [](Machine& m) -> Slot { return &m.node.field; }
#define MESH(field) [](Machine& m) -> Slot { return &m.mesh.field; }
#define INTERFACE(field) [](Machine& m) -> Slot { return &m.interface.field; }

// clang-format off
constexpr Binding bindings[] = {
    {"node", "clock_ghz",                      "GHz",                NODE(clock_ghz),                      0.001, 100},
    {"node", "sram_bytes",                     "B",                  NODE(sram_bytes),                     65536, 1 << 30},
    {"node", "program_base",                   "address",            NODE(program_base),                   0, 1 << 20},
    {"node", "threads",                        "threads",            NODE(threads),                        1, 4},
    {"node", "vlen_bits",                      "bit",                NODE(vlen_bits),                      128, 1024},
    {"node", "fetch_bytes",                    "B/cycle",            NODE(fetch_bytes),                    4, 256},
    {"node", "decode_width",                   "instructions/cycle", NODE(decode_width),                   1, 64},
    {"node", "decode_threads",                 "threads/cycle",      NODE(decode_threads),                 1, 4},
    {"node", "scalar_issue",                   "instructions/cycle", NODE(scalar_issue),                   1, 64},
    {"node", "vector_issue",                   "instructions/cycle", NODE(vector_issue),                   1, 16},
    {"node", "vector_queue",                   "instructions",       NODE(vector_queue),                   1, 64},
    {"node", "alus",                           "units",              NODE(alus),                           1, 16},
    {"node", "address_units",                  "units",              NODE(address_units),                  1, 16},
    {"node", "sram_load_ports",                "ports",              NODE(sram_load_ports),                1, 4},
    {"node", "sram_store_ports",               "ports",              NODE(sram_store_ports),               1, 4},
    {"node", "port_bytes",                     "B/cycle",            NODE(port_bytes),                     8, 1024},
    {"node", "gather_grain_bytes",             "B",                  NODE(gather_grain_bytes),             1, 64},
    {"node", "matrix_macs",                    "MAC/cycle",          NODE(matrix_macs),                    1, 65536},
    {"node", "matrix_fp32_divisor",            "times slower",       NODE(matrix_fp32_divisor),            1, 1024},
    {"node", "matrix_operand_bytes",           "B/cycle",            NODE(matrix_operand_bytes),           0, 128},
    {"node", "alu_cycles",                     "cycles",             NODE(alu_cycles),                     1, 1000},
    {"node", "multiply_cycles",                "cycles",             NODE(multiply_cycles),                1, 1000},
    {"node", "divide_cycles",                  "cycles",             NODE(divide_cycles),                  1, 1000},
    {"node", "branch_taken_cycles",            "cycles",             NODE(branch_taken_cycles),            0, 1000},
    {"node", "sram_load_cycles",               "cycles",             NODE(sram_load_cycles),               1, 1000},
    {"node", "scalar_float_cycles",            "cycles",             NODE(scalar_float_cycles),            1, 1000},
    {"node", "scalar_float_divide_cycles",     "cycles",             NODE(scalar_float_divide_cycles),     1, 1000},
    {"node", "simd_cycles",                    "cycles",             NODE(simd_cycles),                    1, 1000},
    {"node", "simd_divide_cycles_per_element", "cycles/element",     NODE(simd_divide_cycles_per_element), 1, 1000},
    {"node", "matrix_cycles",                  "cycles",             NODE(matrix_cycles),                  1, 1000},
    {"node", "tile_move_cycles",               "cycles",             NODE(tile_move_cycles),               1, 1000},
    {"node", "transfer_issue_cycles",          "cycles",             NODE(transfer_issue_cycles),          1, 100000},
    {"mesh", "rows",                           "nodes",              MESH(rows),                           1, 1024},
    {"mesh", "columns",                        "nodes",              MESH(columns),                        1, 1024},
    {"mesh", "disabled",                       "places",             MESH(disabled),                       0, 1 << 20},
    {"mesh", "link_bytes_per_cycle",           "B/cycle",            MESH(link_bytes_per_cycle),           1, 4096},
    {"mesh", "hop_cycles",                     "cycles",             MESH(hop_cycles),                     1, 100000},
    {"mesh", "packet_bytes",                   "B",                  MESH(packet_bytes),                   8, 1 << 20},
    {"mesh", "network_port_bytes",             "B/cycle",            MESH(network_port_bytes),             1, 4096},
    {"interface", "count",                     "processors",         INTERFACE(count),                     1, 64},
    {"interface", "hbm_bytes",                 "B",                  INTERFACE(hbm_bytes),                 1 << 20, 1e12},
    {"interface", "hbm_gb_per_s",              "GB/s",               INTERFACE(hbm_gb_per_s),              0.001, 1e6},
    {"interface", "link_gb_per_s",             "GB/s",               INTERFACE(link_gb_per_s),             0.001, 1e6},
    {"interface", "hbm_latency_ns",            "ns",                 INTERFACE(hbm_latency_ns),            0, 1e6},
    {"interface", "link_latency_ns",           "ns",                 INTERFACE(link_latency_ns),           0, 1e6},
};
constexpr std::string_view origins[] = {"T", "T*", "I", "D", "U"};
// clang-format on

#undef NODE
#undef MESH
#undef INTERFACE

// A parsed file that knows how to name a place in itself.
struct File {
  std::string path;
  toml::table root;

  std::string at(const toml::node& node) const {
    return fmt::format("{}:{}", path, node.source().begin.line);
  }
};

// What toml++ 3.3 has no defined answer to: letters beyond ASCII outside of texts and remarks (here they are
// refused everywhere), and a table's bracket that no name follows.
void refuse_unparsable(const std::string& path, std::string_view text) {
  constexpr std::string_view blank = " \t";
  constexpr std::string_view first_of_name =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-\"'";
  for (std::size_t number = 1, begin = 0; begin < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    if (std::ranges::any_of(line, [](char c) { return (c & 0x80) != 0; }))
      refuse(fmt::format("{}:{}", path, number), "a machine file holds nothing but ASCII characters");
    const auto skip_blank = [&] { line.remove_prefix(std::min(line.find_first_not_of(blank), line.size())); };
    skip_blank();
    if (!line.starts_with('[')) continue;
    line.remove_prefix(line.starts_with("[[") ? 2 : 1);
    skip_blank();
    if (line.empty() || first_of_name.find(line.front()) == std::string_view::npos)
      refuse(fmt::format("{}:{}", path, number), "not valid TOML: no name follows '['");
  }
}

void refuse_unknown_keys(const File& file, const toml::table& table, std::string_view section,
                         std::initializer_list<std::string_view> known) {
  for (const auto& [key, node] : table)
    if (std::find(known.begin(), known.end(), key.str()) == known.end())
      refuse(file.at(node), "unknown key '{}' in {}", key.str(), section);
}

void refuse_misspelt(const File& file) {
  refuse_unknown_keys(file, file.root, "a machine file",
                      {"name", "description", "node", "mesh", "interface"});
  for (const auto& [section, node] : file.root) {
    const toml::table* table = node.as_table();
    if (!table) continue;
    for (const auto& [key, value] : *table)
      if (std::none_of(std::begin(bindings), std::end(bindings),
                       [&](const Binding& b) { return b.section == section.str() && b.key == key.str(); }))
        refuse(file.at(value), "unknown key '{}.{}'", section.str(), key.str());
  }
}

std::string read_string(const File& file, const toml::table& table, std::string_view key) {
  const toml::node* node = table.get(key);
  if (!node) refuse(file.at(table), "missing key '{}'", key);
  const auto text = node->value_exact<std::string>();
  if (!text || text->empty()) refuse(file.at(*node), "'{}' must be a text that is not empty", key);
  return *text;
}

template <typename Number>
Number checked(const File& file, const toml::node& node, const Binding& binding) {
  const auto whole = node.value_exact<std::int64_t>();
  const auto value = whole ? std::optional(static_cast<double>(*whole)) : node.value<double>();
  if (!value || (std::is_integral_v<Number> && !whole))
    refuse(file.at(node), "'{}.{}' must be {} in {}", binding.section, binding.key,
           std::is_integral_v<Number> ? "a whole number" : "a number", binding.unit);
  if (!(*value >= binding.low && *value <= binding.high))
    refuse(file.at(node), "'{}.{}' is {}, outside {} to {} {}", binding.section, binding.key,
           whole ? fmt::format("{}", *whole) : fmt::format("{}", *value), binding.low, binding.high,
           binding.unit);
  return std::is_integral_v<Number> ? static_cast<Number>(*whole) : static_cast<Number>(*value);
}

std::string store(const File& file, const toml::node& node, const Binding& binding, double* field) {
  return fmt::format("{}", *field = checked<double>(file, node, binding));
}

std::string store(const File& file, const toml::node& node, const Binding& binding, std::uint64_t* field) {
  return fmt::format("{}", *field = checked<std::uint64_t>(file, node, binding));
}

std::string store(const File& file, const toml::node& node, const Binding& binding, Places* field) {
  const toml::array* list = node.as_array();
  if (!list) refuse(file.at(node), "'{}.{}' must be a list of whole numbers", binding.section, binding.key);
  std::string text;
  for (const toml::node& element : *list) {
    field->push_back(checked<std::uint64_t>(file, element, binding));
    text += fmt::format("{}{}", text.empty() ? "" : ", ", field->back());
  }
  return text.empty() ? "none" : text;
}

double number_in(const Machine& machine, const Binding& binding) {
  Machine copy = machine;
  const Slot slot = binding.slot(copy);
  if (const auto* whole = std::get_if<std::uint64_t*>(&slot)) return static_cast<double>(**whole);
  return *std::get<double*>(slot);
}

// Of a parameter that has been stored in `machine`: all three keys or none.
std::optional<PlausibleRange> read_plausible(const File& file, const Binding& binding,
                                             const toml::table& entry, const Machine& machine) {
  const toml::node *fast = entry.get("fast"), *slow = entry.get("slow");
  if (!fast && !slow && !entry.get("range")) return {};
  const std::string name = fmt::format("{}.{}", binding.section, binding.key);
  if (!fast || !slow) refuse(file.at(entry), "'{}' has a range without '{}'", name, fast ? "slow" : "fast");
  Machine trial = machine;
  if (std::holds_alternative<Places*>(binding.slot(trial)))
    refuse(file.at(*fast), "'{}' is a list, which has no range", name);
  const auto end = [&](const toml::node& node) {
    std::visit([&](auto* field) { store(file, node, binding, field); }, binding.slot(trial));
    return number_in(trial, binding);
  };
  const PlausibleRange range{end(*fast), end(*slow), read_string(file, entry, "range")};
  const double value = number_in(machine, binding);
  if (value < std::min(range.fast, range.slow) || value > std::max(range.fast, range.slow))
    refuse(file.at(*fast), "'{}' is {}, outside its own range {} to {}", name, value, range.fast, range.slow);
  return range;
}

void read_parameter(const File& file, const Binding& binding, Machine& machine) {
  const toml::node* section = file.root.get(binding.section);
  if (!section || !section->is_table())
    refuse(section ? file.at(*section) : file.path + ":1", "missing section [{}]", binding.section);
  const toml::node* node = section->as_table()->get(binding.key);
  if (!node) refuse(file.at(*section), "missing key '{}.{}'", binding.section, binding.key);
  const toml::table* entry = node->as_table();
  if (!entry)
    refuse(file.at(*node), "'{}.{}' must be {{ value = ..., origin = \"...\", source = \"...\" }}",
           binding.section, binding.key);
  const std::string name = fmt::format("{}.{}", binding.section, binding.key);
  refuse_unknown_keys(file, *entry, "'" + name + "'", {"value", "origin", "source", "fast", "slow", "range"});
  const toml::node* value = entry->get("value");
  if (!value) refuse(file.at(*node), "missing 'value' of '{}'", name);

  Parameter parameter{name, {}, std::string(binding.unit), {}, {}, {}};
  parameter.value =
      std::visit([&](auto* field) { return store(file, *value, binding, field); }, binding.slot(machine));
  parameter.origin = read_string(file, *entry, "origin");
  parameter.source = read_string(file, *entry, "source");
  if (std::find(std::begin(origins), std::end(origins), parameter.origin) == std::end(origins))
    refuse(file.at(*entry->get("origin")), "origin of '{}' is '{}', not one of {}", name, parameter.origin,
           fmt::join(origins, ", "));
  parameter.plausible = read_plausible(file, binding, *entry, machine);
  machine.parameters.push_back(std::move(parameter));
}

// What no single range can say.
void check_together(const File& file, const Machine& machine) {
  const auto line_of = [&](std::string_view section, std::string_view key) {
    return file.at(*file.root.get(section)->as_table()->get(key));
  };
  const Mesh& mesh = machine.mesh;
  if ((machine.node.vlen_bits & (machine.node.vlen_bits - 1)) != 0)
    refuse(line_of("node", "vlen_bits"), "'node.vlen_bits' is {}, not a power of two",
           machine.node.vlen_bits);
  if (machine.node.sram_bytes % 64 != 0)
    refuse(line_of("node", "sram_bytes"), "'node.sram_bytes' is {}, not a multiple of 64",
           machine.node.sram_bytes);
  if (machine.node.program_base >= machine.node.sram_bytes)
    refuse(line_of("node", "program_base"), "'node.program_base' is beyond the SRAM");
  if (machine.node.matrix_operand_bytes > machine.node.sram_load_ports * machine.node.port_bytes)
    refuse(line_of("node", "matrix_operand_bytes"),
           "'node.matrix_operand_bytes' exceeds what the load ports deliver");
  Places sorted = mesh.disabled;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    refuse(line_of("mesh", "disabled"), "'mesh.disabled' names a place twice");
  if (!sorted.empty() && sorted.back() >= mesh.rows * mesh.columns)
    refuse(line_of("mesh", "disabled"), "'mesh.disabled' names place {}, but places end at {}", sorted.back(),
           mesh.rows * mesh.columns - 1);
  if (sorted.size() == mesh.rows * mesh.columns)
    refuse(line_of("mesh", "disabled"), "'mesh.disabled' leaves no node enabled");
  if (machine.interface.count > mesh.rows)
    refuse(line_of("interface", "count"), "'interface.count' is {}, more than the {} rows of the west edge",
           machine.interface.count, mesh.rows);
}

// A path as given, or a bare name looked up where machine files are kept: beside the sources, or beside an
// installed program's folder.
std::filesystem::path locate(std::string_view name) {
  const std::filesystem::path given(name);
  if (given.has_parent_path() || given.extension() == ".toml") return given;
  std::error_code unreadable;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", unreadable);
  const std::filesystem::path folders[] = {std::filesystem::path(DOJO_SOURCE_DIR) / "machines",
                                           program.parent_path() / "../machines"};
  for (const auto& folder : folders) {
    const auto path = (folder / fmt::format("{}.toml", name)).lexically_normal();
    if (std::filesystem::exists(path)) return path;
  }
  refuse(name, "no such machine: neither a path to a .toml file nor a name in {}",
         folders[0].lexically_normal().string());
}

}  // namespace

unsigned Machine::enabled_nodes() const {
  return static_cast<unsigned>(mesh.rows * mesh.columns - mesh.disabled.size());
}

std::pair<unsigned, unsigned> Machine::place(unsigned index) const {
  DOJO_ENSURE(index < enabled_nodes());
  const auto& off = mesh.disabled;
  for (std::uint64_t at = 0;; ++at) {
    if (std::find(off.begin(), off.end(), at) != off.end()) continue;
    if (index-- == 0)
      return {static_cast<unsigned>(at / mesh.columns), static_cast<unsigned>(at % mesh.columns)};
  }
}

double Machine::peak_flops_per_node() const {
  return 2.0 * static_cast<double>(node.matrix_macs) * node.clock_ghz * 1e9;
}

Machine read_machine(std::string_view name) {
  const std::filesystem::path path = locate(name);
  const std::string text = read_text(path);
  File file{path.string(), {}};
  refuse_unparsable(file.path, text);
  try {
    file.root = toml::parse(text, file.path);
  } catch (const toml::parse_error& error) {
    refuse(fmt::format("{}:{}", file.path, error.source().begin.line), "not valid TOML: {}",
           error.description());
  }
  refuse_misspelt(file);
  Machine machine;
  machine.name = read_string(file, file.root, "name");
  machine.description = read_string(file, file.root, "description");
  for (const Binding& binding : bindings) read_parameter(file, binding, machine);
  check_together(file, machine);
  for (const Parameter& parameter : machine.parameters)
    if (parameter.plausible)
      for (const double value : {parameter.plausible->fast, parameter.plausible->slow})
        check_together(file, with_parameter(machine, parameter.key, value));
  return machine;
}

Machine with_parameter(Machine machine, std::string_view key, double value) {
  const auto binding = std::ranges::find_if(
      bindings, [key](const Binding& b) { return key == fmt::format("{}.{}", b.section, b.key); });
  const auto parameter = std::ranges::find(machine.parameters, key, &Parameter::key);
  DOJO_ENSURE(binding != std::end(bindings) && parameter != machine.parameters.end());
  DOJO_ENSURE(parameter->plausible.has_value());
  const auto [low, high] = std::minmax(parameter->plausible->fast, parameter->plausible->slow);
  DOJO_ENSURE(value >= low && value <= high);
  const Slot slot = binding->slot(machine);
  if (auto* whole = std::get_if<std::uint64_t*>(&slot))
    **whole = static_cast<std::uint64_t>(value);
  else
    *std::get<double*>(slot) = value;
  parameter->value = fmt::format("{}", value);
  return machine;
}

std::vector<std::pair<std::string, std::string>> identities(const Machine& machine) {
  const Node& node = machine.node;
  const double nodes = machine.enabled_nodes();
  const double hertz = node.clock_ghz * 1e9;
  const double fp32 = machine.peak_flops_per_node() / static_cast<double>(node.matrix_fp32_divisor);
  const auto ports = [&](std::uint64_t count) {  // with the mesh stop's port and the 64-bit scalar path
    return static_cast<double>(count * node.port_bytes + machine.mesh.network_port_bytes + 8) * hertz / 1e9;
  };
  const double link = static_cast<double>(machine.mesh.link_bytes_per_cycle) * hertz / 1e9;
  return {
      {"node, BF16 and CFloat8", fmt::format("{:.3f} TFLOPS", machine.peak_flops_per_node() / 1e12)},
      {"node, FP32", fmt::format("{:.0f} GFLOPS", fp32 / 1e9)},
      {"node, SRAM load", fmt::format("{:.0f} GB/s", ports(node.sram_load_ports))},
      {"node, SRAM store", fmt::format("{:.0f} GB/s", ports(node.sram_store_ports))},
      {"node, mesh link each way", fmt::format("{:.0f} GB/s", link)},
      {"die, enabled nodes", fmt::format("{}", machine.enabled_nodes())},
      {"die, BF16 and CFloat8", fmt::format("{:.1f} TFLOPS", machine.peak_flops_per_node() * nodes / 1e12)},
      {"die, FP32", fmt::format("{:.2f} TFLOPS", fp32 * nodes / 1e12)},
      {"die, SRAM", fmt::format("{:.1f} MB", static_cast<double>(node.sram_bytes) * nodes / (1 << 20))},
      {"die, cut between columns, each way",
       fmt::format("{:.2f} TB/s", link * static_cast<double>(machine.mesh.rows) / 1e3)},
      {"interface processors, HBM",
       fmt::format("{:.0f} GB at {:.1f} TB/s",
                   static_cast<double>(machine.interface.hbm_bytes * machine.interface.count) / (1 << 30),
                   machine.interface.hbm_gb_per_s * static_cast<double>(machine.interface.count) / 1e3)},
      {"interface processors, links to the die",
       fmt::format("{:.1f} TB/s",
                   machine.interface.link_gb_per_s * static_cast<double>(machine.interface.count) / 1e3)},
  };
}

}  // namespace dojo::machine
