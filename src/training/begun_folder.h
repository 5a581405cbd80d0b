// The output folder of a run that has begun to write.
#pragma once

#include "training/prepared_run.h"
#include "training/trainer.h"

namespace dojo::training {

// Takes away what an earlier run left in options.out and writes the program. Of a run that ends without a
// checkpoint nothing is left, or the next one would take it for files of somebody else's.
class BegunFolder {
public:
  BegunFolder(const TrainOptions& options, const PreparedRun& prepared, const Watcher& watcher);
  ~BegunFolder();
  BegunFolder(const BegunFolder&) = delete;
  BegunFolder& operator=(const BegunFolder&) = delete;

private:
  std::filesystem::path folder_;
};

}  // namespace dojo::training
