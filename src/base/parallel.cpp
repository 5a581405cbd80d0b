#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace dojo {

unsigned host_cores() { return std::max(1u, std::thread::hardware_concurrency()); }

void parallel_for(unsigned threads, std::size_t count, const std::function<void(std::size_t)>& work) {
  if (threads == 0) threads = host_cores();
  std::atomic<std::size_t> next{0};
  std::mutex guard;
  std::size_t first_failed = count;
  std::exception_ptr failure;
  const auto run = [&] {
    for (std::size_t i; (i = next.fetch_add(1)) < count;) {
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(guard);
        if (i < first_failed) {
          first_failed = i;
          failure = std::current_exception();
        }
      }
    }
  };
  std::vector<std::jthread> others;
  for (unsigned t = 1; t < std::min<std::size_t>(threads, count); ++t) others.emplace_back(run);
  run();
  others.clear();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace dojo
