#include "repertoire.h"

#include <memory>

#include "base/error.h"
#include "base/random.h"
#include "isa/block.h"
#include "isa/legal_words_for_tests.h"
#include "isa/one_instruction_test.h"
#include "isa/vector_config.h"

namespace dojo::differ {
namespace {

using isa::Row;

// Whether the handler takes the row at this vtype. Memory and vl are nothing: no element is touched.
bool is_instruction(const Row& row, std::uint64_t vtype) {
  const auto hart = std::make_unique<isa::Hart>();
  isa::set_vtype(*hart, vtype);
  constexpr std::uint32_t unmasked = 1u << 25;
  Random random(1);
  const auto word = isa::legal_words::with_legal_registers(
      row, row.match | (unmasked & ~row.mask), isa::vector::element_type(*hart),
      [&](std::size_t bound) { return random.below(bound); });
  if (!word) return false;
  hart->x.fill(descriptor_at(vtype));
  isa::execute_alone(*hart, isa::decode(*word, 0));
  return hart->stop != isa::Stop::trap || hart->trap != isa::TrapCause::illegal_instruction;
}

void add_uses(VectorRows& rows, const Row* row) {
  VectorRows::Use use{row, {}};
  for (const std::uint64_t vtype : isa::legal_words::plain_vtypes()) {
    if (!is_instruction(*row, vtype)) continue;
    use.vtypes.push_back(vtype);
    rows.in[vtype].push_back(row);
  }
  DOJO_ENSURE(!use.vtypes.empty());
  rows.all.push_back(std::move(use));
}

// nullptr: such instructions are made in another way, or not at all.
Rows* place_for(Repertoire& all, const Row& row) {
  switch (row.unit) {
    case isa::Unit::branch:
      return &all.branches;
    case isa::Unit::atomic:
      return &all.atomics;
    case isa::Unit::float_:
    case isa::Unit::float_divide:
      return &all.floats;
    case isa::Unit::system:
      return row.mnemonic.starts_with("fence") ? &all.arithmetic : nullptr;
    case isa::Unit::vector_config:
    case isa::Unit::transfer:
    case isa::Unit::matrix:
    case isa::Unit::matrix_move:
      return nullptr;
    default:
      break;
  }
  if ((row.properties & isa::cache_block) != 0) return &all.cache_blocks;
  return (row.properties & (isa::reads_memory | isa::writes_memory)) != 0 ? &all.accesses : &all.arithmetic;
}

}  // namespace

Repertoire::Repertoire(Oracle chosen) : oracle(chosen) {
  for (const Row* row : isa::all_rows()) {
    if (!knows(oracle, *row) || row->extension == "XSfmm") continue;
    const bool is_access = row->unit == isa::Unit::vector_load || row->unit == isa::Unit::vector_store;
    if (is_access || row->unit == isa::Unit::simd || row->unit == isa::Unit::simd_divide)
      add_uses(is_access ? vector_accesses : vectors, row);
    else if (Rows* place = place_for(*this, *row))
      place->push_back(row);
  }
}

const Repertoire& repertoire_of(Oracle oracle) {
  static const Repertoire all[] = {Repertoire(Oracle::qemu), Repertoire(Oracle::spike),
                                   Repertoire(Oracle::semantics)};
  return all[static_cast<std::size_t>(oracle)];
}

}  // namespace dojo::differ
