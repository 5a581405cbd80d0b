// A machine in words: every parameter with where it comes from, then what follows from them.
#pragma once

#include <string>

#include "machine/machine.h"

namespace dojo::report {

std::string machine_text(const machine::Machine& machine);

}  // namespace dojo::report
