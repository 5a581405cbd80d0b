// How long something takes, in words.
#pragma once

#include <string>

namespace dojo::report {

std::string duration(double seconds);  // "1 h 02 min", "3 min 20 s", "12 s"

}  // namespace dojo::report
