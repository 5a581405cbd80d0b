#include "stop_request.h"

#include <csignal>
#include <cstdlib>

#include "commands.h"

namespace dojo::tools {
namespace {

volatile std::sig_atomic_t requests = 0;

void on_request(int) {
  if (requests != 0) std::_Exit(exit_interrupted);
  requests = 1;
}

}  // namespace

void listen_for_stop_requests() {
  std::signal(SIGINT, on_request);
  std::signal(SIGTERM, on_request);
}

bool stop_was_asked() { return requests != 0; }

}  // namespace dojo::tools
