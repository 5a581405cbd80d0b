// What a RISC-V ELF file says about the machine it was compiled for: the .riscv.attributes section of the
// RISC-V ELF psABI ("Attributes").
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dojo::toolchain {

// The longest vectors in bits that the architecture string of `section` promises to the program (zvl512b:
// 512), 0 if none. Throws UserError naming `where` if the section is damaged.
std::uint64_t promised_vlen_bits(std::span<const std::byte> section, std::string_view where);

// The same of an architecture string, "rv64i2p1_v1p0_zvl512b1p0".
std::uint64_t promised_vlen_bits(std::string_view architecture);

}  // namespace dojo::toolchain
