// The rules about how much an instruction occupies. Widths are rounded up to whole cycles; nothing takes less
// than one.
#include "node/cost.h"

#include <algorithm>
#include <bit>

#include "isa/vector_legality.h"

namespace dojo::node {
namespace {

using isa::AccessPattern;
using isa::Decoded;
using isa::Extent;
using isa::Operand;
using isa::OperandGroup;
using isa::Order;
using isa::Unit;

constexpr std::uint8_t all_tiles = 0xf;

std::uint32_t divide_up(std::uint64_t amount, std::uint64_t by) {
  return static_cast<std::uint32_t>(std::max<std::uint64_t>(1, (amount + by - 1) / by));
}

bool has(const Decoded& d, std::uint16_t property) { return (d.row->properties & property) != 0; }

isa::ElementType element_type(const Config& config) { return {config.sew_log2 - 3, config.lmul_log2}; }

Group group(unsigned first, unsigned count, bool at_once = false) {
  return {static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(std::min(count, 32 - first)), at_once};
}

bool writes(Operand operand) { return operand == Operand::v_write || operand == Operand::v_read_write; }
bool reads(Operand operand) { return operand == Operand::v_read || operand == Operand::v_read_write; }

void add_read(Cost& cost, const Group& read) {
  for (Group& slot : cost.v_reads) {
    if (slot.count != 0) continue;
    slot = read;
    return;
  }
}

void describe_scalar_operands(const Decoded& d, Cost& cost) {
  const std::pair<Operand, std::uint8_t> fields[] = {
      {d.row->rd, d.rd}, {d.row->rs1, d.rs1}, {d.row->rs2, d.rs2}, {d.row->rs3, d.rs3}};
  for (const auto& [operand, number] : fields) {
    const std::uint32_t bit = 1u << (number & 31);
    if (operand == Operand::x_read) cost.x_reads |= bit;
    if (operand == Operand::x_write) cost.x_writes |= bit;
    if (operand == Operand::f_read) cost.f_reads |= bit;
    if (operand == Operand::f_write) cost.f_writes |= bit;
  }
  cost.x_reads &= ~1u;  // x0 is never waited for
  cost.x_writes &= ~1u;
}

std::uint32_t scalar_access_bytes(const Decoded& d) { return 1u << ((d.word >> 12) & 3); }

void describe_scalar(const Decoded& d, const machine::Node& node, Cost& cost) {
  const auto route = [&](Route where, std::uint64_t latency, std::uint64_t occupancy = 1) {
    cost.route = where;
    cost.latency = static_cast<std::uint32_t>(latency);
    cost.occupancy = static_cast<std::uint32_t>(occupancy);
  };
  switch (d.row->unit) {
    case Unit::branch:
      return route(Route::branch, node.alu_cycles);
    case Unit::multiply:
      return route(Route::alu, node.multiply_cycles);
    case Unit::divide:
      return route(Route::divide, node.divide_cycles, node.divide_cycles);
    case Unit::float_:
      return route(Route::alu, node.scalar_float_cycles);
    case Unit::float_divide:
      return route(Route::divide, node.scalar_float_divide_cycles, node.scalar_float_divide_cycles);
    case Unit::load:
      cost.read_bytes = scalar_access_bytes(d);
      return route(Route::load, node.sram_load_cycles);
    case Unit::store:
      if (has(d, isa::cache_block)) {  // wider than the scalar engine's store
        cost.write_bytes = isa::cache_block_bytes;
        cost.pipes = store_port;
        return route(Route::vector, 1, divide_up(cost.write_bytes, node.port_bytes));
      }
      cost.write_bytes = scalar_access_bytes(d);
      return route(Route::store, 1);
    case Unit::atomic:
      cost.read_bytes = cost.write_bytes = scalar_access_bytes(d);
      return route(Route::atomic, node.sram_load_cycles);
    case Unit::vector_config:
      cost.reads_config = cost.writes_config = true;
      return route(Route::alu, node.alu_cycles);
    case Unit::transfer:
      return route(Route::drain, 1, node.transfer_issue_cycles);
    case Unit::system:
      if (!has(d, isa::takes_no_time)) return route(Route::drain, node.alu_cycles, node.alu_cycles);
      cost.x_reads = 0;
      return route(Route::free, 1);
    default:
      return route(Route::alu, node.alu_cycles);
  }
}

// Masks, single elements and what a permutation may take from anywhere are needed before the first result;
// everything else register by register.
bool is_needed_at_once(const OperandGroup& operand, Order order) {
  return operand.extent == Extent::mask || operand.extent == Extent::element || order == Order::permuting ||
         order == Order::gathering;
}

// Bits that the SIMD pipe moves for each element: the wider of vd's and vs2's, or one if there are only
// masks.
std::uint64_t bits_per_element(const isa::VectorOperands& operands, isa::ElementType type) {
  if (!operands.vd.is_group() && !operands.vs2.is_group()) return 1;
  int log2 = 0;
  for (const OperandGroup& operand : {operands.vd, operands.vs2})
    if (operand.is_group() || operand.extent == Extent::element)
      log2 = std::max(log2, operand.eew_log2(type));
  return std::uint64_t{8} << log2;
}

void describe_simd(const Decoded& d, const Config& config, const machine::Node& node, Cost& cost) {
  const isa::VectorOperands& operands = d.row->vector;
  const isa::ElementType type = element_type(config);
  const Order order = operands.order;
  const unsigned target = operands.vd_registers(type);
  const auto source = [&](unsigned first, const OperandGroup& operand) {
    return group(first, operand.registers(type), is_needed_at_once(operand, order));
  };
  if (reads(d.row->rs2)) add_read(cost, source(d.rs2, operands.vs2));
  if (reads(d.row->rs1)) add_read(cost, source(d.rs1, operands.vs1));
  if (reads(d.row->rd)) add_read(cost, group(d.rd, target));
  if (writes(d.row->rd)) cost.v_write = group(d.rd, target);

  cost.pipes = simd_pipe;
  cost.streams = true;
  cost.latency = static_cast<std::uint32_t>(node.simd_cycles);
  cost.occupancy = operands.vd.extent == Extent::registers
                       ? target
                       : divide_up(config.vl * bits_per_element(operands, type), node.vlen_bits);
  if (order == Order::gathering) {
    cost.occupancy *= operands.vs2.registers(type);
  } else if (order == Order::element_serial) {
    cost.occupancy = static_cast<std::uint32_t>(std::max<std::uint64_t>(1, config.vl * node.simd_cycles));
    cost.streams = false;
  } else if (order == Order::reducing) {
    const std::uint64_t per_register = node.vlen_bits >> config.sew_log2;
    const std::uint64_t elements =
        std::max<std::uint64_t>(1, std::min<std::uint64_t>(config.vl, per_register));
    cost.latency *= 1 + static_cast<std::uint32_t>(std::bit_width(elements - 1));
    cost.streams = false;
  }
  if (d.row->unit == Unit::simd_divide) {
    cost.occupancy = static_cast<std::uint32_t>(
        std::max<std::uint64_t>(1, config.vl * node.simd_divide_cycles_per_element));
    cost.streams = false;
  }
}

std::uint64_t accessed_bytes(const isa::VectorOperands& operands, const Config& config,
                             const machine::Node& node) {
  const isa::ElementType type = element_type(config);
  if (operands.access == AccessPattern::mask_bytes) return (config.vl + 7u) / 8;
  if (operands.access == AccessPattern::whole_registers)
    return operands.vd.registers(type) * node.vlen_bits / 8;
  return (std::uint64_t{config.vl} << operands.vd.eew_log2(type)) * operands.fields;
}

void describe_vector_access(const Decoded& d, const Config& config, const machine::Node& node, Cost& cost) {
  const isa::VectorOperands& operands = d.row->vector;
  const isa::ElementType type = element_type(config);
  const bool is_load = d.row->unit == Unit::vector_load;
  const bool element_by_element = operands.order == Order::element_serial;
  const std::uint64_t bytes = accessed_bytes(operands, config, node);
  const std::uint64_t elements = std::uint64_t{config.vl} * operands.fields;
  const auto grains = [&] {
    return divide_up(std::uint64_t{1} << operands.vd.eew_log2(type), node.gather_grain_bytes);
  };
  cost.occupancy = element_by_element
                       ? static_cast<std::uint32_t>(std::max<std::uint64_t>(1, elements * grains()))
                       : divide_up(bytes, node.port_bytes);
  cost.streams = !element_by_element && operands.fields == 1;
  cost.pipes = is_load ? load_port : store_port;
  cost.ports = is_load ? 1 : 0;
  cost.latency = is_load ? static_cast<std::uint32_t>(node.sram_load_cycles) : 1;
  (is_load ? cost.read_bytes : cost.write_bytes) = bytes;
  cost.writes_config = operands.access == AccessPattern::first_fault_only;  // may cut vl
  if (reads(d.row->rs2)) add_read(cost, group(d.rs2, operands.vs2.registers(type), true));
  if (operands.vd.extent == Extent::tile_slice) {
    (is_load ? cost.t_writes : cost.t_reads) = all_tiles;
  } else if (is_load) {
    cost.v_write = group(d.rd, operands.vd_registers(type));
  } else {
    add_read(cost, group(d.rd, operands.vd_registers(type)));
  }
}

// A step multiplies blocks of 8 x 8 x k; FP32 runs at the SIMD pipe's rate and takes that pipe as well, FP64
// at half of it.
void describe_matrix(const Decoded& d, const Config& config, const machine::Node& node, Cost& cost) {
  const bool single = config.sew_log2 >= 5;
  const std::uint64_t blocks = std::uint64_t{(config.tile_m + 7u) / 8} * ((config.vl + 7u) / 8);
  const std::uint64_t slower = single ? node.matrix_fp32_divisor << (config.sew_log2 - 5) : 1;
  const std::uint64_t macs = blocks * 64 * config.tile_k * slower;
  cost.occupancy = divide_up(macs, node.matrix_macs);
  cost.latency = static_cast<std::uint32_t>(node.matrix_cycles);
  cost.pipes = single ? simd_pipe | matrix_pipe : matrix_pipe;
  if (!single && node.matrix_operand_bytes != 0) {
    cost.pipes |= load_port;
    cost.ports = static_cast<std::uint8_t>(divide_up(node.matrix_operand_bytes, node.port_bytes));
  }
  // Row k of an operand lies k * 8 / widen registers above its first.
  const unsigned row = d.row->vector.vs2.registers(element_type(config));
  for (unsigned k = 0; k < config.tile_k && k < config.widen; ++k) {
    const unsigned above = k * 8 / config.widen;
    add_read(cost, group((d.rs2 + above) & 31, row, true));
    add_read(cost, group((d.rs1 + above) & 31, row, true));
  }
  cost.t_writes = cost.t_reads = static_cast<std::uint8_t>(1u << ((d.rd >> 3) & 3));
  cost.accumulates = true;
  cost.macs = std::uint64_t{config.tile_m} * config.vl * config.tile_k;
}

// Which tile a move touches stands in a register's value, so it is taken to touch all of them.
void describe_matrix_move(const Decoded& d, const Config& config, const machine::Node& node, Cost& cost) {
  cost.pipes = matrix_pipe;
  cost.latency = static_cast<std::uint32_t>(node.tile_move_cycles);
  cost.occupancy = 1;
  const bool names_tile = d.row->rd == Operand::t_write || d.row->rd == Operand::t_read_write;
  const isa::ElementType type = element_type(config);
  if (writes(d.row->rd)) {
    cost.v_write = group(d.rd, d.row->vector.vd_registers(type));
    cost.t_reads = all_tiles;
    cost.streams = true;
  } else {
    cost.t_writes = names_tile ? static_cast<std::uint8_t>(1u << ((d.rd >> 3) & 3)) : all_tiles;
    if (reads(d.row->rs2)) add_read(cost, group(d.rs2, d.row->vector.vs2.registers(type)));
  }
  if (!names_tile) cost.occupancy = divide_up(std::uint64_t{config.vl} << config.sew_log2, node.vlen_bits);
}

}  // namespace

// The layout of vtype stands in isa/vector_config.h. An illegal vtype has only its highest bit set and reads
// like the lowest configuration, with vl = 0.
Config ConfigWord::decode() const {
  const auto field = [&](unsigned first, unsigned count) {
    return static_cast<unsigned>(bits >> (32 + first) & ((1u << count) - 1));
  };
  const unsigned widen = field(9, 2);
  return {.vl = static_cast<std::uint16_t>(bits),
          .sew_log2 = static_cast<std::uint8_t>(3 + field(3, 3)),
          .lmul_log2 = static_cast<std::int8_t>(static_cast<int>(field(0, 3) ^ 4) - 4),
          .widen = static_cast<std::uint8_t>(widen == 0 ? 0 : 1u << (widen - 1)),
          .tile_m = static_cast<std::uint8_t>(field(16, 14)),
          .tile_k = static_cast<std::uint8_t>(field(11, 3))};
}

Cost trap_cost(const machine::Node& node) {
  Cost cost;
  cost.unit = Unit::system;
  cost.route = Route::drain;
  cost.latency = cost.occupancy = static_cast<std::uint32_t>(node.alu_cycles);
  return cost;
}

bool depends_on_config(const Decoded& decoded) {
  switch (decoded.row->unit) {
    case Unit::simd:
    case Unit::simd_divide:
    case Unit::vector_load:
    case Unit::vector_store:
    case Unit::matrix:
    case Unit::matrix_move:
      return true;
    default:
      return false;
  }
}

Cost cost_of(const Decoded& decoded, const Config& config, const machine::Node& node) {
  Cost cost;
  cost.bytes = decoded.length;
  cost.unit = decoded.row->unit;
  describe_scalar_operands(decoded, cost);
  if (!depends_on_config(decoded)) {
    describe_scalar(decoded, node, cost);
    return cost;
  }
  cost.route = Route::vector;
  cost.reads_config = true;
  switch (decoded.row->unit) {
    case Unit::vector_load:
    case Unit::vector_store:
      describe_vector_access(decoded, config, node, cost);
      break;
    case Unit::matrix:
      describe_matrix(decoded, config, node, cost);
      break;
    case Unit::matrix_move:
      describe_matrix_move(decoded, config, node, cost);
      break;
    default:
      describe_simd(decoded, config, node, cost);
      break;
  }
  if (has(decoded, isa::maskable) && isa::vector::is_masked(&decoded)) add_read(cost, group(0, 1, true));
  return cost;
}

void count(const Cost& cost, Counts& counts) {
  counts.of(cost.unit) += 1;
  counts.of(Counter::sram_read) += cost.read_bytes;
  counts.of(Counter::sram_written) += cost.write_bytes;
  counts.of(Counter::multiply_adds) += cost.macs;
  if ((cost.pipes & simd_pipe) != 0) counts.of(Counter::simd_busy) += cost.occupancy;
}

}  // namespace dojo::node
