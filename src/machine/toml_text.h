// TOML by toml++, which is kept from what it has no defined answer to.
#pragma once

#include <string>
#include <string_view>

#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

namespace dojo::machine {

// Throws UserError with `path` and the line of what is no TOML, or not ASCII.
toml::table parse_toml(const std::string& path, std::string_view text);

}  // namespace dojo::machine
