#include "runtime/signature.h"

#include <fmt/format.h>

#include "base/error.h"
#include "system/layout.h"

namespace dojo::runtime {

std::pair<std::uint64_t, std::uint64_t> signature_range(const system::Program& program,
                                                        const machine::Machine& machine) {
  for (const char* name : {"begin_signature", "end_signature"})
    if (!program.has_symbol(name)) refuse(program.where(), "has no symbol {}, so no signature", name);
  const std::uint64_t begin = program.symbol("begin_signature", 0), end = program.symbol("end_signature", 0);
  const isa::Memory window = system::lay_out(program, machine.node, 0, 0).window;
  if (begin > end || begin < window.base || end - window.base > window.size)
    refuse(program.where(), "has a signature from {:#x} to {:#x}, which is no part of a node's memory", begin,
           end);
  return {begin - window.base, end - window.base};
}

std::string signature_text(std::span<const std::byte> bytes, std::size_t granularity) {
  DOJO_ENSURE(granularity > 0);
  std::string text;
  for (std::size_t line = 0; line < bytes.size(); line += granularity) {
    for (std::size_t i = granularity; i-- > 0;)
      text +=
          fmt::format("{:02x}", line + i < bytes.size() ? std::to_integer<unsigned>(bytes[line + i]) : 0u);
    text += '\n';
  }
  return text;
}

}  // namespace dojo::runtime
