#include "debug/registers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "isa/csr.h"
#include "isa/vector_config.h"

namespace dojo::debug {

namespace {

using isa::Hart;

constexpr std::string_view cpu = "org.gnu.gdb.riscv.cpu", fpu = "org.gnu.gdb.riscv.fpu",
                           csr = "org.gnu.gdb.riscv.csr", vector = "org.gnu.gdb.riscv.vector",
                           tiles = "org.opendojo.tiles", dojo = "org.opendojo.csr";

// The calling convention's names (RISC-V ELF psABI, "Integer Register Convention", "Floating-point Register
// Convention").
constexpr std::array<std::string_view, 32> x_names = {
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "fp", "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
    "a6",   "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
constexpr std::array<std::string_view, 32> f_names = {
    "ft0", "ft1", "ft2", "ft3", "ft4",  "ft5",  "ft6", "ft7", "fs0",  "fs1", "fa0",
    "fa1", "fa2", "fa3", "fa4", "fa5",  "fa6",  "fa7", "fs2", "fs3",  "fs4", "fs5",
    "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11"};

std::string bytes_of(std::uint64_t value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }
std::uint64_t word_of(std::string_view bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  return value;
}
std::string bytes_at(const std::byte* bytes, std::size_t count) {
  return {reinterpret_cast<const char*>(bytes), count};
}

// vl and vtype change by vset instructions only; a debugger may do what such an instruction could.
void write_csr(Hart& hart, const isa::Csr& which, std::uint64_t value) {
  if (which.name == "vtype") {
    isa::set_vtype(hart, value);
    hart.vl = std::min(hart.vl, isa::vector_length_limit(hart));
  } else if (which.name == "vl") {
    hart.vl = std::min(value, isa::vector_length_limit(hart));
  } else {
    which.write(hart, value);
  }
}

Register csr_register(const isa::Csr& which, std::string_view feature) {
  Register made{.name = std::string(which.name),
                .feature = std::string(feature),
                .type = "uint64",
                .group = feature == fpu ? "float" : "csr",
                .bytes = 8,
                .read = {},
                .write = {}};
  made.read = [&which](Hart& hart) { return bytes_of(which.read(hart)); };
  if (which.write != nullptr || which.name == "vl" || which.name == "vtype")
    made.write = [&which](Hart& hart, std::string_view bytes) { write_csr(hart, which, word_of(bytes)); };
  return made;
}

bool belongs_to_fpu(std::string_view name) { return name == "fflags" || name == "frm" || name == "fcsr"; }

// A union over the element types that a wide register may hold, as XML: <vector>s, then the <union>.
struct Element {
  std::string_view field, type;
  unsigned bytes;
};
constexpr Element vector_elements[] = {
    {"f64", "ieee_double", 8}, {"f32", "ieee_single", 4}, {"f16", "ieee_half", 2},
    {"bf16", "bfloat16", 2},   {"q", "uint128", 16},      {"l", "uint64", 8},
    {"w", "uint32", 4},        {"s", "uint16", 2},        {"b", "uint8", 1},
};
constexpr Element tile_elements[] = {{"f32", "ieee_single", 4},
                                     {"i32", "int32", 4},
                                     {"f16", "ieee_half", 2},
                                     {"bf16", "bfloat16", 2},
                                     {"f64", "ieee_double", 8}};

std::string vector_types(unsigned bytes) {
  std::string text, fields;
  for (const Element& element : vector_elements) {
    text += fmt::format("<vector id=\"v_{}\" type=\"{}\" count=\"{}\"/>\n", element.field, element.type,
                        bytes / element.bytes);
    fields += fmt::format("<field name=\"{0}\" type=\"v_{0}\"/>\n", element.field);
  }
  return text + "<union id=\"riscv_vector\">\n" + fields + "</union>\n";
}

// A tile lies in memory row by row; narrower elements make a tile of the same 16 rows with half the bytes,
// 64-bit elements one of 8 rows.
std::string tile_types() {
  std::string text, fields;
  for (const Element& element : tile_elements) {
    const unsigned edge = element.bytes == 8 ? isa::tile_edge / 2 : isa::tile_edge;
    text += fmt::format(
        "<vector id=\"row_{0}\" type=\"{1}\" count=\"{2}\"/>\n"
        "<vector id=\"tile_{0}\" type=\"row_{0}\" count=\"{2}\"/>\n",
        element.field, element.type, edge);
    fields += fmt::format("<field name=\"{0}\" type=\"tile_{0}\"/>\n", element.field);
  }
  return text + "<union id=\"tile\">\n" + fields + "</union>\n";
}

constexpr std::string_view float_types =
    "<union id=\"riscv_double\">\n<field name=\"half\" type=\"ieee_half\"/>\n"
    "<field name=\"float\" type=\"ieee_single\"/>\n<field name=\"double\" type=\"ieee_double\"/>\n</union>\n";

}  // namespace

RegisterSet::RegisterSet(unsigned vlen_bits) : vlen_bits_(vlen_bits) {
  add_general();
  add_floats();
  add_csrs();
  add_vectors();
  add_tiles();
  describe();
}

void RegisterSet::add_general() {
  for (unsigned r = 0; r < x_names.size(); ++r) {
    const std::string_view type = r == 1                                 ? "code_ptr"
                                  : r == 2 || r == 3 || r == 4 || r == 8 ? "data_ptr"
                                                                         : "int64";
    registers_.push_back({std::string(x_names[r]), std::string(cpu), std::string(type), "general", 8,
                          [r](Hart& hart) { return bytes_of(hart.x[r]); },
                          [r](Hart& hart, std::string_view bytes) { hart.set_x(r, word_of(bytes)); }});
  }
  registers_.push_back({"pc", std::string(cpu), "code_ptr", "general", 8,
                        [](Hart& hart) { return bytes_of(hart.pc); },
                        [](Hart& hart, std::string_view bytes) { hart.pc = word_of(bytes); }});
}

void RegisterSet::add_floats() {
  for (unsigned r = 0; r < f_names.size(); ++r)
    registers_.push_back({std::string(f_names[r]), std::string(fpu), "riscv_double", "float", 8,
                          [r](Hart& hart) { return bytes_of(hart.f[r]); },
                          [r](Hart& hart, std::string_view bytes) { hart.f[r] = word_of(bytes); }});
}

void RegisterSet::add_csrs() {
  for (const isa::Csr& one : isa::csrs())
    if (belongs_to_fpu(one.name)) registers_.push_back(csr_register(one, fpu));
  for (const isa::Csr& one : isa::csrs())
    if (!belongs_to_fpu(one.name) && !one.name.starts_with("dj_"))
      registers_.push_back(csr_register(one, csr));
  for (const isa::Csr& one : isa::csrs())
    if (one.name.starts_with("dj_")) registers_.push_back(csr_register(one, dojo));
}

void RegisterSet::add_vectors() {
  const unsigned bytes = vlen_bits_ / 8;
  for (unsigned r = 0; r < isa::vector_registers; ++r)
    registers_.push_back({fmt::format("v{}", r), std::string(vector), "riscv_vector", "vector", bytes,
                          [r, bytes](Hart& hart) { return bytes_at(hart.vreg(r), bytes); },
                          [r](Hart& hart, std::string_view values) {
                            std::memcpy(hart.vreg(r), values.data(), values.size());
                          }});
}

void RegisterSet::add_tiles() {
  constexpr unsigned bytes = isa::tile_edge * isa::tile_edge * 4, apart = 4;
  for (unsigned i = 0; i < sizeof(Hart::tiles) / bytes; ++i)
    registers_.push_back({fmt::format("mt{}", i * apart), std::string(tiles), "tile", "vector", bytes,
                          [i](Hart& hart) { return bytes_at(hart.tiles.data() + i * bytes, bytes); },
                          [i](Hart& hart, std::string_view values) {
                            std::memcpy(hart.tiles.data() + i * bytes, values.data(), values.size());
                          }});
}

void RegisterSet::describe() {
  std::string& text = description_;
  text =
      "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n"
      "<architecture>riscv:rv64</architecture>\n";
  std::string_view feature;
  for (std::size_t number = 0; number < registers_.size(); ++number) {
    const Register& one = registers_[number];
    if (one.feature != feature) {
      if (!feature.empty()) text += "</feature>\n";
      feature = one.feature;
      text += fmt::format("<feature name=\"{}\">\n", feature);
      if (feature == fpu) text += float_types;
      if (feature == vector) text += vector_types(vlen_bits_ / 8);
      if (feature == tiles) text += tile_types();
    }
    // gdb restores the others behind a `call`.
    const std::string_view kept = one.write ? "" : " save-restore=\"no\"";
    text += fmt::format("<reg name=\"{}\" bitsize=\"{}\" type=\"{}\" regnum=\"{}\" group=\"{}\"{}/>\n",
                        one.name, one.bytes * 8, one.type, number, one.group, kept);
  }
  text += "</feature>\n</target>\n";
}

std::optional<std::string> RegisterSet::read(Hart& hart, std::size_t number) const {
  if (number >= registers_.size()) return std::nullopt;
  return registers_[number].read(hart);
}

bool RegisterSet::write(Hart& hart, std::size_t number, std::string_view bytes) const {
  if (number >= registers_.size()) return false;
  const Register& one = registers_[number];
  if (!one.write || bytes.size() != one.bytes) return false;
  one.write(hart, bytes);
  return true;
}

}  // namespace dojo::debug
