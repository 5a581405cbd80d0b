// A machine file with one row on top of another machine, whose name it keeps.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace dojo::machine {

// `value` may bring a range along: `5, fast = 4, slow = 8, range = "of a test"`.
inline std::string variant_text(std::string_view base, std::string_view key, std::string_view value) {
  return fmt::format(
      "name = \"{0}\"\ndescription = \"{0} but for {1}\"\nextends = \"{0}\"\n"
      "{1} = {{ origin = \"U\", source = \"a test\", value = {2} }}\n",
      base, key, value);
}

}  // namespace dojo::machine
