#include "report/divergence_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace dojo::report {
namespace {

using onnx::AttributeType;

std::size_t count_not_finite(const onnx::Tensor& tensor) {
  if (!is_floating(tensor.type)) return 0;
  const std::vector<float> values = to_floats(tensor, tensor.name);
  return static_cast<std::size_t>(
      std::ranges::count_if(values, [](float value) { return !std::isfinite(value); }));
}

std::string holds(const std::string& what, std::size_t count) {
  return fmt::format("the file's {} holds {} that {} not finite", what,
                     count == 1 ? "1 number" : fmt::format("{} numbers", count), count == 1 ? "is" : "are");
}

// The first numbers of a file that are infinite or no numbers; "" if all are finite. An infinite bound may be
// meant, so nobody is refused for it.
std::string first_not_finite(const onnx::Model& file) {
  for (const onnx::Tensor& tensor : file.graph.initialisers)
    if (const std::size_t count = count_not_finite(tensor); count != 0)
      return holds(fmt::format("'{}'", tensor.name), count);
  for (const onnx::Node& node : file.graph.nodes)
    for (const onnx::Attribute& attribute : node.attributes) {
      const std::size_t count = attribute.type == AttributeType::tensor
                                    ? count_not_finite(attribute.tensor)
                                    : std::size_t{!std::isfinite(attribute.single)};
      if (count != 0)
        return holds(fmt::format("attribute '{}' of node '{}' ({})", attribute.name, node.name, node.op),
                     count);
    }
  return "";
}

}  // namespace

std::string divergence_text(const training::Divergence& divergence, const onnx::Model& file,
                            const std::filesystem::path& checkpoint) {
  const std::string stopped = fmt::format("stopped at step {}: {}; ", divergence.step, divergence.what);
  if (divergence.untrained) {
    const std::string found = first_not_finite(file);
    return stopped + (found.empty() ? "nothing was learnt yet: the network's own numbers make it so" : found);
  }
  return stopped + fmt::format("{} is of an earlier step, when all was finite; try a lower learning rate",
                               checkpoint.string());
}

}  // namespace dojo::report
