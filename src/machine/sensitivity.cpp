#include "machine/sensitivity.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"

namespace dojo::machine {

namespace {

double value_of(const Machine& machine, std::string_view key) {
  const auto parameter = std::ranges::find(machine.parameters, key, &Parameter::key);
  DOJO_ENSURE(parameter != machine.parameters.end());
  double value = 0;
  std::from_chars(parameter->value.data(), parameter->value.data() + parameter->value.size(), value);
  return value;
}

Machine with_all(const Machine& machine, double PlausibleRange::* end) {
  Machine changed = machine;
  for (const Parameter& parameter : machine.parameters)
    if (parameter.plausible)
      changed = with_parameter(std::move(changed), parameter.key, (*parameter.plausible).*end);
  return changed;
}

}  // namespace

std::vector<Variant> plausible_variants(const Machine& machine) {
  std::vector<Variant> variants{{"as the file says", "", machine}};
  for (const Parameter& parameter : machine.parameters) {
    if (!parameter.plausible) continue;
    for (const double end : {parameter.plausible->fast, parameter.plausible->slow})
      if (end != value_of(machine, parameter.key))
        variants.push_back({fmt::format("{} = {}", parameter.key, end), parameter.key,
                            with_parameter(machine, parameter.key, end)});
  }
  if (variants.size() == 1)
    refuse(machine.name, "gives no parameter a plausible range (fast, slow, range in its file)");
  variants.push_back({"everything fast", "", with_all(machine, &PlausibleRange::fast)});
  variants.push_back({"everything slow", "", with_all(machine, &PlausibleRange::slow)});
  return variants;
}

FigureRange range_of(std::span<const double> figures) {
  DOJO_ENSURE(!figures.empty());
  const auto low = std::ranges::min_element(figures), high = std::ranges::max_element(figures);
  return {figures[0], *low, *high, static_cast<std::size_t>(low - figures.begin()),
          static_cast<std::size_t>(high - figures.begin())};
}

std::vector<Influence> influences(std::span<const Variant> variants, std::span<const double> figures) {
  DOJO_ENSURE(variants.size() == figures.size() && !variants.empty());
  std::vector<Influence> list;
  for (const Parameter& parameter : variants[0].machine.parameters)
    if (parameter.plausible) list.push_back({parameter.key, *parameter.plausible, figures[0], figures[0]});
  for (std::size_t i = 0; i < variants.size(); ++i) {
    const auto one = std::ranges::find(list, variants[i].key, &Influence::key);
    if (one == list.end()) continue;
    const bool fast = value_of(variants[i].machine, one->key) == one->plausible.fast;
    (fast ? one->at_fast : one->at_slow) = figures[i];
  }
  std::ranges::stable_sort(list, std::ranges::greater{}, &Influence::spread);
  return list;
}

}  // namespace dojo::machine
