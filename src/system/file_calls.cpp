// System calls about files. There is one, the terminal: descriptors 0, 1 and 2. Names lead nowhere, as in a
// folder that has been removed: nothing is found and nothing can be made.
#include <algorithm>

#include "system/system_calls.h"

namespace dojo::system {

namespace {

constexpr std::uint64_t files = 3;

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

}  // namespace

// --- Names ----------------------------------------------------------------------------------------------

std::int64_t error_of_path(const Thread& thread, std::uint64_t address) {
  constexpr std::uint64_t longest = 4096;  // PATH_MAX, with the zero behind it
  for (std::uint64_t i = 0; i < longest; ++i) {
    const std::byte* letter = thread.hart.memory.readable(address + i, 1);
    if (letter == nullptr) return bad_address;
    if (*letter == std::byte{0}) return no_entry;
  }
  return name_too_long;
}

// fstat in newer C libraries: the path is empty.
std::int64_t Execution::call_fstatat(Thread& thread) {
  const std::byte* path = thread.hart.memory.readable(argument(thread, 1), 1);
  if (path != nullptr && *path == std::byte{0})
    return describe_file(thread, argument(thread, 0), argument(thread, 2));
  return error_of_path(thread, argument(thread, 1));
}

// Without a path the times of an open file are set: the terminal has none.
std::int64_t Execution::call_utimensat(Thread& thread) {
  if (argument(thread, 1) != 0) return error_of_path(thread, argument(thread, 1));
  return argument(thread, 0) < files ? 0 : bad_file;
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
    if (got == 0 && options_.host.interrupted()) {
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

std::int64_t Execution::call_ftruncate(Thread& thread) {
  return argument(thread, 0) < files ? bad_argument : bad_file;
}

std::int64_t Execution::call_fsync(Thread& thread) {
  return argument(thread, 0) < files ? bad_argument : bad_file;
}

std::int64_t Execution::call_close(Thread& thread) { return argument(thread, 0) < files ? 0 : bad_file; }

std::int64_t Execution::call_fstat(Thread& thread) {
  return describe_file(thread, argument(thread, 0), argument(thread, 1));
}

}  // namespace dojo::system
