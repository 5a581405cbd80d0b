#include "base/file.h"
#include "onnx/file.h"
#include "training/active_run.h"
#include "training/run_folder.h"

namespace dojo::training {

// The best parameters so far lie in a file; a run that goes on in another folder takes it along.
void keep_best_network(ActiveRun& run) {
  namespace fs = std::filesystem;
  const fs::path& from = *run.options.resume;
  std::error_code none;
  if (!fs::exists(from / best_file, none)) run.totals.best.reset();
  if (!run.totals.best || fs::equivalent(from, run.options.out, none)) return;
  write_file(run.options.out / best_file, read_file(from / best_file));
}

void note_best_network(ActiveRun& run, const HistoryRow& row) {
  const Score score = score_of(row.validation);
  if (run.totals.best && !score.is_better_than(run.totals.best->score)) return;
  onnx::write_model(run.options.out / best_file,
                    network_file(run.prepared.network, run.emulated.parameters()));
  run.totals.best = {row.step, row.epoch, score};
}

}  // namespace dojo::training
