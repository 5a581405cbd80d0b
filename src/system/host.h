// How this computer is to run a launch. Nothing of it changes what the nodes compute; without timing there
// are no cycles.
#pragma once

#include <functional>

#include "node/translation.h"

namespace dojo::system {

struct Host {
  unsigned threads = 0;  // 0: one per core
  node::HostVectors vectors = node::host_vectors();
  bool timing = true;
  // Polled by all threads at once, every few thousand instructions; true ends the launch.
  std::function<bool()> interrupted = [] { return false; };
};

}  // namespace dojo::system
