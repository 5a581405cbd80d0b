// parallel_for: the only way this library starts host threads for independent work.
#pragma once

#include <cstddef>
#include <functional>

namespace dojo {

// Calls work(i) once for every i in [0, count) on up to `threads` host threads (0: one per core), the
// caller's included. Order is unspecified, so work(i) must not depend on it. If calls throw, the exception of
// the lowest i that threw is rethrown after all threads have stopped.
void parallel_for(unsigned threads, std::size_t count, const std::function<void(std::size_t)>& work);

unsigned host_cores();  // at least 1

}  // namespace dojo
