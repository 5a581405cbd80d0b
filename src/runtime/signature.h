// A program's signature, as the RISC-V architecture tests and their runner compare it: the bytes between its
// symbols begin_signature and end_signature, as text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "machine/machine.h"
#include "system/program.h"

namespace dojo::runtime {

// Bytes [begin, end) of a node's local memory that are the signature. Throws UserError if the program has
// none, or none that a node holds.
std::pair<std::uint64_t, std::uint64_t> signature_range(const system::Program& program,
                                                        const machine::Machine& machine);

// The text that Spike writes for +signature: a line for every `granularity` bytes (at least 1), the highest
// address first, two lower-case hexadecimal digits a byte; what the last line lacks is zero.
std::string signature_text(std::span<const std::byte> bytes, std::size_t granularity);

}  // namespace dojo::runtime
