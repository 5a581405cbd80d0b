#include "training/checkpoint.h"

#include <cstdint>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"

namespace dojo::training {
namespace {

constexpr char magic[8] = {'D', 'O', 'J', 'O', 'C', 'K', 'P', 'T'};
// 4 held this computer's seconds; 3 did not name the labels; 2 had another schedule of the learning rate.
constexpr std::uint32_t version = 5;

struct Header {
  char magic[8];
  std::uint32_t version, zero;
  std::uint64_t host_bytes, nodes, region_bytes;
};
static_assert(sizeof(Header) == 40);
constexpr std::size_t checksum_bytes = 64;  // hexadecimal digits
// Regions may be empty, and then the file's size says nothing about their number.
constexpr std::uint64_t most_nodes = 1 << 20;

std::string checksum(std::span<const std::byte> bytes) { return sha256_hex(bytes); }

void append(std::vector<std::byte>& file, const void* bytes, std::size_t count) {
  const auto* first = static_cast<const std::byte*>(bytes);
  file.insert(file.end(), first, first + count);
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  const std::size_t region_bytes = checkpoint.regions.empty() ? 0 : checkpoint.regions.front().size();
  Header header{{}, version, 0, checkpoint.host_state.size(), checkpoint.regions.size(), region_bytes};
  std::memcpy(header.magic, magic, sizeof magic);

  std::vector<std::byte> file;
  file.reserve(sizeof header + checkpoint.host_state.size() + checkpoint.regions.size() * region_bytes +
               checksum_bytes);
  append(file, &header, sizeof header);
  append(file, checkpoint.host_state.data(), checkpoint.host_state.size());
  for (const auto& region : checkpoint.regions) {
    DOJO_ENSURE(region.size() == region_bytes);
    append(file, region.data(), region.size());
  }
  const std::string digits = checksum(file);
  append(file, digits.data(), digits.size());
  write_file(path, file);
}

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  const std::vector<std::byte> file = read_file(path);
  if (file.size() < sizeof(Header) + checksum_bytes || std::memcmp(file.data(), magic, sizeof magic) != 0)
    refuse(path.string(), "is not a checkpoint");
  const std::span<const std::byte> body(file.data(), file.size() - checksum_bytes);
  if (std::memcmp(checksum(body).data(), file.data() + body.size(), checksum_bytes) != 0)
    refuse(path.string(), "is damaged: its checksum does not hold");

  Header header;
  std::memcpy(&header, file.data(), sizeof header);
  if (header.version != version)
    refuse(path.string(), "is of checkpoint version {}, this program goes on from version {}: {}",
           header.version, version,
           header.version < version ? "train anew, or go on with the program that wrote it"
                                    : "a newer one wrote it");
  if (header.nodes > most_nodes)
    refuse(path.string(), "is damaged: it claims to be of {} nodes", header.nodes);
  const std::uint64_t room = body.size() - sizeof header;
  if (header.host_bytes > room || (header.nodes != 0 && header.region_bytes > room / header.nodes) ||
      header.host_bytes + header.nodes * header.region_bytes != room)
    refuse(path.string(), "is damaged: its sizes do not add up");

  Checkpoint checkpoint;
  const std::byte* cursor = file.data() + sizeof header;
  checkpoint.host_state.assign(reinterpret_cast<const char*>(cursor), header.host_bytes);
  cursor += header.host_bytes;
  for (std::uint64_t node = 0; node < header.nodes; ++node, cursor += header.region_bytes)
    checkpoint.regions.emplace_back(cursor, cursor + header.region_bytes);
  return checkpoint;
}

}  // namespace dojo::training
