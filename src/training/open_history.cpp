#include "training/active_run.h"
#include "training/run_folder.h"

namespace dojo::training {

void open_history(ActiveRun& run) {
  const std::vector<data::Signal>& targets = run.prepared.network.targets;
  std::vector<std::string> outputs;
  std::vector<OutputQuality> values;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    outputs.push_back(targets[i].name);
    const data::LabelSpecification& specification = run.prepared.data.specifications[i];
    for (const std::string& label : specification.labels)
      values.push_back(
          {.output = targets[i].name, .label = label, .classes_are_names = specification.classes_are_names});
  }
  const std::filesystem::path& out = run.options.out;
  run.history.emplace(out, outputs, values, run.options.resume.value_or(out) / history_file, run.totals.step);
}

}  // namespace dojo::training
