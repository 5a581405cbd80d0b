// Test help: assembly text to bytes, through LLVM's assembler; and a node's memory to run them in.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "isa/block.h"
#include "isa/extensions.h"
#include "isa/hart.h"
#include "support/command.h"

namespace dojo::node {

inline std::vector<std::byte> assemble(std::string_view text) {
  const TemporaryFolder folder("dojo-assembly");
  write_text(folder.path() / "text.s", std::string(text) + "\n");
  const Said said =
      shell_in(folder.path(),
               "llvm-mc-22 -triple=riscv64 -mattr=" + isa::llvm_attributes() +
                   " -filetype=obj -o text.o text.s && llvm-objcopy-22 -O binary -j .text text.o text.bin");
  EXPECT_EQ(said.exit_code, 0) << said.errors;
  return read_file(folder.path() / "text.bin");
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
