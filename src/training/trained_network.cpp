#include "base/sha256.h"
#include "onnx/export.h"
#include "training/active_run.h"

namespace dojo::training {
namespace {

std::string hash_of(const lowering::Tensors& tensors) {
  Sha256 hash;
  for (const auto& [name, values] : tensors) {
    hash.add(std::as_bytes(std::span(name)));
    hash.add(std::as_bytes(std::span(values)));
  }
  return hash.hex();
}

}  // namespace

onnx::Model network_file(const TrainableNetwork& network, const lowering::Tensors& values) {
  onnx::Model model = onnx::with_values(network.file, values);
  model.producer = "OpenDojo";
  return model;
}

std::optional<TrainedNetwork> trained_network(ActiveRun& run) {
  if (!run.goes_on()) return std::nullopt;
  const lowering::Tensors values = run.emulated.parameters();
  return TrainedNetwork{network_file(run.prepared.network, values), hash_of(values)};
}

}  // namespace dojo::training
