#include "stop_request.h"

#include <signal.h>

#include <atomic>
#include <cstdlib>

#include "commands.h"
#include "say.h"

namespace dojo::tools {
namespace {

// Written by whichever thread the signal reaches, read by all.
std::atomic<int> requests = 0;
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may not wait");

void on_request(int) {
  if (requests.exchange(1) != 0) std::_Exit(exit_interrupted);
}

void listen(int signal) {
  struct sigaction action{};
  ::sigaction(signal, nullptr, &action);
  if (action.sa_handler == SIG_IGN) return;
  action = {};
  action.sa_handler = on_request;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

void listen_for_stop_requests() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) listen(signal);
}

bool stop_was_asked() { return requests != 0; }

void end_if_stopped(std::string_view what) {
  if (!stop_was_asked()) return;
  say("interrupted; {}", what);
  throw Exit{exit_interrupted};
}

}  // namespace dojo::tools
