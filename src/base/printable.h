// Text that came from outside (a name in a file, an option's value, a path) as a message may show it.
#pragma once

#include <string>
#include <string_view>

namespace dojo {

// UTF-8 as it is, on one line, and nothing that a terminal would obey: control characters as \n, \r, \t or
// \x1b, bytes that are no UTF-8 as \xe9, and so each byte of a character that breaks a line or turns its
// direction (U+0080 to U+009F, U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069). A backslash stays alone:
// commands and paths must stay what they are. What is printable already comes back unchanged.
std::string printable(std::string_view text);

}  // namespace dojo
