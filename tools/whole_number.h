// The check of an option's text that is to be a whole number.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>

namespace dojo::tools {

// Decimal digits and nothing else, from `least` to `most`. CLI11's own numbers wrap around, are octal behind
// a zero, accept NaN and speak in 300 digits.
CLI::Validator whole_number(std::uint64_t least,
                            std::uint64_t most = std::numeric_limits<std::uint64_t>::max());

// The same for --nodes, before it is known how many the machine has.
CLI::Validator number_of_nodes();

// For --threads, --nodes: more than anybody has.
constexpr std::uint64_t most_threads = 1024, most_nodes = 1'000'000;

}  // namespace dojo::tools
