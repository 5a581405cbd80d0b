// The system calls of a node's program: enough of RISC-V Linux's (include/uapi/asm-generic/unistd.h) and of
// newlib's own for the C libraries. There is one file, the terminal: descriptors 0, 1 and 2. No call takes
// time beyond its ecall, and each answers the same in every run. docs/notes/001 lists them.
#include <algorithm>
#include <cstring>

#include "base/random.h"
#include "system/execution.h"

namespace dojo::system {

namespace {

// What is returned for an error: the negative of Linux's number.
// clang-format off
constexpr std::int64_t
    no_entry = -2,              // ENOENT
    bad_file = -9,              // EBADF
    no_memory = -12,            // ENOMEM
    bad_address = -14,          // EFAULT
    bad_argument = -22,         // EINVAL
    no_terminal = -25,          // ENOTTY
    no_seek = -29,              // ESPIPE
    not_implemented = -38;      // ENOSYS
// clang-format on

constexpr unsigned a0 = 10, a7 = 17;
constexpr std::uint64_t files = 3;

// Argument `index` of the call a thread stopped for.
std::uint64_t argument(const Thread& thread, unsigned index) { return thread.hart.x[a0 + index]; }

template <typename Object>
std::int64_t give(Thread& thread, std::uint64_t address, const Object& object) {
  std::byte* to = thread.hart.memory.writable(address, sizeof object);
  if (to == nullptr) return bad_address;
  std::memcpy(to, &object, sizeof object);
  return 0;
}

// struct stat of 64-bit Linux (include/uapi/asm-generic/stat.h); newlib's port has the same. A character
// device, so that isatty() is true and text goes out line by line.
std::int64_t describe_file(Thread& thread, std::uint64_t file, std::uint64_t address) {
  struct {
    std::uint64_t device = 0, inode = 1;
    std::uint32_t mode = 0020620, links = 1, user = 0, group = 0;
    std::uint64_t raw_device = 0x8800, padding = 0;
    std::int64_t size = 0;
    std::int32_t block_size = 1024, more_padding = 0;
    std::int64_t blocks = 0;
    std::int64_t times[6] = {};
    std::int32_t unused[2] = {};
  } state;
  static_assert(sizeof state == 128);
  return file < files ? give(thread, address, state) : bad_file;
}

template <std::int64_t value>
std::int64_t constant(Execution&, Thread&) {
  return value;
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

  // Sorted by number.
  // clang-format off
  static constexpr Row rows[] = {
      {29, constant<no_terminal>},                     // ioctl
      {48, constant<no_entry>},                        // faccessat
      {56, constant<no_entry>},                        // openat
      {57, call<&Execution::call_close>},
      {62, call<&Execution::call_lseek>},
      {63, call<&Execution::call_read>},
      {64, call<&Execution::call_write>},
      {66, call<&Execution::call_writev>},
      {78, constant<no_entry>},                        // readlinkat
      {79, call<&Execution::call_fstatat>},
      {80, call<&Execution::call_fstat>},
      {93, call<&Execution::call_exit>},
      {94, call<&Execution::call_exit_group>},
      {96, constant<1>},                               // set_tid_address
      {99, constant<0>},                               // set_robust_list
      {113, call<&Execution::call_clock_gettime>, true},
      {129, call<&Execution::call_kill>},              // kill(process, signal)
      {130, call<&Execution::call_kill>},              // tkill(thread, signal)
      {134, constant<0>},                              // rt_sigaction: no signal ever comes
      {135, constant<0>},                              // rt_sigprocmask
      {153, call<&Execution::call_times>, true},
      {169, call<&Execution::call_gettimeofday>, true},
      {172, constant<1>},                              // getpid
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
      {278, call<&Execution::call_getrandom>},
      {1024, constant<no_entry>},                      // newlib: open
      {1026, constant<no_entry>},                      // newlib: unlink
      {1033, constant<no_entry>},                      // newlib: access
      {1038, constant<no_entry>},                      // newlib: stat
  };
  // clang-format on
};

void Execution::system_call(Thread& thread) {
  isa::Hart& hart = thread.hart;
  const std::uint64_t number = hart.x[a7];
  const auto found = std::ranges::lower_bound(SystemCallTable::rows, number, {}, &Row::number);
  if (found != std::end(SystemCallTable::rows) && found->number == number) {
    if (found->reads_clock && options_.timing && !thread.clock_known) return ask(thread);
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

// --- The terminal ---------------------------------------------------------------------------------------

std::int64_t Execution::write_text(Thread& thread, std::uint64_t file, std::uint64_t address,
                                   std::uint64_t count) {
  if (file != 1 && file != 2) return bad_file;
  const std::byte* bytes = thread.hart.memory.readable(address, count);
  if (bytes == nullptr) return bad_address;
  const std::string_view words(reinterpret_cast<const char*>(bytes), count);
  const bool error = file == 2 && options_.error_output;
  const auto& output = error ? options_.error_output : options_.text_output;
  if (threads_.size() == 1) {
    if (output && count != 0) output(words);
  } else {
    (error ? thread.error_text : thread.text) += words;
  }
  return static_cast<std::int64_t>(count);
}

std::int64_t Execution::call_write(Thread& thread) {
  return write_text(thread, argument(thread, 0), argument(thread, 1), argument(thread, 2));
}

std::int64_t Execution::call_writev(Thread& thread) {
  struct Piece {
    std::uint64_t address, count;
  };
  constexpr std::uint64_t most_pieces = 1024;
  const std::uint64_t file = argument(thread, 0), table = argument(thread, 1), count = argument(thread, 2);
  if (count > most_pieces) return bad_argument;
  const std::byte* pieces = thread.hart.memory.readable(table, count * sizeof(Piece));
  if (pieces == nullptr) return bad_address;
  std::int64_t written = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    Piece piece;
    std::memcpy(&piece, pieces + i * sizeof piece, sizeof piece);
    const std::int64_t result = write_text(thread, file, piece.address, piece.count);
    if (result < 0) return written != 0 ? written : result;
    written += result;
  }
  return written;
}

// As much as is asked for, unless the input ends: how the host's input happens to arrive must not show.
std::int64_t Execution::call_read(Thread& thread) {
  if (argument(thread, 0) != 0) return bad_file;
  const std::uint64_t count = argument(thread, 2);
  std::byte* to = thread.hart.memory.writable(argument(thread, 1), count);
  if (to == nullptr) return bad_address;
  std::uint64_t& done = node_states_[thread.hart.node].input_read;

  const std::lock_guard lock(calls_lock_);
  while (input_.size() < done + count && !input_ended_) {
    const std::size_t known = input_.size();
    input_.resize(done + count);
    const std::size_t got = options_.text_input ? options_.text_input(std::span(input_).subspan(known)) : 0;
    input_.resize(known + got);
    // Who gives up waiting for it has seen no end of it.
    if (got == 0 && options_.interrupted && options_.interrupted()) {
      interrupted_ = true;
      return 0;
    }
    input_ended_ = got == 0;
  }
  const std::uint64_t given = std::min<std::uint64_t>(count, input_.size() - done);
  std::copy_n(input_.begin() + static_cast<std::ptrdiff_t>(done), given, to);
  done += given;
  return static_cast<std::int64_t>(given);
}

std::int64_t Execution::call_lseek(Thread& thread) {
  return argument(thread, 0) < files ? no_seek : bad_file;
}

std::int64_t Execution::call_close(Thread& thread) { return argument(thread, 0) < files ? 0 : bad_file; }

std::int64_t Execution::call_fstat(Thread& thread) {
  return describe_file(thread, argument(thread, 0), argument(thread, 1));
}

// fstat in newer C libraries: the path is empty.
std::int64_t Execution::call_fstatat(Thread& thread) {
  const std::byte* path = thread.hart.memory.readable(argument(thread, 1), 1);
  if (path == nullptr) return bad_address;
  return *path == std::byte{0} ? describe_file(thread, argument(thread, 0), argument(thread, 2)) : no_entry;
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

// --- Time and chance ------------------------------------------------------------------------------------

// What the time CSR has; without timing an instruction counts as a cycle,
// so that programs which measure until enough time has passed come to an end.
std::uint64_t Execution::nanoseconds(const Thread& thread) const {
  const std::uint64_t cycles = options_.timing ? thread.hart.cycle : thread.hart.instructions;
  return static_cast<std::uint64_t>(static_cast<double>(cycles) / machine_.node.clock_ghz);
}

std::int64_t Execution::call_clock_gettime(Thread& thread) {
  const std::uint64_t now = nanoseconds(thread);
  const std::uint64_t time[2] = {now / 1'000'000'000, now % 1'000'000'000};
  return give(thread, argument(thread, 1), time);
}

std::int64_t Execution::call_gettimeofday(Thread& thread) {
  const std::uint64_t now = nanoseconds(thread) / 1000;
  const std::uint64_t time[2] = {now / 1'000'000, now % 1'000'000};
  return give(thread, argument(thread, 0), time);
}

// In hundredths of a second; all of it is the program's own.
std::int64_t Execution::call_times(Thread& thread) {
  const std::uint64_t ticks = nanoseconds(thread) / 10'000'000;
  const std::uint64_t times[4] = {ticks, 0, 0, 0};
  const std::int64_t failed = argument(thread, 0) == 0 ? 0 : give(thread, argument(thread, 0), times);
  return failed != 0 ? failed : static_cast<std::int64_t>(ticks);
}

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
