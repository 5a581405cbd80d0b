// A profile in the format of valgrind's callgrind, for kcachegrind and callgrind_annotate.
#pragma once

#include <string>
#include <string_view>

#include "runtime/source_lines.h"
#include "system/profile.h"

namespace dojo::report {

// As callgrind's manual describes it: per function the costs of its lines, "line cycles instructions" and the
// cycles by cause. A name stands with a number in front where it is first met, then the number alone, so that
// one that looks like a number in parentheses is none; what is no text in a name is marked.
std::string callgrind_text(std::string_view program, const system::Profile& profile,
                           const runtime::SourceLines& places);

}  // namespace dojo::report
