// What a machine is made of, as physical parameters read from machines/NAME.toml.
//
// In the file every parameter is a table { value, origin, source }: origin is the confidence code of the
// reference (T: the maker's text, T*: its statement relayed, I: third party, D: arithmetic, U: unpublished,
// our choice). Keys carry their unit. A key that this file does not list, a missing key, or a value out of
// range is refused with file and line.
//
// A parameter whose true value nobody has published may add { fast, slow, range }: the plausible values on
// either side of `value` that make the machine fastest and slowest, and where they come from
// (machine/sensitivity.h asks what they do to a result).
//
// A file that says `extends = "d1"` holds only the rows in which it differs from that machine: each takes the
// place of the whole row under it. docs/machines.md is the page for those who write one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dojo::machine {

struct Node {
  double clock_ghz = 0;
  std::uint64_t sram_bytes = 0;
  std::uint64_t program_base = 0;  // first mapped local address
  std::uint64_t threads = 0;
  std::uint64_t vlen_bits = 0;
  std::uint64_t fetch_bytes = 0;     // per cycle
  std::uint64_t decode_width = 0;    // instructions per cycle, all threads
  std::uint64_t decode_threads = 0;  // threads decoded in one cycle
  std::uint64_t scalar_issue = 0;    // per cycle
  std::uint64_t vector_issue = 0;  // per cycle, to the SIMD and matrix pipes; accesses are bound by the ports
  std::uint64_t vector_queue = 0;  // instructions a thread may have waiting behind the scalar engine
  std::uint64_t alus = 0, address_units = 0;
  std::uint64_t sram_load_ports = 0, sram_store_ports = 0;  // 64 B each
  std::uint64_t port_bytes = 0;
  std::uint64_t gather_grain_bytes = 0;   // strided and indexed accesses move one grain per port and cycle
  std::uint64_t matrix_macs = 0;          // per cycle, 16- and 8-bit operands
  std::uint64_t matrix_fp32_divisor = 0;  // FP32 tiles run at matrix_macs / this
  std::uint64_t matrix_operand_bytes =
      0;  // SRAM bytes charged per cycle of the matrix pipe beyond register loads; 0: none
  // Latencies in cycles, from issue to the result's use.
  std::uint64_t alu_cycles = 0, multiply_cycles = 0, divide_cycles = 0, branch_taken_cycles = 0;
  std::uint64_t sram_load_cycles = 0, scalar_float_cycles = 0, scalar_float_divide_cycles = 0;
  std::uint64_t simd_cycles = 0, simd_divide_cycles_per_element = 0, matrix_cycles = 0, tile_move_cycles = 0;
  std::uint64_t transfer_issue_cycles = 0;  // thread time to start a put, get or signal
};

struct Mesh {
  std::uint64_t rows = 0, columns = 0;
  std::vector<std::uint64_t> disabled;     // row * columns + column
  std::uint64_t link_bytes_per_cycle = 0;  // each way, each neighbour
  std::uint64_t hop_cycles = 0;
  std::uint64_t packet_bytes = 0;        // largest packet
  std::uint64_t network_port_bytes = 0;  // SRAM port of the mesh stop, each way, per cycle
};

struct Interface {
  std::uint64_t count = 0;      // interface processors on the die's west edge
  std::uint64_t hbm_bytes = 0;  // each
  double hbm_gb_per_s = 0, link_gb_per_s = 0;
  double hbm_latency_ns = 0, link_latency_ns = 0;
};

// What else a parameter may plausibly be; the file's value lies between the two, ends included.
struct PlausibleRange {
  double fast = 0, slow = 0;
  std::string source;

  bool operator==(const PlausibleRange&) const = default;
};

// One parameter as the file gives it, for `dojo machine`.
struct Parameter {
  std::string key, value, unit, origin, source;
  std::optional<PlausibleRange> plausible;

  bool operator==(const Parameter&) const = default;
};

struct Machine {
  std::string name, description;
  Node node;
  Mesh mesh;
  Interface interface;
  std::vector<Parameter> parameters;  // in the parameter table's order
  std::vector<std::string> files;     // that it was read from: its own, then what it extends

  unsigned enabled_nodes() const;
  // Place of the logical node `index` (enabled nodes, row by row): {row, column}.
  std::pair<unsigned, unsigned> place(unsigned index) const;
  double peak_flops_per_node() const;  // 16-bit matrix operations, 2 per multiply-add
};

// `name` is a bare name looked up in machines/ beside the program's sources, or a path to a .toml file. What
// a file extends is named in the same way, a path seen from that file's folder.
Machine read_machine(std::string_view name);

struct MachineText {
  std::string path, text;
};
// Finds and reads the file of `name` as named in the file `from`, or by a user if that is empty. Throws
// UserError, whose place is the name or the path that is wrong.
using FindMachine = std::function<MachineText(std::string_view name, const std::string& from)>;
MachineText find_machine(std::string_view name, const std::string& from);

// The same from wherever `find` takes its texts.
Machine read_machine(std::string_view name, const FindMachine& find);

// The same machine with one number changed: `key` as in Machine::parameters ("node.simd_cycles"), which must
// have a plausible range, to a value inside it.
Machine with_parameter(Machine machine, std::string_view key, double value);

// What follows from the parameters: "node, BF16 and CFloat8" -> "1.024 TFLOPS"...
std::vector<std::pair<std::string, std::string>> identities(const Machine& machine);

}  // namespace dojo::machine
