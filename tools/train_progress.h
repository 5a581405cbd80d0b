// What a long run shows while it works: phases and one progress line that is rewritten in place on a
// terminal, and printed now and then elsewhere.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/stopwatch.h"
#include "training/trainer.h"

namespace dojo::tools {

class ProgressLine {
public:
  ProgressLine();
  void phase(std::string_view what);
  void show(const training::Progress& progress);
  void show_frames(std::size_t done, std::size_t all);  // predicted, since the first call
  void finish();                                        // ends an open line

private:
  void show(const std::string& words, bool last);

  bool terminal_, open_ = false;
  std::chrono::steady_clock::time_point last_{};
  std::optional<Stopwatch> predicting_;
  std::size_t before_ = 0;  // frames when that began
};

}  // namespace dojo::tools
