#include "onnx/metadata.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "base/error.h"

namespace dojo::onnx {
namespace {

constexpr std::string_view ours = "opendojo.";

// One key of the file with what it says.
struct Entry {
  std::string_view where, key, value;

  [[noreturn]] void fail(std::string_view what) const {
    refuse(where, "metadata '{}' = '{}' {}", key, value, what);
  }
};

std::vector<std::string> names_in(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view name = list.substr(0, comma);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    names.emplace_back(name);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return names;
}

// --- Of one output ---

void read_loss(const Entry& entry, OutputChoice& choice) {
  std::vector<std::string_view> keys;
  for (const graph::LabelKind& kind : graph::label_kinds()) {
    keys.push_back(kind.key);
    if (kind.key == entry.value) choice.kind = &kind;
  }
  if (choice.kind == nullptr) entry.fail(fmt::format("is none of {}", fmt::join(keys, ", ")));
}

void read_weight(const Entry& entry, OutputChoice& choice) {
  const char* const last = entry.value.data() + entry.value.size();
  const auto [end, error] = std::from_chars(entry.value.data(), last, choice.weight);
  if (error != std::errc{} || end != last || !(choice.weight >= 0)) entry.fail("is no number of at least 0");
}

void read_label(const Entry& entry, OutputChoice& choice) { choice.labels = names_in(entry.value); }

void read_range(const Entry& entry, OutputChoice& choice) {
  float low = 0, high = 0;
  const char* const last = entry.value.data() + entry.value.size();
  const auto [middle, error] = std::from_chars(entry.value.data(), last, low);
  const bool cut = error == std::errc{} && middle != last && *middle == ':';
  const auto [end, second] = cut ? std::from_chars(middle + 1, last, high) : std::from_chars_result{};
  if (!cut || second != std::errc{} || end != last || !(low < high)) entry.fail("is no range low:high");
  choice.range = {low, high};
}

struct OutputKey {
  std::string_view name;
  void (*read)(const Entry&, OutputChoice&);
};
constexpr OutputKey output_keys[] = {
    {"loss", read_loss}, {"weight", read_weight}, {"label", read_label}, {"range", read_range}};

void read_output(const Model& model, const Entry& entry, const OutputKey& key, Metadata& metadata) {
  const std::string output(entry.key.substr(ours.size() + key.name.size() + 1));
  std::vector<std::string_view> outputs;
  for (const ValueInfo& info : model.graph.outputs) outputs.push_back(info.name);
  if (std::ranges::find(outputs, output) == outputs.end())
    refuse(entry.where, "metadata '{}': the network has no output '{}', it has {}", entry.key, output,
           fmt::join(outputs, ", "));
  key.read(entry, metadata.outputs[output]);
}

// --- Of initialisers ---

// A copy that an Identity makes of an initialiser is one as well.
bool is_initialiser(const GraphFile& graph, std::string_view name) {
  if (std::ranges::find(graph.initialisers, name, &Tensor::name) != graph.initialisers.end()) return true;
  const auto copy = std::ranges::find_if(graph.nodes, [&](const Node& node) {
    return node.op == "Identity" && std::ranges::find(node.outputs, name) != node.outputs.end();
  });
  return copy != graph.nodes.end() && !copy->inputs.empty() && is_initialiser(graph, copy->inputs[0]);
}

void read_initialisers(const Model& model, const Entry& entry, std::set<std::string>& names) {
  for (std::string& name : names_in(entry.value)) {
    if (!is_initialiser(model.graph, name))
      refuse(entry.where, "metadata '{}' names '{}', which is no initialiser of the network", entry.key,
             name);
    names.insert(std::move(name));
  }
}

}  // namespace

Metadata read_metadata(const Model& model, std::string_view where) {
  Metadata metadata;
  for (const auto& [key, value] : model.metadata) {
    if (!key.starts_with(ours)) continue;
    const Entry entry{where, key, value};
    const std::string_view name = std::string_view(key).substr(ours.size());
    const auto of_output = std::ranges::find_if(output_keys, [&](const OutputKey& candidate) {
      return name.starts_with(fmt::format("{}.", candidate.name));
    });
    if (name == "frozen") {
      read_initialisers(model, entry, metadata.frozen);
    } else if (name == "trained") {
      read_initialisers(model, entry, metadata.trained);
    } else if (of_output != std::end(output_keys)) {
      read_output(model, entry, *of_output, metadata);
    } else {
      refuse(where,
             "unknown metadata '{}'; known are opendojo.frozen, opendojo.trained and, with the name of an "
             "output behind it, opendojo.loss., opendojo.weight., opendojo.label. and opendojo.range.",
             key);
    }
  }
  for (const std::string& name : metadata.trained)
    if (metadata.frozen.contains(name)) refuse(where, "metadata says of '{}' both frozen and trained", name);
  return metadata;
}

}  // namespace dojo::onnx
