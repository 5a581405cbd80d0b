// Text on a command line for a shell, be it printed for people or run.
#pragma once

#include <string>
#include <string_view>

namespace dojo::tools {

// `text` as one word, whatever it holds: in quotes where it has to be.
std::string shell_word(std::string_view text);

}  // namespace dojo::tools
