// Names of one instruction. Its text: the mnemonic, a tab, and the row's syntax with every token filled in.
#include "isa/block.h"
#include "isa/compressed.h"
#include "isa/operands.h"

namespace dojo::isa {

std::string disassemble(const Decoded& decoded, std::uint64_t pc) {
  // What compilers put where nothing may come: illegal by definition, but known by name.
  if (decoded.length == 2 && decoded.compressed == 0) return "c.unimp";
  if (decoded.length == 4 && decoded.word == 0xc0001073) return "unimp";
  const CompressedRow* compressed = decoded.length == 2 ? find_compressed(decoded.compressed) : nullptr;
  std::string mnemonic(compressed != nullptr ? compressed->mnemonic : decoded.row->mnemonic);
  const std::string_view syntax = compressed != nullptr ? compressed->syntax : decoded.row->syntax;

  std::string operands;
  for_each_piece(syntax, [&](std::string_view piece, const OperandToken* token) {
    if (token == nullptr) {
      operands += piece;
      return;
    }
    const std::string text = token->print(decoded, pc);
    if (token->in_mnemonic)
      mnemonic += text;
    else if (text.empty() && operands.ends_with(", "))
      operands.resize(operands.size() - 2);
    else
      operands += text;
  });
  if (operands.starts_with(' ')) operands.erase(0, 1);
  return operands.empty() ? mnemonic : mnemonic + "\t" + operands;
}

std::string_view extension_of(const Decoded& decoded) {
  if (decoded.length == 4) return decoded.row->extension;
  const CompressedRow* compressed = find_compressed(decoded.compressed);
  return compressed == nullptr ? "" : compressed->extension;
}

}  // namespace dojo::isa
