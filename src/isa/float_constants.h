// The 32 constants that Zfa's fli instructions load, by the number in their rs1 field.
#pragma once

#include <array>
#include <limits>
#include <string_view>

namespace dojo::isa {

struct FloatConstant {
  std::string_view text;  // as llvm-mc writes it
  double value;           // exact; what a format cannot hold becomes its infinity
};

constexpr unsigned smallest_normal_constant = 1;  // of the format: `value` does not say it

// Unprivileged specification, chapter "Zfa", table of immediates.
constexpr std::array<FloatConstant, 32> float_constants = {{
    {"-1.0", -1},
    {"min", 0},
    {"1.52587890625e-05", 0x1p-16},
    {"3.0517578125e-05", 0x1p-15},
    {"0.00390625", 0x1p-8},
    {"0.0078125", 0x1p-7},
    {"0.0625", 0x1p-4},
    {"0.125", 0x1p-3},
    {"0.25", 0.25},
    {"0.3125", 0.3125},
    {"0.375", 0.375},
    {"0.4375", 0.4375},
    {"0.5", 0.5},
    {"0.625", 0.625},
    {"0.75", 0.75},
    {"0.875", 0.875},
    {"1.0", 1},
    {"1.25", 1.25},
    {"1.5", 1.5},
    {"1.75", 1.75},
    {"2.0", 2},
    {"2.5", 2.5},
    {"3.0", 3},
    {"4.0", 4},
    {"8.0", 8},
    {"16.0", 16},
    {"128.0", 0x1p7},
    {"256.0", 0x1p8},
    {"32768.0", 0x1p15},
    {"65536.0", 0x1p16},
    {"inf", std::numeric_limits<double>::infinity()},
    {"nan", std::numeric_limits<double>::quiet_NaN()},
}};

constexpr const FloatConstant& float_constant(unsigned number) { return float_constants[number & 31]; }

}  // namespace dojo::isa
