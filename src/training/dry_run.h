// What a run is going to take: it is prepared as ever, some of its steps and a prediction are tried out on
// the machine, and nothing is kept.
#pragma once

#include <cstdint>

#include "training/trainer.h"

namespace dojo::training {

// Bytes of a node's SRAM, by the program that leaves least: the training step or the prediction.
struct SramUse {
  std::uint64_t program = 0;     // from address 0: text and constants
  std::uint64_t values = 0;      // what lives within a step
  std::uint64_t parameters = 0;  // this node's part of weights, states and optimizer
  std::uint64_t stacks = 0;
  std::uint64_t all() const { return program + values + parameters + stacks; }
};

// Wall time of this computer.
struct HostSeconds {
  double preparation = 0;  // reading the network, compiling
  double storing = 0;      // of all frames into HBM, from the time that a few took
  double translation = 0;  // of the programs to this computer's code: what their first runs took longer
  double step = 0;         // each: the mean over `measured_steps`
  std::uint64_t measured_steps = 0;
  double validation = 0;  // each, on all held-out frames, from the time that one batch took
};

struct DryRun {
  bool interrupted = false;  // the rest is worth nothing then
  std::uint64_t steps = 0, steps_done = 0, steps_per_epoch = 0;
  std::uint64_t validations = 0;  // to come
  std::uint64_t train_frames = 0, validation_frames = 0;
  unsigned nodes = 0;
  std::int64_t samples_per_node = 0;
  bool in_tiles = false;  // the nodes share the tiles of every op, not frames
  SramUse sram;
  std::uint64_t hbm_bytes = 0;  // of each interface's
  // Of the next step.
  float loss = 0;
  std::uint64_t cycles = 0;
  double simulated_seconds = 0, matrix_utilisation = 0;
  HostSeconds host;

  double seconds_to_expect() const;
};

// Takes the run's own frames and, where options.resume names a checkpoint, its state; options.out stays
// untouched. Throws UserError for all that train() refuses before it writes.
DryRun dry_run(const TrainOptions& options, const machine::Machine& machine, const TrainingDataFor& data_for,
               const Watcher& watcher);

}  // namespace dojo::training
