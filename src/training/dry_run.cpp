#include "training/dry_run.h"

#include <algorithm>

#include "base/error.h"
#include "base/stopwatch.h"
#include "codegen/memory.h"
#include "machine/rates.h"
#include "runtime/emulated_network.h"
#include "training/batches.h"
#include "training/prepared_run.h"

namespace dojo::training {
namespace {

// Steps are tried until so much time has gone by, and no more than so many.
constexpr double enough_seconds = 1;
constexpr std::uint64_t most_steps = 20;

SramUse sram_of(const codegen::CompiledProgram& program, const lowering::PersistentLayout& persistent) {
  return {.program = program.image_end,
          .values = program.scratch_bytes,
          .parameters = persistent.bytes(),
          .stacks = codegen::stack_bytes};
}

// Behind each epoch to come and behind the last step, which is asked for even if there is no step left.
std::uint64_t validations_to_come(const DryRun& run) {
  const std::uint64_t epochs = run.steps / run.steps_per_epoch - run.steps_done / run.steps_per_epoch;
  const bool ends_within = run.steps % run.steps_per_epoch != 0;
  return std::max<std::uint64_t>(1, epochs + (ends_within ? 1 : 0));
}

DryRun facts_of(const TrainOptions& options, const machine::Machine& machine, const PreparedRun& run) {
  const codegen::CompiledNetwork& compiled = run.compiled;
  DryRun facts;
  facts.steps = steps_of(options, run.data);
  facts.steps_done = run.saved ? run.saved->totals.step : 0;
  facts.steps_per_epoch = steps_per_epoch(options, run.data);
  facts.validations = validations_to_come(facts);
  facts.train_frames = run.data.split.train.size();
  facts.validation_frames = run.data.split.validation.size();
  facts.nodes = compiled.nodes;
  facts.samples_per_node = compiled.samples_per_node;
  facts.in_tiles = compiled.spread == codegen::Spread::tiles;
  facts.sram =
      std::max(sram_of(compiled.train, compiled.persistent), sram_of(compiled.predict, compiled.persistent),
               [](const SramUse& one, const SramUse& other) { return one.all() < other.all(); });
  facts.hbm_bytes = compiled.hbm.bytes_with(run.data.examples.size());
  DOJO_ENSURE(facts.sram.all() <= machine.node.sram_bytes);
  return facts;
}

class Trial {
public:
  Trial(const TrainOptions& options, const machine::Machine& machine, const PreparedRun& run)
      : options_(options),
        machine_(machine),
        run_(run),
        emulated_(machine, run.compiled, output_names(run.network.train_step),
                  output_names(run.network.predict), options.host),
        batches_(run.data.split.train, options.recipe.seed,
                 static_cast<std::uint64_t>(options.recipe.batch)) {}

  // False if interrupted.
  bool go(DryRun& result) {
    if (run_.saved) {
      emulated_.restore(run_.saved->regions);
    } else {
      emulated_.load_parameters(run_.network.initial);
    }
    if (!try_steps(result) || !try_prediction(result)) return false;
    result.host.storing =
        store_seconds_ / static_cast<double>(stored_) * static_cast<double>(run_.data.examples.size());
    return true;
  }

private:
  bool try_steps(DryRun& result) {
    const std::uint64_t last = std::min(result.steps, result.steps_done + 1 + most_steps);
    double first = 0, seconds = 0;
    std::uint64_t further = 0;
    for (std::uint64_t step = result.steps_done; step < last && seconds < enough_seconds; ++step) {
      const std::vector<std::uint32_t> frames = batches_.of_step(step);
      if (!store(frames)) return false;
      const Stopwatch watch;
      const runtime::StepResult done = emulated_.step(
          frames, step + 1, options_.recipe.seed,
          graph::optimizer_scalars(options_.recipe.optimizer, step + 1,
                                   options_.schedule.at(options_.learning_rate, step, result.steps)));
      if (done.interrupted) return false;
      if (step == result.steps_done) {
        first = watch.seconds();
        note_first(result, done);
      } else {
        seconds += watch.seconds();
        ++further;
      }
    }
    // A run of a single step has nothing to tell translating from computing by.
    result.host.measured_steps = std::max<std::uint64_t>(further, first > 0 ? 1 : 0);
    result.host.step = further == 0 ? first : seconds / static_cast<double>(further);
    result.host.translation = std::max(0.0, first - result.host.step);
    return true;
  }

  void note_first(DryRun& result, const runtime::StepResult& step) const {
    result.loss = step.values.front();
    result.cycles = step.cycles;
    result.simulated_seconds = machine::simulated_seconds(machine_, step.cycles);
    result.matrix_utilisation = machine::matrix_utilisation(machine_, result.nodes, step.ledger, step.cycles);
  }

  // Twice, for the first time also translates the program.
  bool try_prediction(DryRun& result) {
    const std::vector<std::uint32_t>& held_out = run_.data.split.validation;
    const std::size_t batch = std::min(held_out.size(), static_cast<std::size_t>(options_.recipe.batch));
    const std::span<const std::uint32_t> frames(held_out.data(), batch);
    if (!store(frames)) return false;
    double seconds[2];
    for (double& time : seconds) {
      const Stopwatch watch;
      if (emulated_.predict(frames).interrupted) return false;
      time = watch.seconds();
    }
    const std::size_t batches = (held_out.size() + batch - 1) / batch;
    result.host.validation = seconds[1] * static_cast<double>(batches);
    result.host.translation += std::max(0.0, seconds[0] - seconds[1]);
    return true;
  }

  bool store(std::span<const std::uint32_t> frames) {
    const Stopwatch watch;
    const bool whole = emulated_.store_examples(run_.data.examples, frames);
    store_seconds_ += watch.seconds();
    stored_ += frames.size();
    return whole;
  }

  const TrainOptions& options_;
  const machine::Machine& machine_;
  const PreparedRun& run_;
  runtime::EmulatedNetwork emulated_;
  Batches batches_;
  double store_seconds_ = 0;
  std::size_t stored_ = 0;
};

}  // namespace

double DryRun::seconds_to_expect() const {
  return host.preparation + host.storing + host.translation +
         static_cast<double>(steps - steps_done) * host.step +
         static_cast<double>(validations) * host.validation;
}

DryRun dry_run(const TrainOptions& options, const machine::Machine& machine, const TrainingDataFor& data_for,
               const Watcher& watcher) {
  const Stopwatch watch;
  const PreparedRun run = prepare(options, machine, data_for, watcher);
  DryRun result = facts_of(options, machine, run);
  result.host.preparation = watch.seconds();
  watcher.phase("trying steps");
  result.interrupted = !Trial(options, machine, run).go(result);
  return result;
}

}  // namespace dojo::training
