// Regular expressions (ECMAScript's) for tests. <regex> takes seconds to compile, and is read once, in
// pattern.cpp.
#pragma once

#include <string>
#include <vector>

namespace dojo {

// A match and its groups; "" for a group that took no part.
using Match = std::vector<std::string>;

// The first place in the text that matches; empty where none does.
Match first_match(const std::string& text, const std::string& expression);
std::vector<Match> all_matches(const std::string& text, const std::string& expression);

// The text with every match replaced.
std::string replaced(const std::string& text, const std::string& expression, const std::string& by);

}  // namespace dojo
