// JSON as text for people and other programs to read.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace dojo {

// Indented by so many spaces a level, without a line end. A path or a program's words may be any bytes, JSON
// is UTF-8: what is not becomes U+FFFD. Where the bytes matter, keep them in another form.
std::string json_text(const nlohmann::ordered_json& json, int indent);

}  // namespace dojo
