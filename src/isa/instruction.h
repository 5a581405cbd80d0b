// What an instruction is: one row of a table, and one decoded instance of it.
//
// A row says how the instruction is encoded, how it is written, what it occupies and its semantics. Decoder,
// disassembler, documentation, device headers and the pipeline model all read the same rows; adding an
// instruction is adding one row.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "isa/operand_groups.h"

namespace dojo::isa {

// The unit that executes an instruction; the node's pipeline gives it time, the ledger counts it.
enum class Unit : std::uint8_t {
  alu,
  multiply,
  divide,
  branch,
  load,
  store,
  atomic,
  float_,
  float_divide,
  vector_config,
  simd,
  simd_divide,
  vector_load,
  vector_store,
  matrix,
  matrix_move,
  transfer,
  system,
};

// How an operand field is used. Fields: rd (11:7), rs1 (19:15), rs2 (24:20), rs3 (31:27).
enum class Operand : std::uint8_t {
  none,
  x_read,
  x_write,
  f_read,
  f_write,
  v_read,
  v_write,
  v_read_write,  // vector register (group)
  t_read,
  t_write,
  t_read_write,  // tile
};

enum Property : std::uint16_t {
  ends_block = 1 << 0,  // control flow, vtype/vl changes, CSR writes, fences, markers, stops
  reads_memory = 1 << 1,
  writes_memory = 1 << 2,
  maskable = 1 << 3,       // has a vm bit; vm = 0 reads v0
  takes_no_time = 1 << 4,  // a marker
  rounds = 1 << 7,         // has an rm field or uses frm
  is_compressed = 1 << 8,
  writes_vtype = 1 << 11,
  raises_flags =
      1 << 12,            // computes with host floating point: its block owns the host's flags (float_host.h)
  cache_block = 1 << 14,  // accesses the whole block of cache_block_bytes that holds x[rs1]
  starts_block = 1 << 13,  // sees counters and flags: every instruction before it must be accounted for
};

// What cbo instructions work on. There is no cache; 64 bytes is what the profiles require (Zic64b), a line of
// the SRAM's ports and a vector register.
constexpr std::uint64_t cache_block_bytes = 64;

// Executes one instruction and returns the next one of its block (or executes that too, see `proceed` in
// hart.h). Returns nullptr when the block is over: pc is set, and if hart.stop is not Stop::none the node
// must look at it (trap, system call, fabric request).
using Execute = const Decoded* (*)(Hart&, const Decoded*);

struct Row {
  std::string_view mnemonic;   // as llvm-mc writes it
  std::uint32_t match, mask;   // word & mask == match
  std::string_view syntax;     // operands as written, e.g. "rd, rs1, imm12" (tokens: see operands.h)
  std::string_view extension;  // Extension::name (extensions.h), "Xdojo", or "Sm": machine mode
  Unit unit;
  Operand rd, rs1, rs2, rs3;
  std::uint16_t properties;
  Execute execute;
  VectorOperands vector{};  // how the operands that are vector registers lie there
};

// Registers that mstatus may switch off; what needs them traps then.
enum RegisterState : std::uint8_t { float_state = 1, vector_state = 2 };  // FS; VS, tiles included

// Bits of RegisterState.
std::uint8_t state_needed(const Row& row);

struct Decoded {
  Execute execute;
  const Row* row;
  std::int64_t immediate;
  std::uint32_t word;  // the (expanded) 32-bit encoding
  std::uint8_t rd, rs1, rs2, rs3;
  std::uint8_t mode;             // rm for scalar floating point, vm for vector, funct bits as the row needs
  std::uint8_t length;           // bytes in memory: 2 or 4
  std::uint16_t compressed = 0;  // the encoding in memory if length is 2
};

// Tables, each in its own file. Their union is the machine's instruction set.
std::span<const Row> scalar_rows();
std::span<const Row> vector_rows();
std::span<const Row> matrix_rows();  // XSfmm
std::span<const Row> dojo_rows();    // Xdojo

}  // namespace dojo::isa
