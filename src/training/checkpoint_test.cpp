#include "training/checkpoint.h"
#include "base/temporary_folder.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"

namespace dojo::training {
namespace {

class CheckpointFile : public testing::Test {
protected:
  void SetUp() override {
    checkpoint_.host_state = R"({"step": 3})";
    checkpoint_.regions = {{std::byte{1}, std::byte{3}}, {std::byte{3}, std::byte{4}}};
    write_checkpoint(path_, checkpoint_);
  }

  // A file that no power cut is going to meet: a thousand of them synced would take their time.
  void put(std::span<const std::byte> bytes) const {
    std::ofstream file(path_, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    file.close();
    ASSERT_TRUE(file.good());
  }

  // The file with another byte, and a checksum that holds.
  void set_byte(std::size_t at, std::byte value) {
    constexpr std::size_t checksum_bytes = 64;
    auto file = read_file(path_);
    file.resize(file.size() - checksum_bytes);
    file[at] = value;
    const std::string digits = sha256_hex(file);
    const auto bytes = std::as_bytes(std::span(digits));
    file.insert(file.end(), bytes.begin(), bytes.end());
    write_file(path_, file);
  }

  std::string refusal() const {
    try {
      read_checkpoint(path_);
    } catch (const UserError& error) {
      return error.what();
    }
    return "";
  }

  const TemporaryFolder own_{"dojo-checkpoint"};
  const std::filesystem::path path_ = own_.path() / "checkpoint";
  Checkpoint checkpoint_;
};

TEST_F(CheckpointFile, ComesBackAsWritten) {
  const Checkpoint read = read_checkpoint(path_);
  EXPECT_EQ(read.host_state, checkpoint_.host_state);
  EXPECT_EQ(read.regions, checkpoint_.regions);
}

TEST_F(CheckpointFile, IsRefusedWithAnyBitFlippedOrCutAnywhere) {
  const auto whole = read_file(path_);
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto damaged = whole;
    damaged[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    put(damaged);
    EXPECT_THROW(read_checkpoint(path_), UserError) << "bit " << bit;
  }
  for (std::size_t length = 0; length < whole.size(); ++length) {
    put(std::span(whole).first(length));
    EXPECT_THROW(read_checkpoint(path_), UserError) << "length " << length;
  }
}

// Empty regions of more nodes than there is memory for take no room in the file.
TEST_F(CheckpointFile, IsRefusedOfMoreNodesThanAnyMachineHas) {
  checkpoint_.regions = {{}, {}};
  write_checkpoint(path_, checkpoint_);
  EXPECT_EQ(read_checkpoint(path_).regions, checkpoint_.regions);

  constexpr std::size_t nodes_at = 24;
  set_byte(nodes_at + 6, std::byte{1});
  EXPECT_THROW(read_checkpoint(path_), UserError);
}

TEST_F(CheckpointFile, IsRefusedOfAnotherVersionWithTheWayOut) {
  constexpr std::size_t version_at = 8;
  set_byte(version_at, std::byte{4});
  EXPECT_NE(refusal().find("is of checkpoint version 4, this program goes on from version 5: train anew"),
            std::string::npos)
      << refusal();
  set_byte(version_at, std::byte{6});
  EXPECT_NE(refusal().find("a newer one wrote it"), std::string::npos) << refusal();
}

TEST_F(CheckpointFile, LeavesTheOldOneWhenTheNewOneCannotBeWritten) {
  EXPECT_THROW(write_checkpoint(path_ / "below_a_file", checkpoint_), UserError);
  EXPECT_EQ(read_checkpoint(path_).host_state, checkpoint_.host_state);
}

}  // namespace
}  // namespace dojo::training
