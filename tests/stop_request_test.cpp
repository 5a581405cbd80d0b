// Does a request to stop reach every thread, and does who asks twice get away? The thread sanitizer (preset
// tsan) sees here whether threads may look for it while it comes.
#include "stop_request.h"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>
#include <vector>

namespace dojo::tools {
namespace {

// As in a shell's foreground, wherever these tests run.
const bool heard = [] {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);
  return true;
}();

void expect_asked_by(int signal) {
  std::raise(signal);
  if (!stop_was_asked()) std::_Exit(1);
}

TEST(StopRequestDeathTest, ASecondEndsTheProgram) {
  EXPECT_EXIT(
      {
        listen_for_stop_requests();
        expect_asked_by(SIGINT);
        std::raise(SIGTERM);
      },
      testing::ExitedWithCode(130), "");
}

TEST(StopRequestDeathTest, AnyOfThreeSignalsAsks) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    EXPECT_EXIT(
        {
          listen_for_stop_requests();
          expect_asked_by(signal);
          std::_Exit(0);
        },
        testing::ExitedWithCode(0), "");
}

TEST(StopRequestDeathTest, OneThatIsIgnoredStaysSo) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    EXPECT_EXIT(
        {
          std::signal(signal, SIG_IGN);
          listen_for_stop_requests();
          std::raise(signal);
          std::_Exit(stop_was_asked() ? 1 : 0);
        },
        testing::ExitedWithCode(0), "");
}

TEST(StopRequest, IsSeenByEveryThread) {
  listen_for_stop_requests();
  EXPECT_FALSE(stop_was_asked());
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([] {
      while (!stop_was_asked()) std::this_thread::yield();
    });
  std::raise(SIGTERM);
  threads.clear();
  EXPECT_TRUE(stop_was_asked());
}

}  // namespace
}  // namespace dojo::tools
