// A compiled network on the emulated machine: examples in HBM, parameters in the nodes, steps as launches.
//
// The host does what docs/notes/003 allows it: it writes HBM between launches, launches, and reads results
// from HBM.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "codegen/compile.h"
#include "data/dataset.h"
#include "machine/ledger.h"
#include "machine/machine.h"
#include "system/computer.h"
#include "system/program.h"

namespace dojo::runtime {

// What one launch said and cost.
struct StepResult {
  bool interrupted = false;
  std::vector<float> values;  // train: the losses in the order given to the constructor
  std::uint64_t cycles = 0, instructions = 0;
  machine::Ledger ledger;
};

struct Predictions {
  bool interrupted = false;
  std::vector<std::vector<float>> outputs;  // per output of the network: samples x elements
  std::uint64_t cycles = 0;
};

class EmulatedNetwork {
public:
  // Both references must outlive this object. `losses` and `outputs` name the results to read after a step
  // and after a prediction.
  EmulatedNetwork(const machine::Machine& machine, const codegen::CompiledNetwork& network,
                  std::vector<std::string> losses, std::vector<std::string> outputs, system::Host host);

  // Writes examples.read(frame) for each of `frames` as a record into HBM, at the place of its number. False
  // if interrupted before the last one.
  bool store_examples(const data::Examples& examples, std::span<const std::uint32_t> frames);
  // Through the `load` and `store` programs and HBM; never interrupted.
  void load_parameters(const lowering::Tensors& values);
  lowering::Tensors parameters();

  // One training step on at most `batch` frames; scalars by name (graph/optimizer.h). `step` counts from 1.
  StepResult step(std::span<const std::uint32_t> frames, std::uint64_t step, std::uint64_t seed,
                  std::span<const std::pair<std::string, float>> scalars);
  // The network's outputs for any number of frames, a batch at a time.
  Predictions predict(std::span<const std::uint32_t> frames);

  // The training state, byte for byte; between launches only.
  std::vector<std::vector<std::byte>> regions() const;
  void restore(const std::vector<std::vector<std::byte>>& regions);

private:
  system::LaunchResult launch(const system::Program& program, std::string_view name,
                              const std::function<bool()>& interrupted);
  void write_launch(std::span<const std::uint32_t> frames, std::uint64_t step, std::uint64_t seed,
                    std::span<const std::pair<std::string, float>> scalars);
  std::vector<float> read_result(const lowering::HbmField& field, std::size_t samples) const;
  const lowering::HbmField& result(std::string_view name) const;

  const codegen::CompiledNetwork& network_;
  std::vector<std::string> losses_, outputs_;
  system::Host host_;
  system::Computer computer_;
  system::Program train_, predict_, load_, store_;
};

}  // namespace dojo::runtime
