#include "report/machine_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/printable.h"

namespace dojo::report {
namespace {

std::string source_of(const machine::Parameter& parameter) {
  if (!parameter.plausible) return parameter.source;
  const auto& [fast, slow, source] = *parameter.plausible;
  return fmt::format("{}; plausible from {} (fast) to {} (slow): {}", parameter.source, fast, slow, source);
}

std::string parameters_text(const machine::Machine& machine) {
  std::size_t key = 3, value = 5, unit = 4;
  for (const machine::Parameter& parameter : machine.parameters) {
    key = std::max(key, parameter.key.size());
    value = std::max(value, parameter.value.size());
    unit = std::max(unit, parameter.unit.size());
  }
  std::string text;
  const auto line = [&](std::string_view a, std::string_view b, std::string_view c, std::string_view d,
                        std::string_view e) {
    text +=
        printable(fmt::format("{:<{}}  {:>{}}  {:<{}}  {:<6}  {}", a, key, b, value, c, unit, d, e)) + "\n";
  };
  line("key", "value", "unit", "origin", "source");
  for (const machine::Parameter& parameter : machine.parameters)
    line(parameter.key, parameter.value, parameter.unit, parameter.origin, source_of(parameter));
  return text;
}

}  // namespace

std::string machine_text(const machine::Machine& machine) {
  std::string text = printable(fmt::format("{}: {}", machine.name, machine.description)) + "\n\n";
  text +=
      "origin: T the maker's text, T* its statement relayed, I third party, D arithmetic from other "
      "figures,\n"
      "        U unpublished, our choice\n\n";
  text += parameters_text(machine) + "\nwhat follows\n";
  const auto identities = machine::identities(machine);
  std::size_t width = 0;
  for (const auto& [what, figure] : identities) width = std::max(width, what.size());
  for (const auto& [what, figure] : identities) text += fmt::format("  {:<{}}  {}\n", what, width, figure);
  return text;
}

}  // namespace dojo::report
