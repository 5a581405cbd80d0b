#include "vector_writer.h"

#include <algorithm>

#include "base/error.h"
#include "isa/legal_words_for_tests.h"
#include "isa/vector_config.h"
#include "shell.h"

namespace dojo::differ {

using isa::Row;

VectorWriter::VectorWriter(Words& words, const Repertoire& repertoire, const Program& program)
    : words_(words), repertoire_(repertoire) {
  model_->vlen_bits = program.vlen_bits;
  isa::set_vtype(*model_, program.before.vtype);
  set_length(program.before.vl);
}

std::optional<VectorWriter::Configuration> VectorWriter::configuration() const {
  if (!known_) return std::nullopt;
  return Configuration{model_->vtype, model_->vl};
}

// Any vtype, now and then one that does not exist.
void VectorWriter::add_configuration(std::vector<Item>& made) {
  const auto below = [&](std::uint64_t bound) { return words_.below(bound); };
  configure(made, below(16) == 0 ? below(256) : below(4) << 6 | below(4) << 3 | below(8));
}

// By vsetvli, vsetivli or vsetvl; the model follows.
void VectorWriter::configure(std::vector<Item>& made, std::uint64_t vtype) {
  const auto below = [&](std::uint64_t bound) { return words_.below(bound); };
  const unsigned rd = words_.writable();
  isa::set_vtype(*model_, vtype);
  const std::uint64_t limit = isa::vector_length_limit(*model_), kind = below(4);
  if (kind == 0) {
    const std::uint64_t length = below(32);
    set_length(length);
    return add(made, {with_field(with_field(0xc0007057 | rd << 7, 20, 10, vtype), 15, 5, length)});
  }
  if (kind == 1 && rd != 0) {
    set_length(limit);
    return add(made, {with_field(0x00007057 | rd << 7, 20, 11, vtype)});
  }
  const std::uint64_t length = below(3) == 0 ? limit : below(limit + 2);
  set_length(length);
  const std::uint32_t amount = addi(amount_register, 0, length);
  if (kind == 2)
    return add(made, {amount, with_field(0x00007057 | rd << 7 | amount_register << 15, 20, 11, vtype)});
  add(made, {amount, addi(table_register, 0, vtype),
             0x80007057 | rd << 7 | amount_register << 15 | table_register << 20});
}

void VectorWriter::set_length(std::uint64_t length) {
  model_->vl = std::min(length, isa::vector_length_limit(*model_));
  known_ = true;
}

// A row that is an instruction in the program's configuration; every other time any row of all, for which the
// program then sets any configuration in which it is one.
const Row& VectorWriter::chosen(std::vector<Item>& made, const VectorRows& rows) {
  const auto here = known_ ? rows.in.find(model_->vtype & element_type_bits) : rows.in.end();
  if (here != rows.in.end() && !model_->vill && words_.below(2) == 0) return *words_.any(here->second);
  const VectorRows::Use& use = words_.any(rows.all);
  configure(made, words_.any(use.vtypes) | words_.below(4) << 6);
  return *use.row;
}

std::uint32_t VectorWriter::word(const Row& row) {
  std::uint32_t word = words_.of(row);
  if (words_.below(2) == 0) word |= 1u << 25 & ~row.mask;
  const auto placed = isa::legal_words::with_legal_registers(
      row, word, isa::vector::element_type(*model_), [&](std::size_t bound) { return words_.below(bound); });
  DOJO_ENSURE(placed.has_value());
  return *placed;
}

void VectorWriter::add_arithmetic(std::vector<Item>& made) {
  const Row& row = chosen(made, repertoire_.vectors);
  if (!takes_descriptor(row)) return add(made, {word(row)});
  const std::uint64_t descriptor = descriptor_at(model_->vtype) | words_.below(64);
  add(made, {addi(amount_register, 0, descriptor), with_field(word(row), 15, 5, amount_register)});
}

void VectorWriter::add_access(std::vector<Item>& made) {
  const Row& row = chosen(made, repertoire_.vector_accesses);
  const std::uint32_t aimed = with_field(word(row), 15, 5, address_register);
  switch (row.vector.access) {
    case isa::AccessPattern::indexed:
      return add(made, indexed(aimed));
    case isa::AccessPattern::strided:
      return add(made, strided(aimed));
    default:
      return add(made, unit_stride(aimed));
  }
}

std::vector<std::uint32_t> VectorWriter::unit_stride(std::uint32_t word) {
  return {addi(address_register, words_.memory_base(), words_.memory_offset(most_vlen_bits)), word};
}

std::vector<std::uint32_t> VectorWriter::strided(std::uint32_t word) {
  const std::uint64_t reach = (half_memory - 64) / (model_->vl + 1);
  const std::uint64_t stride = words_.below(2 * reach + 1) - reach;
  return {addi(address_register, words_.memory_base(), 0), addi(amount_register, 0, stride),
          with_field(word, 20, 5, amount_register)};
}

// The indices come from their table, loaded in the same configuration: their group may stand where a load's
// may.
std::vector<std::uint32_t> VectorWriter::indexed(std::uint32_t word) {
  const unsigned width = word >> 12 & 7, log2 = width == 0 ? 0 : width - 4;
  const std::uint32_t load = 0x02000007 | width << 12 | table_register << 15 | (word >> 20 & 31) << 7;
  return {addi(table_register, x_tables, std::uint64_t{index_table_bytes} * log2 - 2 * index_table_bytes),
          load, addi(address_register, words_.memory_base(), words_.below(900)), word};
}

}  // namespace dojo::differ
