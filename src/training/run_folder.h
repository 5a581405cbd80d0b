// The output folder of a run: what its files are called, and when they are written. docs/training.md says
// what they hold.
#pragma once

#include <array>
#include <string_view>

namespace dojo::training {

inline constexpr std::string_view report_file = "report.txt";
inline constexpr std::string_view loss_picture_file = "loss.svg";
inline constexpr std::string_view predictions_picture_file = "predictions.svg";
inline constexpr std::string_view predictions_file = "predictions.csv";
inline constexpr std::string_view history_file = "history.csv";
inline constexpr std::string_view run_file = "run.json";
inline constexpr std::string_view trained_file = "trained.onnx";
inline constexpr std::string_view best_file = "best.onnx";
inline constexpr std::string_view checkpoint_file = "checkpoint.dojo";
inline constexpr std::string_view program_folder = "program";  // its files: program_folder.h

struct RunFile {
  std::string_view name;
  bool of_the_end;  // written when the run is over; the others as it goes
};

// In the order in which they are named to people, and in which those of an earlier run go: the checkpoint
// last, so that a cut in between leaves a run that can go on.
inline constexpr std::array run_files{
    RunFile{report_file, true},
    RunFile{loss_picture_file, true},
    RunFile{predictions_picture_file, true},
    RunFile{predictions_file, true},
    RunFile{history_file, false},
    RunFile{run_file, true},
    RunFile{trained_file, true},
    RunFile{best_file, false},
    RunFile{checkpoint_file, false},
};

}  // namespace dojo::training
