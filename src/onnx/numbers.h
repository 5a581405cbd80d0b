// What kind of numbers an ONNX value holds, and what a node makes of them.
//
// Our tensors are FP32. Floating-point numbers of every type become FP32 numbers. Whole numbers and truth
// values (0 and 1) are FP32 numbers, too, exactly, as long as they lie within +-2^24: so each carries the
// bounds that it cannot leave, and a node that could lead beyond is refused. A result that leaves its ONNX
// type is wrapped around, as two's complement does.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "onnx/file.h"

namespace dojo::onnx {

constexpr std::int64_t largest_whole = 1 << 24;  // FP32 tells all whole numbers up to it apart

struct Bounds {  // of whole numbers
  std::int64_t least = 0, most = 0;

  bool operator==(const Bounds&) const = default;
  bool are_exact() const { return least >= -largest_whole && most <= largest_whole; }
};
Bounds both(const Bounds& a, const Bounds& b);  // the smallest that hold the two
Bounds sum(const Bounds& a, const Bounds& b);
Bounds product(const Bounds& a, const Bounds& b);  // within +-far_away, which stands for all beyond
Bounds negated(const Bounds& a);

constexpr std::int64_t far_away = std::int64_t{1}
                                  << 60;  // far beyond what is exact, and from where 64 bits end
// What floating-point numbers were cut to, of any size: FP32 numbers, so they may be moved and compared.
// Whatever is computed of them has other bounds, which no type holds.
constexpr Bounds cut_numbers{-far_away, far_away - 1};

bool is_whole(DataType type);  // an integer type
// What a type can hold, and an input of it may bring: +-2^24 of 32 bits and more. Of whole numbers and truth.
Bounds bounds_of(DataType type);
// Whether numbers within these bounds are ones of the type; of 32 bits and more, those that are exact here,
// and cut_numbers.
bool holds(DataType type, const Bounds& bounds);
bool wraps(DataType type);  // of 8 and 16 bits: then what it does not hold can be wrapped around exactly

// What a node does with whole numbers.
enum class Rule : std::uint8_t {
  none,   // it takes floating-point numbers alone
  own,    // it sees to its operands and results itself
  moves,  // results are elements of its operands
  moves_or_zero,
  compares,  // results are truth values
  adds,      // bounds of sums, differences, products of two operands
  subtracts,
  multiplies,
  divides,      // toward zero
  divides_off,  // remainders, of the sign of either
  negates,
  absolute,
  sign
};
struct OperatorRule {
  std::string_view op;
  Rule rule;
  // Operands whose elements may become the result's: from `first`, `count` of them; others are read by
  // numbers() or known.
  std::size_t first = 0, count = 99;
};
const OperatorRule& rule_of(std::string_view op);

// Bounds of the result; `b` is not asked of where a node has one operand.
Bounds bounds_after(Rule rule, const Bounds& a, const Bounds& b);

}  // namespace dojo::onnx
