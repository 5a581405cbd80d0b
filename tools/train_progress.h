// What a long run shows while it works: phases and one progress line that is rewritten in place on a
// terminal, and printed now and then elsewhere.
#pragma once

#include <chrono>
#include <string_view>

#include "training/trainer.h"

namespace dojo::tools {

class ProgressLine {
public:
  ProgressLine();
  void phase(std::string_view what);
  void show(const training::Progress& progress);
  void finish();  // ends an open line

private:
  bool terminal_, open_ = false;
  std::chrono::steady_clock::time_point last_{};
};

// "1 h 02 min", "3 min 20 s", "12 s".
std::string duration(double seconds);

}  // namespace dojo::tools
