// Is a machine file read exactly, and refused with its place when anything is wrong with it?
#include "machine/machine.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

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
  for (const char* unended : {"[}", "[1,}", "[ \t}", "[\"]\\\"\", }", "[']\\', }", "['\'\']\'\'\', }"})
    EXPECT_NE(refusal_after("[25, 75", unended).find("not valid TOML: '}' follows '"), std::string::npos)
        << unended;
  EXPECT_NE(refusal_after("[25, 75", "[ # ]\n }").find("changed.toml:47 instead of "), std::string::npos)
      << "it ends on the next line";
  for (const char* text : {"\"[}\"", "'[}'", "\"\\\"[}\"", "\"\"\"[\n}\"\"\""})
    EXPECT_EQ(refusal_after("\"five interface processors on a tile's edge; here all on the die's west edge\"",
                            text),
              "")
        << text;
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

// Files of a folder by their names, and what reading the first of them says.
using Texts = std::vector<MachineText>;

class Extends : public testing::Test {
protected:
  std::string place(std::string_view name) const { return (folder_.path() / name).string(); }

  Machine read(const Texts& files) const {
    for (const auto& [name, text] : files) {
      fs::create_directories(fs::path(place(name)).parent_path());
      write_text(place(name), text);
    }
    return read_machine(place(files.front().path));
  }

  std::string refusal(const Texts& files) const {
    try {
      read(files);
    } catch (const UserError& error) {
      return error.what();
    }
    return {};
  }

  static std::string variant(std::string_view base, std::string_view rows = "") {
    return fmt::format("name = \"mine\"\ndescription = \"of a test\"\nextends = \"{}\"\n{}", base, rows);
  }

  TemporaryFolder folder_{"dojo-machine-test"};
};

// What test6 differs in is its own file; all else is d1's, word for word.
TEST_F(Extends, Test6IsD1ButForItsOwnRows) {
  const Machine d1 = read_machine("d1"), test6 = read_machine("test6");
  std::vector<std::string> changed;
  for (std::size_t i = 0; i < d1.parameters.size(); ++i) {
    const Parameter &base = d1.parameters[i], &own = test6.parameters[i];
    if (base == own) continue;
    changed.push_back(own.key + " = " + own.value);
    EXPECT_EQ(own.source, "small on purpose");
  }
  EXPECT_EQ(changed, (std::vector<std::string>{"mesh.rows = 2", "mesh.columns = 3", "mesh.disabled = none",
                                               "interface.count = 1", "interface.hbm_bytes = 268435456"}));
  EXPECT_EQ(test6.node.vlen_bits, 512u);
  EXPECT_EQ(test6.enabled_nodes(), 6u);
  EXPECT_EQ(d1.files.size(), 1u);
  EXPECT_EQ(test6.files, (std::vector<std::string>{d1_file.parent_path() / "test6.toml", d1_file}));
}

// Value, origin, source and range: a row without a range has none, whatever the base's has.
TEST_F(Extends, ARowReplacesTheWholeRowUnderIt) {
  const Machine machine =
      read({{"v.toml", variant("d1",
                               "node.simd_cycles = { value = 5, origin = \"D\", source = \"mine\" }\n"
                               "[mesh]\nhop_cycles = { value = 3, origin = \"U\", source = \"ours\", "
                               "fast = 2, slow = 9, range = \"wide\" }\n")}});
  EXPECT_EQ(machine.name, "mine");
  EXPECT_EQ(machine.description, "of a test");
  EXPECT_EQ(machine.node.simd_cycles, 5u);
  EXPECT_EQ(machine.mesh.hop_cycles, 3u);
  const Machine d1 = read_machine("d1");
  for (std::size_t i = 0; i < d1.parameters.size(); ++i) {
    const Parameter& own = machine.parameters[i];
    if (own.key == "node.simd_cycles")
      EXPECT_EQ(own, (Parameter{own.key, "5", "cycles", "D", "mine", {}}));
    else if (own.key == "mesh.hop_cycles")
      EXPECT_EQ(own, (Parameter{own.key, "3", "cycles", "U", "ours", PlausibleRange{2, 9, "wide"}}));
    else
      EXPECT_EQ(own, d1.parameters[i]) << own.key;
  }
}

