// Machine mode, as far as bare-metal programs use it that bring their own start-up code and trap handler.
//
// A hart starts in machine mode with mtvec = 0, and then every trap ends its thread and ecall asks the system
// above. From the moment a program writes an address to mtvec, its traps and ecalls go there, as the
// privileged architecture 1.12 says. There are machine and user mode, no supervisor; no interrupts ever; no
// protected regions. mstatus.FS and VS are on until a program switches them off. Registers for what is absent
// read as zero and ignore writes, so that start-up code written for larger machines goes on.
#pragma once

#include <cstdint>

#include "isa/hart.h"

namespace dojo::isa {

// RV64 and the letters of its extensions.
constexpr std::uint64_t machine_isa =
    std::uint64_t{2} << 62 | 1 << 0 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 8 | 1 << 12 | 1 << 20 | 1 << 21;
constexpr std::uint64_t machine_interrupts = 0x888;  // software, timer, external

// menvcfg: which instructions on cache blocks user mode may execute (privileged specification, "Zicbom"). No
// other field is there; 2 in the first one is reserved and leaves it as it was.
enum EnvironmentConfig : std::uint64_t { may_invalidate = 3 << 4, may_clean = 1 << 6, may_zero = 1 << 7 };
void write_menvcfg(Hart& hart, std::uint64_t value);

std::uint64_t mstatus(const Hart& hart);
void write_mstatus(Hart& hart, std::uint64_t value);

// After Stop::trap or Stop::system_call: sends the hart to its program's trap handler and clears the stop.
// False, and nothing is changed, if the program has none, or none that can begin: a handler whose own first
// instruction traps would be entered for ever, without an instruction that anybody counts.
bool enter_trap_handler(Hart& hart);

}  // namespace dojo::isa
