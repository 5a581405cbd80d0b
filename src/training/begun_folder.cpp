#include "training/begun_folder.h"

#include "training/program_folder.h"
#include "training/run_folder.h"

namespace dojo::training {

BegunFolder::BegunFolder(const TrainOptions& options, const PreparedRun& prepared, const Watcher& watcher)
    : folder_(options.out) {
  std::error_code none;
  const bool goes_on = options.resume && std::filesystem::equivalent(*options.resume, folder_, none);
  const std::vector<std::string_view> removed = clear_earlier_run(folder_, goes_on);
  watcher.writing(goes_on ? std::vector<std::string_view>() : removed);
  write_program(folder_ / program_folder, prepared.compiled);
}

BegunFolder::~BegunFolder() {
  std::error_code ignored;
  if (std::filesystem::exists(checkpoint_in(folder_), ignored)) return;
  for (const RunFile& file : run_files)
    if (!file.of_the_end) std::filesystem::remove(folder_ / file.name, ignored);
  remove_program(folder_ / program_folder);
}

}  // namespace dojo::training
