#include "training/trainer.h"

#include "base/error.h"
#include "training/prepared_run.h"
#include "training/program_folder.h"
#include "training/run_folder.h"
#include "training/session.h"

namespace dojo::training {

RunReport train(const TrainOptions& options, const machine::Machine& machine, const CourseFor& course_for,
                const Watcher& watcher) {
  const PreparedRun run = prepare(options, machine, course_for, watcher);
  watcher.writing();
  write_program(options.out / program_folder, run.compiled);
  try {
    return run_session(options, machine, run, watcher);
  } catch (const UserError&) {
    std::error_code ignored;
    if (!std::filesystem::exists(checkpoint_in(options.out), ignored))
      std::filesystem::remove_all(options.out / program_folder, ignored);
    throw;
  }
}

}  // namespace dojo::training
