// docs/isa.md: the instruction set as a page, made from the tables.
#pragma once

#include <string>

namespace dojo::isa {

std::string to_markdown();

}  // namespace dojo::isa
