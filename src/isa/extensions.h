// The extensions of the instruction set, and what each is called by those who compile, assemble and compare:
// every architecture string, attribute list and processor option is made from this table.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace dojo::isa {

struct Extension {
  std::string_view name;     // as rows have it (Row::extension), or its own where no row has it
  std::string_view llvm;     // in clang's -march and llvm-mc's --mattr
  std::string_view qemu;     // as an option of the processor rv64 of qemu-riscv64 7.2; see below
  bool spike;                // Spike's --isa knows it by LLVM's name
  bool compiled;             // what networks and kernels are compiled for unless told otherwise
  std::string_view meaning;  // here, for docs/isa.md
};

// Extension::qemu of what that processor has anyway, and of what it does not have.
constexpr std::string_view always_in_qemu = "", not_in_qemu = "-";

std::span<const Extension> extensions();

// Whether qemu-riscv64 7.2 knows the instructions of rows with this extension.
bool is_in_qemu(std::string_view row_extension);

// "+m,+a,...": all of them, for llvm-mc's --mattr.
std::string llvm_attributes();

// "rv64imafdcv_zicsr_...": those that are compiled for, with vectors of this length.
std::string compiled_architecture(unsigned vlen_bits);

// For qemu-riscv64's -cpu.
std::string qemu_processor(unsigned vlen_bits);

// Whether Spike knows the instructions of rows with this extension.
bool is_in_spike(std::string_view row_extension);

// For Spike's --isa: all that it knows.
std::string spike_architecture(unsigned vlen_bits);

}  // namespace dojo::isa
