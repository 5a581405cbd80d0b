// A run under way: what its steps share, and these steps in the order in which train() takes them, each in a
// file of its name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/emulated_network.h"
#include "training/batches.h"
#include "training/history.h"
#include "training/prepared_run.h"
#include "training/saved_run.h"
#include "training/trainer.h"

namespace dojo::training {

struct ActiveRun {
  ActiveRun(const TrainOptions& options, const machine::Machine& machine, const PreparedRun& prepared,
            const Watcher& watcher);

  const TrainOptions& options;
  const machine::Machine& machine;
  const PreparedRun& prepared;
  const Watcher& watcher;
  runtime::EmulatedNetwork emulated;
  Batches batches;
  std::uint64_t steps;  // in all
  RunTotals totals;  // of the completed steps, whose state the machine holds (after a divergence: nobody's)
  HostUse host;      // of this process, for these steps
  std::optional<History> history;
  std::vector<OutputQuality> validation;  // of the last epoch's end
  std::size_t unbounded = 0;              // numbers of the state that were not finite from the start
  bool interrupted = false;
  std::optional<Divergence> divergence;

  bool goes_on() const { return !interrupted && !divergence; }
};

// Frames into HBM; the network's parameters, or a checkpoint's state, into the nodes.
void load_run(ActiveRun& run);

// history.csv in options.out, with what an earlier part of the run wrote there or into options.resume.
void open_history(ActiveRun& run);

// A checkpoint of the run as it stands.
void save_run(ActiveRun& run);

// All steps that are left, with a validation behind each epoch and the last of them, and checkpoints between
// them. A step that is interrupted is undone.
void train_steps(ActiveRun& run);

// If no step did: validates a run that goes on with nothing left to do.
void validate_run(ActiveRun& run);

// What the network says of the held-out frames; nothing if interrupted.
std::vector<OutputQuality> validation_of(ActiveRun& run);

// best.onnx: takes the one of the checkpoint along; and writes it anew where `row` was validated better.
void keep_best_network(ActiveRun& run);
void note_best_network(ActiveRun& run, const HistoryRow& row);

// The network as it stands in the machine; nothing of a run that is not over.
struct TrainedNetwork {
  onnx::Model model;
  std::string weights_sha256;
};
std::optional<TrainedNetwork> trained_network(ActiveRun& run);
onnx::Model network_file(const TrainableNetwork& network, const lowering::Tensors& values);

// Of a run that was interrupted before it wrote anything.
RunReport report_of_nothing();

// What all that came to.
RunReport run_report(const ActiveRun& run, std::optional<TrainedNetwork> trained);

}  // namespace dojo::training
