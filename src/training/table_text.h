// Fields of the tables that a run writes as CSV (RFC 4180).
#pragma once

#include <string>
#include <string_view>

namespace dojo::training {

// A name of the network's in a head line, which every simple reader takes: what would need quotes is '_'.
std::string head_field(std::string_view name);

// Any text, in quotes where it needs them.
std::string text_field(std::string_view text);

}  // namespace dojo::training
