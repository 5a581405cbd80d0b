#include "ways.h"
#include "support/command.h"

#include <fmt/format.h>

#include <cstring>
#include <map>
#include <memory>

#include "base/file.h"
#include "isa/extensions.h"
#include "machine/machine.h"
#include "system/computer.h"
#include "system/program.h"

namespace dojo::differ {
namespace {

constexpr std::uint64_t most_instructions = 100'000'000;

std::vector<State> states_of(std::span<const std::byte> dump) {
  std::vector<State> states(dump.size() / sizeof(State));
  std::memcpy(states.data(), dump.data(), states.size() * sizeof(State));
  return states;
}

// Writes the file and has `command` run it.
Ended ended_elsewhere(const Workshop& workshop, std::string_view name, const std::string& command,
                      std::span<const std::byte> elf) {
  const auto file = [&](const char* what) { return workshop.file(what).string(); };
  write_file(file("programs.elf"), elf);
  std::filesystem::permissions(file("programs.elf"), std::filesystem::perms::owner_all);
  const int code = run(fmt::format("timeout 60 {} {} > {} 2> {}", command, file("programs.elf"), file("dump"),
                                   file("messages")));
  Ended ended;
  if (code != 0)
    ended.died = fmt::format("{} ended with {} {}", name, code, read_text(file("messages")));
  else
    ended.states = states_of(read_file(file("dump")));
  return ended;
}

}  // namespace

Way under_qemu(const Workshop& workshop) {
  return {"qemu", [&workshop](std::span<const std::byte> elf, unsigned vlen_bits) {
            const auto command = fmt::format("qemu-riscv64 -cpu {}", isa::qemu_processor(vlen_bits));
            return ended_elsewhere(workshop, "qemu", command, elf);
          }};
}

Way under_spike(const Workshop& workshop, const std::string& spike) {
  return {"Spike", [&workshop, spike](std::span<const std::byte> elf, unsigned vlen_bits) {
            const auto command =
                fmt::format("{} --isa={} -m{:#x}:{:#x}", spike, isa::spike_architecture(vlen_bits),
                            first_address, end_address - first_address);
            return ended_elsewhere(workshop, "Spike", command, elf);
          }};
}

Way here(std::string name, bool timing, bool translated) {
  auto computers = std::make_shared<std::map<unsigned, system::Computer>>();
  return {std::move(name),
          [timing, translated, computers](std::span<const std::byte> elf, unsigned vlen_bits) {
            auto found = computers->find(vlen_bits);
            if (found == computers->end()) {
              auto machine = machine::read_machine("d1");
              machine.node.vlen_bits = vlen_bits;
              found = computers->emplace(vlen_bits, system::Computer(machine, 1)).first;
            }
            std::string dump;
            system::LaunchOptions options;
            options.host.threads = 1;
            options.host.timing = timing;
            options.translate_after = translated ? 0 : node::never_translate;
            options.max_instructions = most_instructions;
            options.text_output = [&](std::string_view text) { dump += text; };
            const auto result =
                found->second.launch(system::Program::parse(elf, "random programs"), 0, 0, options);
            Ended ended;
            ended.instructions = result.instructions;
            if (result.exit_code != 0)
              ended.died = fmt::format("ended with {}", result.exit_code);
            else if (result.outcome == system::Outcome::finished)
              ended.states = states_of(std::as_bytes(std::span(dump)));
            else
              ended.died = result.stranded.empty()
                               ? "ran for too long"
                               : fmt::format("{} at {:#x}: {}", result.stranded[0].reason,
                                             result.stranded[0].pc, result.stranded[0].disassembly);
            return ended;
          }};
}

}  // namespace dojo::differ
