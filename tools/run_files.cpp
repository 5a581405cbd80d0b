#include "run_files.h"

#include <fmt/format.h>

#include <array>
#include <string>

#include "base/error.h"

namespace dojo::tools {
namespace {

struct RunFile {
  const char* name;
  bool of_the_end;  // written when the run is over; the others as it goes
};

// In the order in which they go: the checkpoint last, so that a cut in between leaves a run that can go on.
constexpr std::array files = {
    RunFile{"report.txt", true},      RunFile{"run.json", true},        RunFile{"trained.onnx", true},
    RunFile{"predictions.csv", true}, RunFile{"predictions.svg", true}, RunFile{"loss.svg", true},
    RunFile{"best.onnx", false},      RunFile{"history.csv", false},    RunFile{"checkpoint.dojo", false},
};

}  // namespace

void clear_earlier_run(const std::filesystem::path& folder, bool goes_on) {
  std::string gone;
  for (const RunFile& file : files) {
    if (goes_on && !file.of_the_end) continue;
    std::error_code failure;
    const bool removed = std::filesystem::remove(folder / file.name, failure);
    if (failure) refuse((folder / file.name).string(), "cannot be replaced: {}", failure.message());
    if (removed) gone += (gone.empty() ? "" : ", ") + std::string(file.name);
  }
  if (!gone.empty() && !goes_on)
    fmt::print(stderr, "{}: replaces an earlier run (removed: {})\n", folder.string(), gone);
}

}  // namespace dojo::tools
