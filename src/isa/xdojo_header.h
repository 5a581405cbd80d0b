// device/xdojo.h, written from the rows of Xdojo: how C++ on a node says these instructions.
#pragma once

#include <string>

namespace dojo::isa {

// The whole text of device/xdojo.h. A test holds the file to it; with DOJO_REGENERATE=1 in its environment
// that test writes it.
std::string xdojo_header();

}  // namespace dojo::isa
