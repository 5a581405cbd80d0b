// Is a machine file read exactly, and refused with its place when anything is wrong with it?
#include "machine/machine.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"

namespace dojo::machine {
namespace {

namespace fs = std::filesystem;

const fs::path d1_file = fs::path(DOJO_SOURCE_DIR) / "machines/d1.toml";

// The refusal of d1.toml after replacing `from` by `to`; empty if it was accepted.
std::string refusal_after(const std::string& from, const std::string& to) {
  std::string text = read_text(d1_file);
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  const TemporaryFolder folder("dojo-machine-test");
  const fs::path path = folder.path() / "changed.toml";
  write_text(path, text);
  const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1;
  try {
    read_machine(path.string());
  } catch (const UserError& error) {
    const std::string place = path.string() + ":" + std::to_string(line);
    return error.where() == place ? error.what() : "at " + error.where() + " instead of " + place;
  }
  return {};
}

std::string value_of(const std::vector<std::pair<std::string, std::string>>& list, std::string_view name) {
  for (const auto& [key, value] : list)
    if (key == name) return value;
  return "absent";
}

TEST(Machine, D1GivesTheMakersFigures) {
  const auto list = identities(read_machine("d1"));
  EXPECT_EQ(value_of(list, "node, BF16 and CFloat8"), "1.024 TFLOPS");
  EXPECT_EQ(value_of(list, "node, FP32"), "64 GFLOPS");
  EXPECT_EQ(value_of(list, "node, SRAM load"), "400 GB/s");
  EXPECT_EQ(value_of(list, "node, SRAM store"), "272 GB/s");
  EXPECT_EQ(value_of(list, "die, enabled nodes"), "354");
  EXPECT_EQ(value_of(list, "die, BF16 and CFloat8"), "362.5 TFLOPS");
  EXPECT_EQ(value_of(list, "die, FP32"), "22.66 TFLOPS");
  EXPECT_EQ(value_of(list, "die, SRAM"), "442.5 MB");
  EXPECT_EQ(value_of(list, "interface processors, HBM"), "160 GB at 4.0 TB/s");
}

TEST(Machine, EveryParameterComesWithOriginAndSource) {
  for (const char* name : {"d1", "test6"}) {
    const Machine machine = read_machine(name);
    EXPECT_EQ(machine.name, name);
    EXPECT_EQ(machine.parameters.size(), 45u);
    for (const Parameter& p : machine.parameters) {
      EXPECT_FALSE(p.value.empty()) << p.key;
      EXPECT_FALSE(p.unit.empty()) << p.key;
      EXPECT_FALSE(p.source.empty()) << p.key;
    }
  }
}

TEST(Machine, LogicalNodesSkipDisabledPlacesRowByRow) {
  const Machine machine = read_machine(d1_file.string());
  unsigned index = 0;
  for (unsigned at = 0; at < machine.mesh.rows * machine.mesh.columns; ++at) {
    const auto& off = machine.mesh.disabled;
    if (std::find(off.begin(), off.end(), at) != off.end()) continue;
    EXPECT_EQ(machine.place(index++), std::make_pair(at / 18, at % 18));
  }
  EXPECT_EQ(index, machine.enabled_nodes());
}

TEST(Machine, RefusalsNameFileAndLine) {
  EXPECT_NE(refusal_after("fetch_bytes ", "fetch_byte ").find("unknown key 'node.fetch_byte'"),
            std::string::npos);
  EXPECT_NE(refusal_after("[mesh]", "[mess]").find("unknown key 'mess'"), std::string::npos);
  EXPECT_NE(refusal_after("value = 2.0", "value = 0.0").find("outside 0.001 to 100 GHz"), std::string::npos);
  EXPECT_NE(refusal_after("value = 32, ", "value = 31.5,").find("whole number"), std::string::npos);
  EXPECT_NE(
      refusal_after("value = 32, ", "value = 9223372036854775807, ").find("is 9223372036854775807, outside"),
      std::string::npos);
  EXPECT_NE(refusal_after("value = 512, ", "value = 500, ").find("power of two"), std::string::npos);
  EXPECT_NE(refusal_after("value = 512, ", "value = -512, ").find("outside"), std::string::npos);
  EXPECT_NE(refusal_after("origin = \"T*\"", "origin = \"X\"").find("not one of T, T*, I, D, U"),
            std::string::npos);
  EXPECT_NE(refusal_after("origin = \"T*\"", "orgin = \"T*\"").find("unknown key 'orgin'"),
            std::string::npos);
  EXPECT_NE(refusal_after("25, 75", "25, 25").find("twice"), std::string::npos);
  EXPECT_NE(refusal_after("340]", "360]").find("names place 360"), std::string::npos);
  EXPECT_NE(refusal_after("value = 2.0", "value = = 2.0").find("not valid TOML"), std::string::npos);
  EXPECT_NE(refusal_after("[mesh]", "m\xc3\xa9sh = 1").find("nothing but ASCII"), std::string::npos);
  for (const char* nameless : {"[= = 1]", "[", "[[", "[ \t]", "[[[mesh]]]"})
    EXPECT_NE(refusal_after("[mesh]", nameless).find("no name follows '['"), std::string::npos) << nameless;
  EXPECT_NE(refusal_after("{ value = 20, origin", "{ origin").find("missing 'value' of 'node.divide_cycles'"),
            std::string::npos);
}

TEST(Machine, AMissingKeyIsNamed) {
  std::string text = read_text(d1_file);
  const auto begin = text.find("hop_cycles");
  text.erase(begin, text.find('\n', begin) + 1 - begin);
  const TemporaryFolder folder("dojo-machine-test");
  const fs::path path = folder.path() / "missing_key.toml";
  write_text(path, text);
  try {
    read_machine(path.string());
    FAIL() << "accepted";
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find("missing key 'mesh.hop_cycles'"), std::string::npos)
        << error.what();
  }
}

TEST(Machine, AnUnknownNameIsRefused) {
  EXPECT_THROW(read_machine("no_such_machine"), UserError);
  EXPECT_THROW(read_machine("/nowhere/x.toml"), UserError);
}

}  // namespace
}  // namespace dojo::machine
