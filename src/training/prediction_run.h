// What a network says of frames: its forward pass, compiled and run on the emulated machine.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "codegen/compile.h"
#include "data/dataset.h"
#include "machine/machine.h"
#include "runtime/emulated_network.h"
#include "training/recipe.h"

namespace dojo::training {

struct PredictionWatcher {
  std::function<void(std::string_view)> phase = [](std::string_view) {};
  std::function<void(std::size_t done, std::size_t all)> progress = [](std::size_t, std::size_t) {
  };  // frames
};

struct PredictionRun {
  bool interrupted = false;                 // the rest is worth nothing then
  std::vector<std::vector<float>> outputs;  // of each output: frames x elements
  std::uint64_t cycles = 0, batches = 0;    // of all launches
  unsigned nodes = 0;
};

// `examples` have no targets. The batch is the network's. Throws UserError if it does not compile, or if HBM
// has no room for these frames.
PredictionRun predict(const ForwardNetwork& network, const data::Examples& examples,
                      std::span<const std::uint32_t> frames, const machine::Machine& machine,
                      const codegen::Options& compiling, system::Host host, const PredictionWatcher& watcher);

}  // namespace dojo::training
