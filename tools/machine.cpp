// dojo machine: every parameter of a machine with where it comes from, then what follows from them.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/printable.h"
#include "commands.h"
#include "machine/machine.h"
#include "machine/machine_file.h"

namespace dojo::tools {

namespace {

std::string source_of(const machine::Parameter& parameter) {
  if (!parameter.plausible) return parameter.source;
  const auto& [fast, slow, source] = *parameter.plausible;
  return fmt::format("{}; plausible from {} (fast) to {} (slow): {}", parameter.source, fast, slow, source);
}

void print_machine(const machine::Machine& machine) {
  fmt::print("{}\n\n", printable(fmt::format("{}: {}", machine.name, machine.description)));
  fmt::print(
      "origin: T the maker's text, T* its statement relayed, I third party, D arithmetic from other "
      "figures,\n"
      "        U unpublished, our choice\n\n");
  std::size_t key = 3, value = 5, unit = 4;
  for (const machine::Parameter& parameter : machine.parameters) {
    key = std::max(key, parameter.key.size());
    value = std::max(value, parameter.value.size());
    unit = std::max(unit, parameter.unit.size());
  }
  const auto line = [&](std::string_view a, std::string_view b, std::string_view c, std::string_view d,
                        std::string_view e) {
    fmt::print("{}\n",
               printable(fmt::format("{:<{}}  {:>{}}  {:<{}}  {:<6}  {}", a, key, b, value, c, unit, d, e)));
  };
  line("key", "value", "unit", "origin", "source");
  for (const machine::Parameter& parameter : machine.parameters)
    line(parameter.key, parameter.value, parameter.unit, parameter.origin, source_of(parameter));

  fmt::print("\nwhat follows\n");
  const auto identities = machine::identities(machine);
  std::size_t width = 0;
  for (const auto& [what, figure] : identities) width = std::max(width, what.size());
  for (const auto& [what, figure] : identities) fmt::print("  {:<{}}  {}\n", what, width, figure);
}

}  // namespace

Command machine_command() {
  auto name = std::make_shared<std::string>("d1");
  return {.name = "machine",
          .summary = "Print a machine's parameters, their sources and what follows",
          .options = {{.name = "MACHINE",
                       .into = name.get(),
                       .help = "Name under machines/, or a .toml file",
                       .is_path = true,
                       .offers = machine::machine_names}},
          .run = [name](Command&) {
            print_machine(machine::read_machine(*name));
            return 0;
          }};
}

}  // namespace dojo::tools
