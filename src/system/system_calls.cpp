// The system calls of a node's program: enough of RISC-V Linux's (include/uapi/asm-generic/unistd.h) and of
// newlib's own for the C libraries. Only a sleep takes time beyond its ecall, and each call answers the same
// in every run. docs/notes/001 lists them.
#include "system/system_calls.h"

#include <algorithm>

#include "base/random.h"

namespace dojo::system {

namespace {

template <std::int64_t value>
std::int64_t constant(Execution&, Thread&) {
  return value;
}

// A call whose argument `path` is the name of a file.
template <unsigned path>
std::int64_t no_file(Execution&, Thread& thread) {
  return error_of_path(thread, argument(thread, path));
}

struct Row {
  std::uint64_t number;
  std::int64_t (*handler)(Execution&, Thread&);
  bool reads_clock = false;
};

}  // namespace

struct SystemCallTable {
  template <std::int64_t (Execution::*member)(Thread&)>
  static std::int64_t call(Execution& execution, Thread& thread) {
    return (execution.*member)(thread);
  }

  // Sorted by number. "newlib": numbers of that C library's own.
  // clang-format off
  static constexpr Row rows[] = {
      {17, constant<no_entry>},                        // getcwd
      {29, constant<no_terminal>},                     // ioctl
      {33, no_file<1>},                                // mknodat
      {34, no_file<1>},                                // mkdirat
      {35, no_file<1>},                                // unlinkat
      {36, no_file<2>},                                // symlinkat(target, folder, path)
      {37, no_file<1>},                                // linkat
      {38, no_file<1>},                                // renameat
      {45, no_file<0>},                                // truncate
      {46, call<&Execution::call_ftruncate>},
      {48, no_file<1>},                                // faccessat
      {49, no_file<0>},                                // chdir
      {53, no_file<1>},                                // fchmodat
      {54, no_file<1>},                                // fchownat
      {56, no_file<1>},                                // openat
      {57, call<&Execution::call_close>},
      {62, call<&Execution::call_lseek>},
      {63, call<&Execution::call_read>},
      {64, call<&Execution::call_write>},
      {66, call<&Execution::call_writev>},
      {78, no_file<1>},                                // readlinkat
      {79, call<&Execution::call_fstatat>},
      {80, call<&Execution::call_fstat>},
      {82, call<&Execution::call_fsync>},
      {83, call<&Execution::call_fsync>},              // fdatasync
      {88, call<&Execution::call_utimensat>},
      {93, call<&Execution::call_exit>},
      {94, call<&Execution::call_exit_group>},
      {96, constant<1>},                               // set_tid_address
      {99, constant<0>},                               // set_robust_list
      {101, call<&Execution::call_nanosleep>},
      {113, call<&Execution::call_clock_gettime>, true},
      {114, call<&Execution::call_clock_getres>},
      {115, call<&Execution::call_clock_nanosleep>},
      {129, call<&Execution::call_kill>},              // kill(process, signal)
      {130, call<&Execution::call_kill>},              // tkill(thread, signal)
      {134, constant<0>},                              // rt_sigaction: no signal ever comes
      {135, constant<0>},                              // rt_sigprocmask
      {153, call<&Execution::call_times>, true},
      {169, call<&Execution::call_gettimeofday>, true},
      {172, constant<1>},                              // getpid
      {173, constant<0>},                              // getppid
      {174, constant<0>},                              // getuid
      {175, constant<0>},                              // geteuid
      {176, constant<0>},                              // getgid
      {177, constant<0>},                              // getegid
      {178, constant<1>},                              // gettid
      {214, call<&Execution::call_brk>},
      {215, constant<0>},                              // munmap: the range is not used again
      {222, call<&Execution::call_mmap>},
      {226, constant<0>},                              // mprotect
      {233, constant<0>},                              // madvise
      {276, no_file<1>},                               // renameat2
      {278, call<&Execution::call_getrandom>},
      {439, no_file<1>},                               // faccessat2
      {1024, no_file<0>},                              // newlib: open
      {1025, no_file<0>},                              // newlib: link
      {1026, no_file<0>},                              // newlib: unlink
      {1030, no_file<0>},                              // newlib: mkdir
      {1033, no_file<0>},                              // newlib: access
      {1038, no_file<0>},                              // newlib: stat
      {1039, no_file<0>},                              // newlib: lstat
  };
  // clang-format on
  static_assert(std::ranges::is_sorted(rows, {}, &Row::number));
};

void Execution::system_call(Thread& thread) {
  isa::Hart& hart = thread.hart;
  const std::uint64_t number = hart.x[a7];
  const auto found = std::ranges::lower_bound(SystemCallTable::rows, number, {}, &Row::number);
  if (found != std::end(SystemCallTable::rows) && found->number == number) {
    if (found->reads_clock && options_.host.timing && !thread.clock_known) return ask(thread);
    return hart.set_x(a0, static_cast<std::uint64_t>(found->handler(*this, thread)));
  }
  hart.set_x(a0, static_cast<std::uint64_t>(not_implemented));
  const std::lock_guard lock(calls_lock_);
  unknown_calls_.insert(number);
}

// --- Ends -----------------------------------------------------------------------------------------------

std::int64_t Execution::call_exit(Thread& thread) {
  thread.exit_code = static_cast<int>(argument(thread, 0) & 0xff);
  end(thread, ThreadState::ended);
  return static_cast<std::int64_t>(argument(thread, 0));
}

std::int64_t Execution::call_exit_group(Thread& thread) {
  call_exit(thread);
  end_node(thread.hart.node);
  return static_cast<std::int64_t>(argument(thread, 0));
}

// A program can only end itself, as abort() does: with the code that a shell shows for the signal.
std::int64_t Execution::call_kill(Thread& thread) {
  const std::uint64_t signal = argument(thread, 1);
  if (signal == 0) return 0;
  thread.exit_code = static_cast<int>(128 + (signal & 0x7f));
  end(thread, ThreadState::ended);
  end_node(thread.hart.node);
  return 0;
}

// --- Memory ---------------------------------------------------------------------------------------------

// The heap grows from the program's end up to the stacks. Returns where it ends, as it asked or as it was.
std::int64_t Execution::call_brk(Thread& thread) {
  Node& node = node_states_[thread.hart.node];
  const std::uint64_t wanted = argument(thread, 0);
  if (wanted >= layout_.heap().first && wanted <= node.heap_limit) {
    if (wanted < node.heap_end) {
      std::byte* bytes = thread.hart.memory.writable(wanted, node.heap_end - wanted);
      std::fill_n(bytes, node.heap_end - wanted, std::byte{0});
    }
    node.heap_end = wanted;
  }
  return static_cast<std::int64_t>(node.heap_end);
}

// Memory that belongs to no file, from the stacks downwards; never given back.
std::int64_t Execution::call_mmap(Thread& thread) {
  constexpr std::uint64_t page = 4096, anonymous = 0x20, fixed = 0x10;
  Node& node = node_states_[thread.hart.node];
  const std::uint64_t bytes = argument(thread, 1), flags = argument(thread, 3);
  if ((flags & anonymous) == 0 || (flags & fixed) != 0 || bytes == 0) return bad_argument;
  const std::uint64_t top = node.heap_limit / page * page;
  if (bytes > top || (top - bytes) / page * page < node.heap_end) return no_memory;
  node.heap_limit = (top - bytes) / page * page;
  return static_cast<std::int64_t>(node.heap_limit);
}

// --- Chance ----------------------------------------------------------------------------------------------

// The same bytes in every run.
std::int64_t Execution::call_getrandom(Thread& thread) {
  constexpr std::uint64_t most = 256;
  const std::uint64_t count = std::min(argument(thread, 1), most);
  std::byte* to = thread.hart.memory.writable(argument(thread, 0), count);
  if (to == nullptr) return bad_address;
  std::uint64_t& drawn = node_states_[thread.hart.node].random_drawn;
  for (std::uint64_t i = 0; i < count; ++i)
    to[i] = static_cast<std::byte>(philox(thread.hart.node, drawn++)[0]);
  return static_cast<std::int64_t>(count);
}

}  // namespace dojo::system
