// The control and status registers of a hart: one row each.
//
// The clock is known for sure only to who replays the launch, and an instruction that reads it is over by
// then. So whoever knows it repeats the access with it: settle_clock.
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
  std::uint8_t needs = 0;  // RegisterState
};

std::span<const Csr> csrs();
const Csr* find_csr(unsigned number);  // nullptr if there is none

bool is_clock(unsigned number);    // cycle, time, mcycle
bool is_counter(unsigned number);  // those and instret, minstret
// The last instruction was an access to a clock that stands at hart.cycle.
void settle_clock(Hart& hart);

// As llvm-mc writes it: the name of a standard one, else the number (it has no names for Xdojo's).
std::string csr_name(unsigned number);

}  // namespace dojo::isa
