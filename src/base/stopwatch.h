// Seconds of wall time since it was made. For reports about this computer alone: nothing that a run computes
// may depend on it.
#pragma once

#include <chrono>

namespace dojo {

class Stopwatch {
public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace dojo
