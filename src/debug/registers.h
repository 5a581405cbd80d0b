// The registers of a hart as gdb sees them: numbered, typed, described in XML, read and written as bytes.
//
// Names and features are gdb's own where it has them ("Debugging with GDB", appendix "Target Descriptions",
// section "RISC-V Features"): cpu, fpu, csr, vector. Tiles and Xdojo's CSRs stand in features of ours, which
// gdb shows as they are described. Registers 0 to 32 (x0 to x31, pc) are those of a g packet; the others are
// asked for one by one, so that a stop costs little.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "isa/hart.h"

namespace dojo::debug {

struct Register {
  std::string name, feature, type;
  std::string_view group;  // empty: gdb's choice by type
  unsigned bytes = 8;
  std::function<std::string(isa::Hart&)> read;
  std::function<void(isa::Hart&, std::string_view)> write;  // of `bytes` bytes; empty: read-only
};

constexpr std::size_t pc_register = 32, general_registers = 33;

class RegisterSet {
public:
  explicit RegisterSet(unsigned vlen_bits);

  std::size_t size() const { return registers_.size(); }
  const std::vector<Register>& all() const { return registers_; }

  // Little-endian bytes; nullopt if there is no such register.
  std::optional<std::string> read(isa::Hart& hart, std::size_t number) const;
  // False if there is no such register, it is read-only, or the bytes are not as many as it has.
  bool write(isa::Hart& hart, std::size_t number, std::string_view bytes) const;

  // target.xml
  const std::string& description() const { return description_; }

private:
  void add_general();
  void add_floats();
  void add_csrs();
  void add_vectors();
  void add_tiles();
  void describe();

  unsigned vlen_bits_;
  std::vector<Register> registers_;
  std::string description_;
};

}  // namespace dojo::debug