TEST_F(Extends, AChainGivesTheTopmostRow) {
  const auto row = [](std::string_view key, int value) {
    return fmt::format("{} = {{ value = {}, origin = \"U\", source = \"mine\" }}\n", key, value);
  };
  const Machine machine =
      read({{"deep/top.toml", variant("../middle.toml", row("node.alus", 3))},
            {"middle.toml", variant("deep/low.toml", row("node.alus", 4) + row("node.threads", 3))},
            {"deep/low.toml", variant("test6", row("node.threads", 1) + row("node.vlen_bits", 256))}});
  EXPECT_EQ(machine.node.alus, 3u);
  EXPECT_EQ(machine.node.threads, 3u);
  EXPECT_EQ(machine.node.vlen_bits, 256u);
  EXPECT_EQ(machine.mesh.columns, 3u);
  EXPECT_EQ(machine.files,
            (std::vector<std::string>{place("deep/top.toml"), place("middle.toml"), place("deep/low.toml"),
                                      d1_file.parent_path() / "test6.toml", d1_file}));
}

TEST_F(Extends, ThePagesExampleIsAMachine) {
  std::istringstream page(read_text(d1_file.parent_path().parent_path() / "docs/machines.md"));
  std::string example;
  for (std::string line; std::getline(page, line);)
    if (line.starts_with("    ")) example += line.substr(4) + "\n";
  const Machine machine = read({{"example.toml", example}});
  EXPECT_EQ(machine.name, "wide-links");
  EXPECT_EQ(machine.mesh.link_bytes_per_cycle, 256u);
}

TEST_F(Extends, RefusalsNameTheFileThatIsWrong) {
  EXPECT_EQ(refusal({{"v.toml", variant("d2")}}),
            place("v.toml") +
                ":3: 'extends' names 'd2': no such machine: neither a path to a .toml file nor one "
                "of d1, test6");
  EXPECT_EQ(refusal({{"v.toml", variant("d1\\u0000")}}),
            place("v.toml") +
                ":3: 'extends' names 'd1\\x00': no such machine: neither a path to a .toml file nor "
                "one of d1, test6");
  EXPECT_EQ(refusal({{"v.toml", variant("absent.toml")}}),
            place("v.toml") + ":3: 'extends' names '" + place("absent.toml") +
                "': cannot be read: No such file or directory");
  EXPECT_EQ(refusal({{"v.toml", variant("")}}),
            place("v.toml") + ":3: 'extends' must be a text that is not empty");
  EXPECT_EQ(refusal({{"v.toml", "extends = \"d1\"\ndescription = \"x\"\n"}}),
            place("v.toml") + ":1: missing key 'name'");
  EXPECT_EQ(refusal({{"v.toml", "name = \"v\"\nextends = \"d1\"\n"}}),
            place("v.toml") + ":1: missing key 'description'");
  EXPECT_EQ(refusal({{"v.toml", variant("d1", "node.alu_cycles = { value = 2 }\n")}}),
            place("v.toml") + ":4: missing key 'origin'");
  EXPECT_EQ(refusal({{"v.toml", variant("base.toml")}, {"base.toml", variant("d1", "[node]\nalu = 3\n")}}),
            place("base.toml") + ":5: unknown key 'node.alu'");
  EXPECT_EQ(refusal({{"v.toml", variant("base.toml")}, {"base.toml", variant("d1", "mesh = 3\n")}}),
            place("base.toml") + ":4: 'mesh' must be a section [mesh]");
  EXPECT_EQ(refusal({{"v.toml", variant("base.toml")}, {"base.toml", "name = \"base\"\n[node]\n"}}),
            place("base.toml") + ":2: missing key 'node.clock_ghz'");
  EXPECT_EQ(refusal({{"v.toml", variant("base.toml")}, {"base.toml", "name = \"base\"\n"}}),
            place("base.toml") + ":1: missing section [node]");
  // Nothing is wrong with d1's list of places; it does not go with the variant's rows.
  EXPECT_EQ(
      refusal({{"v.toml", variant("d1", "mesh.rows = { value = 5, origin = \"U\", source = \"x\" }\n")}}),
      fmt::format("{}: 'mesh.disabled' of {}:46 names place 340, but places end at 89: a mesh of another "
                  "size wants a list of its own",
                  place("v.toml"), d1_file.string()));
}

TEST_F(Extends, ARingIsRefused) {
  EXPECT_EQ(refusal({{"a.toml", variant("a.toml")}}),
            place("a.toml") + ":3: 'extends' leads back to " + place("a.toml"));
  EXPECT_EQ(
      refusal({{"a.toml", variant("b.toml")}, {"b.toml", variant("c.toml")}, {"c.toml", variant("b.toml")}}),
      place("c.toml") + ":3: 'extends' leads back to " + place("b.toml"));
  // Through a link the path never comes back, and grows.
  fs::create_directory_symlink(".", place("here"));
  EXPECT_EQ(refusal({{"a.toml", variant("here/a.toml")}}),
            place("a.toml") + ":3: 'extends' leads back to " + place("a.toml"));
}

}  // namespace
}  // namespace dojo::machine
