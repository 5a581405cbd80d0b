// A whole training run on the emulated machine: epochs, learning rate, checkpoints, validation.
//
// The result is a function of recipe, examples, split, machine and options.seed alone. A run that is killed
// and resumed from its checkpoint ends with the same bits and the same cycles as one that was not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/stages.h"
#include "codegen/compile.h"
#include "data/dataset.h"
#include "data/split.h"
#include "machine/ledger.h"
#include "machine/machine.h"
#include "node/translation.h"
#include "system/host.h"
#include "training/recipe.h"
#include "training/schedule.h"
#include "training/validation.h"

namespace dojo::training {

// How a run was asked for, in the caller's words (option -> values): a checkpoint keeps it as it is, for a
// caller that goes on.
using Asked = std::map<std::string, std::vector<std::string>>;

struct TrainOptions {
  Recipe recipe;
  Asked asked = {};
  Schedule schedule = schedule_named("cosine");
  double learning_rate = 3e-3;  // the schedule's peak
  std::uint64_t epochs = 1;
  std::uint64_t steps = 0;  // not 0: this many steps instead of epochs
  unsigned nodes = 0;       // 0: all of the machine's
  lowering::FormatChoice formats = lowering::FormatChoice::bf16;
  system::Host host;
  // An existing folder: checkpoint.dojo, history.csv, best.onnx, and program/ for people to read.
  std::filesystem::path out;
  std::optional<std::filesystem::path> resume;  // a folder written by an earlier run
  StageSink stages = {};                        // sees what every pass from the file to the programs made
  double checkpoint_seconds =
      60;  // of wall time between checkpoints; also one at the end of every epoch and run
};

struct Progress {
  std::uint64_t step = 0, steps = 0;  // done, in all
  float loss = 0;
  double seconds_left = 0;       // wall time, from the pace of this process
  double frames_per_second = 0;  // here, wall time
  double simulated_seconds_per_step = 0;
  double matrix_utilisation = 0;  // of this step
};

// When the held-out frames were predicted best: out/best.onnx holds the parameters of then.
struct Best {
  std::uint64_t step = 0, epoch = 0;
  Score score;
};

// Why a run cannot go on: a loss, or parameters and states, that are infinite or no numbers.
struct Divergence {
  std::uint64_t step = 0;  // which broke
  std::string what;        // "its loss is nan"
  bool untrained = false;  // with the numbers that the network came with: no step had changed them
};

// What this computer gave for the training launches of this process.
struct HostUse {
  double cpu_seconds = 0, wall_seconds = 0;
  std::uint64_t frames = 0;      // of these launches
  std::uint64_t peak_bytes = 0;  // of the process
};

struct RunReport {
  // A checkpoint holds everything done so far; with no `steps`, nothing was written yet.
  bool interrupted = false;
  std::uint64_t steps = 0, steps_done = 0, frames = 0;  // frames: of all steps done
  std::uint64_t train_frames = 0, validation_frames = 0;
  std::vector<float> losses;              // of the last step: total, then per output
  std::vector<OutputQuality> validation;  // of the last step, on split.validation in order
  std::optional<Best> best;
  std::optional<Divergence> divergence;  // the checkpoint, if any, is of an earlier step
  std::uint64_t cycles = 0;              // of all training launches
  double simulated_seconds = 0;
  double matrix_utilisation = 0;  // useful multiply-adds / (cycles x nodes x peak multiply-adds per cycle)
  machine::Ledger ledger;         // of all training launches
  unsigned nodes = 0;
  std::int64_t samples_per_node = 0;
  std::string weights_sha256;  // of parameters and states as FP32, in order of their names
  std::string program_sha256;
  HostUse host;
  onnx::Model trained;
};

struct Watcher {
  std::function<void(std::string_view)> phase = [](std::string_view) {};  // "compiling"...
  std::function<void(const Progress&)> progress = [](const Progress&) {};
  // A run goes on behind step `done`; it was meant to have `meant` steps, and is to have `steps` now.
  std::function<void(std::uint64_t done, std::uint64_t meant, std::uint64_t steps)> resumed =
      [](std::uint64_t, std::uint64_t, std::uint64_t) {};
  // All is known to be good; the first file is about to be written. `removed`: of an earlier run, that this
  // one replaces.
  std::function<void(const std::vector<std::string_view>& removed)> writing =
      [](const std::vector<std::string_view>&) {};
};

// The data set seen through one network's eyes.
struct TrainingData {
  const data::Examples& examples;
  const data::Split& split;
  std::string fingerprint;                               // of the data set
  std::vector<data::LabelSpecification> specifications;  // one per target
};

// Builds the examples for the network once it has been read; the data must stay alive until train returns.
using TrainingDataFor = std::function<TrainingData(const TrainableNetwork&)>;

// Throws UserError for what it refuses, and then leaves in `out` nothing that it wrote, or only whole files:
// what the compiler refuses and a checkpoint that does not belong to this run are known before anything is
// written.
RunReport train(const TrainOptions& options, const machine::Machine& machine, const TrainingDataFor& data_for,
                const Watcher& watcher);

}  // namespace dojo::training
