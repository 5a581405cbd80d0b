// What `monitor ...` says: what gdb cannot know by itself.
#include <fmt/format.h>

#include <array>

#include "debug/accesses.h"
#include "debug/stub.h"
#include "isa/block.h"

namespace dojo::debug {

namespace {

constexpr std::string_view help =
    "cycles        that the selected thread has worked; whole and with waits after it has read the clock\n"
    "instructions  of the selected thread, and of all\n"
    "here          the next instruction of the selected thread, XSfmm and Xdojo included\n"
    "where         what every node is doing\n";

std::string where(const system::Debuggee& debuggee) {
  constexpr std::array names = {"can go on", "waits", "ended", "trapped", "too long"};
  std::string text;
  for (std::size_t thread = 0; thread < debuggee.threads(); ++thread) {
    const isa::Hart& hart = debuggee.hart(thread);
    text += fmt::format("node {} thread {}: {:<9} {:#x} {}\n", hart.node, hart.thread,
                        names[static_cast<std::size_t>(debuggee.state(thread))], hart.pc,
                        debuggee.program().describe(hart.pc));
  }
  return text;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return std::string(text);
}

}  // namespace

std::string Stub::monitor(std::string_view command) const {
  const std::string word = trimmed(command);
  const isa::Hart& one = hart();
  if (word == "cycles") return fmt::format("{}\n", one.cycle);
  if (word == "instructions") {
    std::uint64_t all = 0;
    for (std::size_t thread = 0; thread < debuggee_.threads(); ++thread)
      all += debuggee_.hart(thread).instructions;
    return fmt::format("{} of {}\n", one.instructions, all);
  }
  if (word == "here")
    return fmt::format("{:#x} <{}>  {}\n", one.pc, debuggee_.program().describe(one.pc),
                       isa::disassemble(next_instruction(one), one.pc));
  if (word == "where") return where(debuggee_);
  return std::string(help);
}

}  // namespace dojo::debug
