#include "scalar_writer.h"

#include <iterator>

#include "isa/block.h"

namespace dojo::differ {
namespace {

using isa::Operand;
using isa::Row;

constexpr std::uint32_t csr(unsigned function, unsigned rd, unsigned source, unsigned number) {
  return 0x73 | function << 12 | rd << 7 | source << 15 | number << 20;
}

}  // namespace

void ScalarWriter::add_arithmetic(std::vector<Item>& made) {
  add(made, {words_.of(*words_.any(repertoire_.arithmetic))});
}

void ScalarWriter::add_float(std::vector<Item>& made) {
  add(made, {words_.of(*words_.any(repertoire_.floats))});
}

// Any half-word that is neither a jump nor a system instruction, and whose base is the program's memory.
void ScalarWriter::add_compressed(std::vector<Item>& made) {
  for (;;) {
    const auto half = static_cast<std::uint16_t>(words_.below(0x10000));
    if ((half & 3) == 3) continue;
    const auto d = isa::decode(half, 0);
    const bool memory = (d.row->properties & (isa::reads_memory | isa::writes_memory)) != 0;
    const std::string_view extension = isa::extension_of(d);
    if (extension.empty() || !knows(repertoire_.oracle, extension) || d.row->unit == isa::Unit::branch ||
        d.row->unit == isa::Unit::system)
      continue;
    if (d.row->rd == Operand::x_write && !is_writable(d.rd)) continue;
    if (memory && d.rs1 != x_memory && d.rs1 != x_memory_short) continue;
    return add(made, {half});
  }
}

void ScalarWriter::add_access(std::vector<Item>& made) {
  if (!repertoire_.cache_blocks.empty() && words_.below(12) == 0) return add_cache_block(made);
  const Row& row = *words_.any(repertoire_.accesses);
  std::uint32_t word = with_field(words_.of(row), 15, 5, words_.memory_base());
  const std::uint64_t offset = words_.memory_offset(8);
  const bool store = (row.properties & isa::writes_memory) != 0;
  word = store ? with_field(with_field(word, 25, 7, offset >> 5), 7, 5, offset)
               : with_field(word, 20, 12, offset);
  add(made, {word});
}

// The memory consists of whole blocks.
void ScalarWriter::add_cache_block(std::vector<Item>& made) {
  const std::uint32_t word = words_.of(*words_.any(repertoire_.cache_blocks));
  add(made, {addi(address_register, words_.memory_base(), words_.memory_offset(1)),
             with_field(word, 15, 5, address_register)});
}

void ScalarWriter::add_atomic(std::vector<Item>& made) {
  const std::uint64_t offset = words_.memory_offset(8) & ~std::uint64_t{7};
  std::vector<std::uint32_t> words = {addi(address_register, words_.memory_base(), offset)};
  const Row& row = *words_.any(repertoire_.atomics);
  const auto aimed = [](std::uint32_t word) { return with_field(word, 15, 5, address_register); };
  if (row.mnemonic.starts_with("sc") && words_.below(4) != 0)
    for (const Row* reserve : repertoire_.atomics)
      if (reserve->mnemonic.starts_with("lr") && reserve->mnemonic.back() == row.mnemonic.back())
        words.push_back(with_field(aimed(words_.of(*reserve)), 7, 5, 12));
  words.push_back(aimed(words_.of(row)));
  // An lr.d has its sc.d: where an sc.w comes first, qemu 7.2 writes and says that it did not.
  if (row.mnemonic == "lr.d") {
    words.back() = with_field(words.back(), 7, 5, 12);
    for (const Row* store : repertoire_.atomics)
      if (store->mnemonic == "sc.d") words.push_back(aimed(words_.of(*store)));
  }
  add(made, words);
}

void ScalarWriter::add_csr(std::vector<Item>& made) {
  constexpr unsigned fflags = 1, frm = 2, fcsr = 3, vxsat = 9, vxrm = 10, vcsr = 15;
  constexpr unsigned readable[] = {fflags, frm, fcsr, 8, vxsat, vxrm, vcsr, 0xc20, 0xc21, 0xc22};
  constexpr unsigned write = 1, set = 2, clear = 3, immediate = 4;
  const auto below = [&](std::uint64_t bound) { return words_.below(bound); };
  const unsigned rd = words_.writable(), any_x = static_cast<unsigned>(below(32)), five = any_x;
  switch (below(8)) {
    case 0:
      return add(made, {csr(write, rd, any_x, fflags)});
    case 1:
      return add(made, {csr(immediate | static_cast<unsigned>(1 + below(3)), rd, five, fflags)});
    case 2:
      return add(made, {csr(immediate | write, rd, static_cast<unsigned>(below(5)), frm)});
    case 3:
      return add(
          made, {addi(amount_register, 0, below(5) << 5 | below(32)), csr(write, rd, amount_register, fcsr)});
    case 4: {  // qemu 7.2 keeps bits that these registers do not have
      const bool rounding = below(2) == 0;
      return add(made, {csr(immediate | static_cast<unsigned>(1 + below(3)), rd,
                            static_cast<unsigned>(below(rounding ? 4 : 2)), rounding ? vxrm : vxsat)});
    }
    case 5:
      return add(made, {csr(below(2) == 0 ? write : clear, rd, any_x, vcsr)});
    default:
      return add(made, {csr(set, rd, 0, readable[below(std::size(readable))])});
  }
}

}  // namespace dojo::differ
