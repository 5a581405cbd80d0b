// The output folder of a run: what its files are called, when they are written, and which go when another run
// begins or this one goes on. docs/training.md says what they hold.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

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

bool holds_a_run(const std::filesystem::path& folder);

// Whether a run has a file of this name.
bool is_a_runs_name(const std::filesystem::path& name);

// Refuses a folder where a run would take away what no run made: it holds none, but something that has a
// run's name; or `model`, the network to be trained, is one of the files that go.
void refuse_to_lose(const std::filesystem::path& folder, const std::filesystem::path& model);

// Before a run writes its first file: takes away what would lie about an earlier one beside it. A run that
// goes on keeps checkpoint, history and best network. The names of what went; throws UserError if a file
// cannot be removed.
std::vector<std::string_view> clear_earlier_run(const std::filesystem::path& folder, bool goes_on);

// "out/{report.txt, ...}": all that is there behind a whole run.
std::string written_by_a_run(const std::filesystem::path& folder);

}  // namespace dojo::training
