#include "trained_parameters.h"
#include "say.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

namespace dojo::tools {
namespace {

using onnx::Frozen;

constexpr std::string_view page = "docs/networks.md";

std::string_view reason(Frozen frozen) {
  switch (frozen) {
    case Frozen::by_metadata:
      return "the metadata says so";
    case Frozen::prepares_input:
      return "only scales or shifts the input; metadata opendojo.trained would train it";
    case Frozen::no_dimensions:
      return "no dimensions; metadata opendojo.trained would train it";
    case Frozen::fills_norm:
      return "made up by the exporter";
  }
  return "";
}

// A few names, and how many more there are.
std::string some_of(std::span<const std::string> names) {
  constexpr std::size_t most = 6;
  const std::span<const std::string> shown = names.first(std::min(most, names.size()));
  const std::size_t more = names.size() - shown.size();
  return fmt::format("{}{}", fmt::join(shown, ", "), more == 0 ? "" : fmt::format(" and {} more", more));
}

void say_frozen(const training::TrainableNetwork& network) {
  for (const Frozen kind :
       {Frozen::by_metadata, Frozen::prepares_input, Frozen::no_dimensions, Frozen::fills_norm}) {
    std::vector<std::string> names;
    for (const auto& [name, why] : network.frozen)
      if (why == kind) names.push_back(name);
    if (!names.empty()) say("not trained: {} ({})", some_of(names), reason(kind));
  }
}

}  // namespace

void say_what_is_trained(const training::TrainableNetwork& network) {
  say("training {} numbers in {} parameters: {}", network.trained_numbers, network.parameters.size(),
      some_of(network.parameters));
  say_frozen(network);
  for (const onnx::SharedVector& vector : network.shared)
    say("warning: '{}' is one parameter for {} operators ({}); if an exporter merged equal initial "
        "values, --untie gives each its own ({})",
        vector.name, vector.readers.size(), some_of(vector.readers), page);
  if (!network.folded_norms.empty())
    say("warning: {} batch norm{} computed into {} by PyTorch's exporter, so {} scale, shift and "
        "statistics are not trained; export with optimize=False ({})",
        network.folded_norms.size(), network.folded_norms.size() == 1 ? " was" : "s were",
        some_of(network.folded_norms), network.folded_norms.size() == 1 ? "its" : "their", page);
}

}  // namespace dojo::tools
