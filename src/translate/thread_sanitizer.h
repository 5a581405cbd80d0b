// What the thread sanitizer cannot see. A thread that comes into new code sees all that was written before
// the code was published: by a release store there, and by a load here, which this kind of processor never
// lets later ones overtake. But where the load is in code that this room wrote, the sanitizer does not see it
// and has to be told. Nothing in other builds.
#pragma once

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define DOJO_THREAD_SANITIZER
#endif
#endif

#ifdef DOJO_THREAD_SANITIZER
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif

namespace dojo::translate {

// Before code is published.
inline void code_is_made([[maybe_unused]] const void* translator) {
#ifdef DOJO_THREAD_SANITIZER
  __tsan_release(const_cast<void*>(translator));
#endif
}

// Behind a run of code, which may have gone on to what was published meanwhile.
inline void code_was_run([[maybe_unused]] const void* translator) {
#ifdef DOJO_THREAD_SANITIZER
  __tsan_acquire(const_cast<void*>(translator));
#endif
}

}  // namespace dojo::translate
