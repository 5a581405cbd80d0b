// Test help: assembly text to bytes, through LLVM's assembler; and a node's memory to run them in.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "isa/block.h"
#include "isa/extensions.h"
#include "isa/hart.h"

namespace dojo::node {

inline std::vector<std::byte> assemble(std::string_view text) {
  const std::string stem = testing::TempDir() + "node_test_" + std::to_string(getpid());
  write_text(stem + ".s", std::string(text) + "\n");
  const std::string command = "llvm-mc-22 -triple=riscv64 -mattr=" + isa::llvm_attributes() +
                              " -filetype=obj -o " + stem + ".o " + stem +
                              ".s && llvm-objcopy-22 -O binary -j .text " + stem + ".o " + stem + ".bin";
  const int status = std::system(command.c_str());
  EXPECT_EQ(status, 0) << command;
  std::vector<std::byte> bytes = read_file(stem + ".bin");
  for (const char* kind : {".s", ".o", ".bin"}) unlink((stem + kind).c_str());
  return bytes;
}

// A node's SRAM with a program at 0x1000, and a hart about to start it.
struct Bench {
  static constexpr std::uint64_t base = 0x1000;
  std::vector<std::byte> sram = std::vector<std::byte>(0x40000);
  isa::Hart hart;
  std::uint64_t text_end = base;

  explicit Bench(std::string_view text) {
    const std::vector<std::byte> code = assemble(text);
    std::memcpy(sram.data() + base, code.data(), code.size());
    text_end = base + code.size();
    hart.memory = {sram.data(), 0, sram.size(), base, base, text_end};
    hart.pc = base;
    hart.x[2] = sram.size();
  }
  isa::Block block() const { return isa::build_block(hart.memory, base); }
};

}  // namespace dojo::node
