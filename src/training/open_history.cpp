#include "training/active_run.h"
#include "training/run_folder.h"

namespace dojo::training {

void open_history(ActiveRun& run) {
  const std::vector<data::Signal>& targets = run.prepared.network.targets;
  std::vector<std::string> values, outputs;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    outputs.push_back(targets[i].name);
    for (const std::string& label : run.prepared.data.specifications[i].labels)
      values.push_back(column({.output = targets[i].name, .label = label}));
  }
  const std::filesystem::path& out = run.options.out;
  run.history.emplace(out, outputs, values, run.options.resume.value_or(out) / history_file, run.totals.step);
}

}  // namespace dojo::training
