// Whole files, read and written so that a reader never sees half of one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dojo {

// Throws UserError naming the path if it cannot be read, is a FIFO, or a device or pipe that does not end.
std::vector<std::byte> read_file(const std::filesystem::path& path);
std::string read_text(const std::filesystem::path& path);

// Writes beside `path`, syncs, renames over it and syncs the folder: after any crash the old file or the new
// one is there, whole, and once this returns it is the new one, even after a power cut. Several processes may
// write the same file: it is then one of theirs. One that is killed may leave `path`.partial, until somebody
// writes `path` again. Where `path` is a link, what it leads to is replaced; a device or a pipe is written
// to, a FIFO that nobody reads refused. Throws UserError (a full disk, a missing folder) and leaves nothing
// behind.
void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_text(const std::filesystem::path& path, std::string_view text);

// What was made, renamed or removed in a folder outlives a power cut from now on.
void sync_folder(const std::filesystem::path& folder);

// For those who write without write_file(): opening such a FIFO would wait for a reader for ever.
void refuse_fifo_without_reader(const std::filesystem::path& path);

}  // namespace dojo
