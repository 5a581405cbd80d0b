// Is it text? UTF-8 as RFC 3629 has it.
#pragma once

#include <cstddef>
#include <string_view>

namespace dojo {

// Bytes of the character at the front of a text that is not empty; 0 if there is none.
std::size_t utf8_character(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace dojo
