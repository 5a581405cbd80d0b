// Numbers of tensors, axes and parts are signed, so that -1 can say "none"; containers count unsigned.
#pragma once

#include <cstddef>

namespace dojo {

// The place in a container of what has the number `number`, at least 0.
constexpr std::size_t at(int number) { return static_cast<std::size_t>(number); }

}  // namespace dojo
