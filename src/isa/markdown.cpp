#include "isa/markdown.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "isa/block.h"
#include "isa/compressed.h"
#include "isa/csr.h"
#include "isa/extensions.h"

namespace dojo::isa {
namespace {

constexpr std::array<std::string_view, 18> unit_names = {
    "alu",         "multiply",     "divide",       "branch",        "load",     "store",
    "atomic",      "float",        "float_divide", "vector_config", "simd",     "simd_divide",
    "vector_load", "vector_store", "matrix",       "matrix_move",   "transfer", "system"};

// A mask as the spec draws encodings: fixed bits, and a dot for every operand bit.
std::string pattern(std::uint32_t match, std::uint32_t mask, int width) {
  std::string text;
  for (int bit = width - 1; bit >= 0; --bit)
    text += ((mask >> bit) & 1) == 0 ? '.' : ((match >> bit) & 1) != 0 ? '1' : '0';
  return text;
}

std::string table_of(std::string_view extension) {
  std::string text =
      fmt::format("\n## {}\n\n| instruction | operands | encoding | unit |\n|---|---|---|---|\n", extension);
  for (const Row* row : all_rows())
    if (row->extension == extension)
      text +=
          fmt::format("| {} | {} | `{}` | {} |\n", row->mnemonic, row->syntax,
                      pattern(row->match, row->mask, 32), unit_names[static_cast<std::size_t>(row->unit)]);
  return text;
}

std::string compressed_table() {
  std::string text =
      "\n## C, Zcb, Zcmop\n\nEach is another spelling of a 32-bit instruction.\n\n| instruction | operands | "
      "encoding "
      "| extension |\n|---|---|---|---|\n";
  for (const CompressedRow& row : compressed_rows())
    text += fmt::format("| {} | {} | `{}` | {} |\n", row.mnemonic, row.syntax,
                        pattern(row.match, row.mask, 16), row.extension);
  return text;
}

std::string extension_table() {
  std::string text =
      "\n## Extensions\n\nAll that the profiles RVA22U64 and RVA23U64 require is here except Supm (pointer "
      "masking): "
      "a program\nhas to ask its environment for that, and this one offers none. \"compiled\" is what "
      "networks and "
      "kernels are\ncompiled for unless told otherwise.\n\n| extension | for clang | compiled | here "
      "|\n|---|---|---|---|\n";
  for (const Extension& extension : extensions())
    text += fmt::format("| {} | {} | {} | {} |\n", extension.name, extension.llvm,
                        extension.compiled ? "yes" : "", extension.meaning);
  // Scripts read these (tools/architecture.py).
  constexpr unsigned vlen_bits = 512;
  return text + fmt::format(
                    "\nFor a machine with vectors of {} bits that is, to clang,\n`-march={}`;\nof all these "
                    "qemu-riscv64 7.2 has what\n`-cpu {}`\nnames, and Spike what\n`--isa={}`\nnames.\n",
                    vlen_bits, compiled_architecture(vlen_bits), qemu_processor(vlen_bits),
                    spike_architecture(vlen_bits));
}

std::string csr_table() {
  std::string text =
      "\n## Control and status registers\n\n| number | name | access | meaning |\n|---|---|---|---|\n";
  const auto all = csrs();
  for (std::size_t first = 0, next = 0; first < all.size(); first = next) {  // those alike in one line
    do ++next;
    while (next < all.size() && all[next].number == all[next - 1].number + 1u &&
           all[next].meaning == all[first].meaning);
    const Csr &csr = all[first], &last = all[next - 1];
    const bool one = next == first + 1;
    text += fmt::format("| {:#05x}{} | {}{} | {} | {} |\n", csr.number,
                        one ? "" : fmt::format(" to {:#05x}", last.number), csr.name,
                        one ? "" : fmt::format(" to {}", last.name),
                        csr.write == nullptr ? "read" : "read, write", csr.meaning);
  }
  return text;
}

}  // namespace

std::string to_markdown() {
  std::vector<std::string_view> names;  // of extensions, in table order
  for (const Row* row : all_rows())
    if (std::find(names.begin(), names.end(), row->extension) == names.end()) names.push_back(row->extension);

  std::string text = fmt::format(
      "# Instruction set\n\n"
      "Made from the tables in src/isa; `DOJO_REGENERATE=1 isa_test --gtest_filter='Page.*'` writes it anew. "
      "{} rows and {} compressed\n"
      "spellings. Operand words are explained in src/isa/operands.h; a dot is an operand bit. \"unit\" is "
      "what executes the\n"
      "instruction and what the ledger counts.\n",
      all_rows().size(), compressed_rows().size());
  text += extension_table();
  for (const auto name : names) text += table_of(name);
  return text + compressed_table() + csr_table();
}

}  // namespace dojo::isa
