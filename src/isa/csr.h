// The control and status registers of a hart: one row each.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "isa/hart.h"

namespace dojo::isa {

struct Csr {
  std::uint16_t number;  // bits 11:10 = 3: read-only
  std::string_view name;
  std::uint64_t (*read)(const Hart&);
  void (*write)(Hart&, std::uint64_t);  // nullptr if read-only
  std::string_view meaning;
};

std::span<const Csr> csrs();
const Csr* find_csr(unsigned number);  // nullptr if there is none

// As llvm-mc writes it: the name of a standard one, else the number (it has no names for Xdojo's).
std::string csr_name(unsigned number);

}  // namespace dojo::isa
