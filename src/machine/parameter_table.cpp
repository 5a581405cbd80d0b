#include "machine/parameter_table.h"

#include <fmt/format.h>

namespace dojo::machine {
namespace {

#define NODE(name) [](Machine& m) -> Field { return &m.node.name; }
#define MESH(name) [](Machine& m) -> Field { return &m.mesh.name; }
#define INTERFACE(name) [](Machine& m) -> Field { return &m.interface.name; }

// clang-format off
constexpr ParameterRow rows[] = {
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
// clang-format on

#undef NODE
#undef MESH
#undef INTERFACE

}  // namespace

std::string ParameterRow::name() const { return fmt::format("{}.{}", section, key); }

std::span<const ParameterRow> parameter_rows() { return rows; }

double number_in(const Machine& machine, const ParameterRow& row) {
  Machine copy = machine;
  const Field field = row.field(copy);
  if (const auto* whole = std::get_if<std::uint64_t*>(&field)) return static_cast<double>(**whole);
  return *std::get<double*>(field);
}

}  // namespace dojo::machine
