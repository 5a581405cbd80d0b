#include "training/trainer.h"

#include "training/active_run.h"
#include "training/begun_folder.h"
#include "training/prepared_run.h"
#include "training/run_folder.h"

namespace dojo::training {

RunReport train(const TrainOptions& options, const machine::Machine& machine, const TrainingDataFor& data_for,
                const Watcher& watcher) {
  refuse_to_lose(options.out, options.recipe.model);
  const PreparedRun prepared = prepare(options, machine, data_for, watcher);
  if (options.host.interrupted()) return report_of_nothing();
  const BegunFolder folder(options, prepared, watcher);
  ActiveRun run(options, machine, prepared, watcher);
  load_run(run);
  open_history(run);
  if (!prepared.saved) save_run(run);  // from here on a kill leaves a run that can go on
  train_steps(run);
  if (!run.divergence) save_run(run);
  validate_run(run);
  return run_report(run, trained_network(run));
}

}  // namespace dojo::training
