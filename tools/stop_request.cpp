#include "stop_request.h"

#include <signal.h>

#include <atomic>
#include <cstdlib>

#include "commands.h"

namespace dojo::tools {
namespace {

// Written by whichever thread the signal reaches, read by all.
std::atomic<int> requests = 0;
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may not wait");

void on_request(int) {
  if (requests.exchange(1) != 0) std::_Exit(exit_interrupted);
}

void listen(int signal, int flags) {
  struct sigaction action{};
  action.sa_handler = on_request;
  action.sa_flags = flags;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

void listen_for_stop_requests() {
  for (const int signal : {SIGINT, SIGTERM}) listen(signal, SA_RESTART);
}

void listen_for_ctrl_c() {
  struct sigaction action{};
  ::sigaction(SIGINT, nullptr, &action);
  if (action.sa_handler == SIG_DFL) listen(SIGINT, static_cast<int>(SA_RESETHAND));
}

bool stop_was_asked() { return requests != 0; }

}  // namespace dojo::tools
