#include "training/trainer.h"

#include "base/error.h"
#include "training/prepared_run.h"
#include "training/program_folder.h"
#include "training/run_folder.h"
#include "training/session.h"

namespace dojo::training {
namespace {

// Of a run without a checkpoint nothing is left, or the next one would take it for files of somebody else's.
void remove_beginning(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (std::filesystem::exists(checkpoint_in(folder), ignored)) return;
  for (const RunFile& file : run_files)
    if (!file.of_the_end) std::filesystem::remove(folder / file.name, ignored);
  remove_program(folder / program_folder);
}

}  // namespace

RunReport train(const TrainOptions& options, const machine::Machine& machine, const TrainingDataFor& data_for,
                const Watcher& watcher) {
  const PreparedRun run = prepare(options, machine, data_for, watcher);
  watcher.writing();
  write_program(options.out / program_folder, run.compiled);
  try {
    return run_session(options, machine, run, watcher);
  } catch (const UserError&) {
    remove_beginning(options.out);
    throw;
  }
}

}  // namespace dojo::training
