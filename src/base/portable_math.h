// Elementary functions of doubles that give the same bits on every computer.
//
// The C library's differ in the last place from version to version, and on one computer with what its
// processor can do. These are made of +, -, *, /, sqrt and fma alone, which IEEE 754 rounds in one way. The
// largest errors, in units in the last place, are what portable_math_test.cpp holds against long doubles.
#pragma once

#include <cstdint>

namespace dojo {

double sine(double x);    // |x| <= 1e6, 1 unit
double cosine(double x);  // likewise

double exponential(double x);  // 1 unit; 0 below -745.2, infinity above 709.8
double logarithm(double x);    // x > 0 and finite, 1 unit

double arc_tangent(double y, double x);  // of y / x in the quadrant of (x, y), as atan2, 1.5 units
double hypotenuse(double x, double y);   // 1.5 units; where no square is too large or small for a double

double power(double base, std::uint64_t exponent);  // |base| <= 1, exponent <= 2^40: 1 unit

}  // namespace dojo
