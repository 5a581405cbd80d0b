// history.csv: a run step by step, a row each, as the run goes.
//
// step, epoch, the loss in all and of each output, learning rate, cycles, frames per second of this computer;
// behind an epoch's last step and the run's also R2 and RMSE of each value on the held-out frames (of classes
// that are names: accuracy and the part that is wrong), elsewhere nothing. A step has one row, however often
// the run was cut off and went on: going on drops the rows behind the checkpoint, which are then written
// again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "training/validation.h"

namespace dojo::training {

struct HistoryRow {
  std::uint64_t step = 0, epoch = 0;  // from 1
  std::vector<float> losses;          // total, then by output
  double learning_rate = 0;
  std::uint64_t cycles = 0;
  double frames_per_second = 0;
  std::vector<OutputQuality> validation;  // empty: there was none
};

// The file as it stands: numbers by column, not a number where a field is empty.
struct HistoryTable {
  std::vector<std::string> columns;
  std::vector<std::vector<double>> rows;
};
HistoryTable read_history(const std::filesystem::path& path);

class History {
public:
  // Begins `folder`/history.csv anew, with what `earlier` (another such file, or this one; it may be absent)
  // says of the steps up to `last_step`. `outputs`: names of the losses behind the first; `values`: what is
  // validated, of which only names and kinds matter.
  History(const std::filesystem::path& folder, const std::vector<std::string>& outputs,
          const std::vector<OutputQuality>& values, const std::filesystem::path& earlier,
          std::uint64_t last_step);
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  void add(const HistoryRow& row);
  void sync();  // what was added outlives a power cut

private:
  std::filesystem::path path_;
  std::size_t values_;
  int descriptor_ = -1;
};

}  // namespace dojo::training
