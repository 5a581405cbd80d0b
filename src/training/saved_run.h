// A run between two steps: what a checkpoint holds (docs/notes/003), and whose it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "machine/ledger.h"
#include "machine/machine.h"
#include "training/trainer.h"

namespace dojo::training {

// Batches of `options.recipe.batch` frames in the training half; what is left over waits for another shuffle.
std::uint64_t steps_per_epoch(const TrainOptions& options, const TrainingData& data);
std::uint64_t steps_of(const TrainOptions& options, const TrainingData& data);

// Everything that changes from step to step, apart from the machine's own state. Nothing of this computer's
// time: equal runs have equal checkpoints.
struct RunTotals {
  std::uint64_t step = 0, frames = 0, cycles = 0;
  std::vector<float> losses;
  machine::Ledger ledger;
  std::optional<Best> best = {};
};

// What a checkpoint must agree on with the run that resumes it, apart from the program: each by name, with
// its value as JSON. Not the number of steps: a run may go on for longer than it was meant to.
using Identity = std::vector<std::pair<std::string, std::string>>;
Identity identity_of(const TrainOptions& options, const machine::Machine& machine, const TrainingData& data);

struct SavedRun {
  Identity identity;
  Asked asked;
  std::uint64_t steps = 0;  // of the whole run, as it was meant when this was written
  std::string program;      // SHA-256 of the compiled network
  RunTotals totals;
  std::vector<std::vector<std::byte>> regions;  // the nodes' persistent regions
};

std::filesystem::path checkpoint_in(const std::filesystem::path& folder);

// As write_checkpoint and read_checkpoint; reading also refuses what another version of this program wrote.
void write_saved(const std::filesystem::path& folder, const SavedRun& saved);
SavedRun read_saved(const std::filesystem::path& folder);

// Refuses, naming the first difference, a saved run whose identity is not `mine`.
void check_same(const std::filesystem::path& folder, const SavedRun& saved, const Identity& mine);

}  // namespace dojo::training
