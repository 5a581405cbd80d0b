// What one instruction costs, that is, occupies: the pipeline's view of it, without its semantics.
//
// All pipeline models, the slow one that defines timing and the fast ones, work on the same costs, so that a
// rule about how much an instruction occupies stands in one place (cost.cpp) and a rule about when it may go
// in another (pipeline_reference.cpp). All latencies and widths come from the machine file. docs/notes/005
// gives the rules on one page.
#pragma once

#include <array>
#include <cstdint>

#include "isa/hart.h"
#include "isa/instruction.h"
#include "machine/machine.h"
#include "node/config.h"
#include "node/counts.h"

namespace dojo::node {

// Where an instruction goes.
enum class Route : std::uint8_t {
  free,    // a marker: takes no time and no slot
  branch,  // finished by the decoder
  alu,     // scalar issue slot and an ALU
  divide,  // as alu, and the iterative divider, which is not pipelined
  load,    // scalar issue slot, an address unit and the 64-bit load path
  store,   // ... the 64-bit store path
  atomic,  // ... both
  drain,   // waits until everything before it has finished, then as alu; holds the thread for its occupancy,
           // no less than its latency
  vector,  // the thread's vector queue
};

// Pipes that a vector instruction occupies.
enum Pipe : std::uint8_t { simd_pipe = 1, matrix_pipe = 2, load_port = 4, store_port = 8 };

// Consecutive vector registers. `at_once`: the reader needs all of them in its first cycle.
struct Group {
  std::uint8_t first = 0, count = 0;
  bool at_once = false;
};

struct Cost {
  Route route = Route::free;
  std::uint8_t bytes = 4;     // of the encoding
  bool reads_config = false;  // waits for vl and vtype
  bool writes_config = false;
  std::uint32_t x_reads = 0, f_reads = 0;  // bit r: register r
  std::uint32_t x_writes = 0, f_writes = 0;
  std::uint32_t latency = 1;    // from issue to the use of the (first) result
  std::uint32_t occupancy = 1;  // cycles the pipe, port or divider is taken

  // Of vector instructions only.
  std::uint8_t pipes = 0;
  std::uint8_t ports = 0;  // load ports taken together (matrix operands); 1 for vector loads
  bool streams = false;    // results appear register by register, so that a reader may follow behind
  std::array<Group, 8> v_reads{};
  Group v_write{};
  std::uint8_t t_reads = 0, t_writes = 0;  // bit i: tile i
  bool accumulates = false;                // reads its tile through the matrix pipe's own forwarding path

  // What the ledger counts.
  isa::Unit unit = isa::Unit::alu;
  std::uint64_t read_bytes = 0, write_bytes = 0, macs = 0;
};

// What `decoded` occupies on `node` under `config`.
Cost cost_of(const isa::Decoded& decoded, const Config& config, const machine::Node& node);

// What an instruction occupies that traps, whichever it is: it waits as a system instruction does, and no
// operand of its own matters.
Cost trap_cost(const machine::Node& node);

// True if describe depends on `config`.
bool depends_on_config(const isa::Decoded& decoded);

// Adds the instruction's events, cycles excepted.
void count(const Cost& cost, Counts& counts);

}  // namespace dojo::node
