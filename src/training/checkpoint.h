// The state of a run on disk, between two launches (docs/notes/003).
//
// File, little-endian: 8 bytes "DOJOCKPT"; u32 version; u32 zero; u64 length of the host's state; u64
// nodes; u64 persistent bytes per node; the host's state; the nodes' persistent regions in order; 64
// hexadecimal digits: the SHA-256 of everything before.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace dojo::training {

struct Checkpoint {
  std::string host_state;                       // which saved_run.cpp writes and reads
  std::vector<std::vector<std::byte>> regions;  // one per node, equal sizes
};

// Atomic: after a crash at any moment `path` holds the old checkpoint or the new one.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

// Throws UserError naming the file and what is wrong: too short, another version, a checksum that does not
// hold.
Checkpoint read_checkpoint(const std::filesystem::path& path);

}  // namespace dojo::training
