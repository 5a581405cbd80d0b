// The scalar operations that expressions are made of: one row says all that is known of one of them, and
// evaluation, text, code for the nodes, checks and derivatives follow from it.
//
// A new operation is an enumerator and a row here and, unless it is plain arithmetic, its function in
// the header of its family (numerics/scalar_math.h), which host and nodes share.
#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numbers>
#include <string_view>

#include "numerics/scalar_math.h"

namespace dojo::graph {

class Formula;

enum class Scalar : std::uint8_t {
  input,     // argument: index of the access it reads (body), or 0 = the accumulated value, k + 1 = extra k
             // (epilogue)
  constant,  // value
  add,
  subtract,
  multiply,
  divide,
  fma,
  negate,
  absolute,
  minimum,
  maximum,  // NaN if a or b is; else minimum: a < b ? a : b; maximum: a > b ? a : b
  sqrt,
  reciprocal_sqrt,
  exp,
  log,
  tanh,
  sigmoid,
  erf,
  atan,
  floor,
  relu,  // a <= 0 ? 0 : a, so NaN stays
  less,
  equal,   // 1 or 0
  select,  // a != 0 ? b : c
  sin,
  cos,
  tan,
  asin,
  acos,
  atan2,  // the angle of the point (x = b, y = a)
  sinh,
  cosh,
  asinh,
  acosh,
  atanh,
  exp2,
  expm1,
  log2,
  log10,
  log1p,
  pow,
  erfc,
  trunc,
  fmod,        // with the sign of a
  remainder,   // with the sign of b
  round_bits,  // a to b fewer bits of its fraction, from 1 to 23, halves to even
  bit_and,     // of whole numbers within +-2^24 in two's complement; others are taken for 0
  uniform,     // a draw from [0, 1) for key a, launch b, point c
};

// A value of a formula that is being built (expression.h), or a number. Arithmetic on terms makes nodes of
// that formula.
struct Term {
  Term() = default;  // 0
  Term(float value) : number(value) {}
  Term(Formula& owner, std::int32_t at) : formula(&owner), node(at) {}

  Formula* formula = nullptr;  // none: the number
  std::int32_t node = -1;
  float number = 0;
};

// As many operands as the operation has; at least one of them belongs to a formula.
Term combined(Scalar op, Term a, Term b = {}, Term c = {});
inline Term operator+(Term a, Term b) { return combined(Scalar::add, a, b); }
inline Term operator-(Term a, Term b) { return combined(Scalar::subtract, a, b); }
inline Term operator*(Term a, Term b) { return combined(Scalar::multiply, a, b); }
inline Term operator/(Term a, Term b) { return combined(Scalar::divide, a, b); }
inline Term operator-(Term a) { return combined(Scalar::negate, a); }
inline Term operator<(Term a, Term b) { return combined(Scalar::less, a, b); }
inline Term fma(Term a, Term b, Term c) { return combined(Scalar::fma, a, b, c); }
inline Term sqrt(Term a) { return combined(Scalar::sqrt, a); }
inline Term reciprocal_sqrt(Term a) { return combined(Scalar::reciprocal_sqrt, a); }
inline Term exp(Term a) { return combined(Scalar::exp, a); }
inline Term log(Term a) { return combined(Scalar::log, a); }
inline Term select(Term condition, Term yes, Term no) { return combined(Scalar::select, condition, yes, no); }

// A node as its derivative sees it: its operands, its own value y, and g = d loss / d y.
struct Site {
  Term a, b, c, y, g;
};
using Partials = std::array<Term, 3>;  // d loss / d a, b and c

// The sign of a result that is NaN. RISC-V's arithmetic gives positive ones only; what only moves a value
// passes on the sign of these operands.
enum class NanSign : std::uint8_t { positive, of_a, of_ab, of_bc, unknown };

// What must be known of the operands before a cheaper form gives the same bits: nothing has one; b is a
// number and no NaN; the sign of a is positive if a is NaN.
enum class Given : std::uint8_t { never, bounded, signless };

struct ScalarRow {
  Scalar op;
  std::string_view name;
  unsigned operands;
  // The definition of its values: out[i] from a[i], b[i], c[i]. input and constant have none.
  void (*evaluate)(const float* a, const float* b, const float* c, std::size_t length, float* out);
  std::string_view sign;  // for people, between the operands; empty: NAME(a, b)
  std::string_view code;  // C++ for the nodes, of {a}, {b} and {c}
  NanSign nan;
  Partials (*partials)(const Site& at);
  Given given = Given::never;
  std::string_view cheaper = {};  // the code then
};

// One loop per operation, so that the compiler makes vector code of each.
template <auto function>
void evaluate_each(const float* a, const float* b, const float* c, std::size_t length, float* out) {
  for (std::size_t i = 0; i < length; ++i) {
    if constexpr (std::invocable<decltype(function), float>) {
      out[i] = function(a[i]);
    } else if constexpr (std::invocable<decltype(function), float, float>) {
      out[i] = static_cast<float>(function(a[i], b[i]));
    } else {
      out[i] = function(a[i], b[i], c[i]);
    }
  }
}

template <auto function>
constexpr ScalarRow scalar_row(Scalar op, std::string_view name, std::string_view sign, std::string_view code,
                               NanSign nan, Partials (*partials)(const Site&), Given given = Given::never,
                               std::string_view cheaper = {}) {
  using Function = decltype(function);
  const unsigned operands = std::invocable<Function, float>          ? 1
                            : std::invocable<Function, float, float> ? 2
                                                                     : 3;
  return {op, name, operands, evaluate_each<function>, sign, code, nan, partials, given, cheaper};
}

inline float chosen(float condition, float yes, float no) { return condition != 0 ? yes : no; }
inline Partials no_partials(const Site&) { return {}; }  // zero, or nothing to differentiate

// b a^(b - 1) and a^b log a, 0 where a constant power (b = 0) or 0^b (b >= 0) has no slope, as PyTorch has
// it.
inline Partials of_power(const Site& at) {
  const Term by_base = at.b * combined(Scalar::pow, at.a, at.b - 1), by_exponent = at.y * log(at.a);
  const Term no_slope = combined(Scalar::equal, at.a, 0) * select(at.b < 0, 0, 1);
  return {select(at.b, at.g * by_base, 0), select(no_slope, 0, at.g * by_exponent)};
}

// clang-format off
inline constexpr std::array scalar_rows = {
    ScalarRow{Scalar::input, "input", 0, nullptr, "", "", NanSign::unknown, no_partials},
    ScalarRow{Scalar::constant, "constant", 0, nullptr, "", "", NanSign::positive, no_partials},
    // value, operation, name, sign, code, sign of a NaN,
    //     partials, when a cheaper form will do, and that
    scalar_row<std::plus<float>{}>       (Scalar::add,      "add",      "+",  "{a} + {b}",                   NanSign::positive,
        [](const Site& at) -> Partials { return {at.g, at.g}; }),
    scalar_row<std::minus<float>{}>      (Scalar::subtract, "subtract", "-",  "{a} - {b}",                   NanSign::positive,
        [](const Site& at) -> Partials { return {at.g, -at.g}; }),
    scalar_row<std::multiplies<float>{}> (Scalar::multiply, "multiply", "*",  "{a} * {b}",                   NanSign::positive,
        [](const Site& at) -> Partials { return {at.g * at.b, at.g * at.a}; }),
    scalar_row<std::divides<float>{}>    (Scalar::divide,   "divide",   "/",  "{a} / {b}",                   NanSign::positive,
        [](const Site& at) -> Partials { return {at.g / at.b, -(at.g * at.y / at.b)}; }),
    scalar_row<scalar::fma>              (Scalar::fma,      "fma",      "",   "scalar::fma({a}, {b}, {c})",  NanSign::positive,
        [](const Site& at) -> Partials { return {at.g * at.b, at.g * at.a, at.g}; }),
    scalar_row<std::negate<float>{}>     (Scalar::negate,   "negate",   "",   "-{a}",                        NanSign::unknown,
        [](const Site& at) -> Partials { return {-at.g}; }),
    scalar_row<scalar::absolute>         (Scalar::absolute, "absolute", "",   "scalar::absolute({a})",       NanSign::positive,
        [](const Site& at) -> Partials { return {select(at.a < 0, -at.g, select(0 < at.a, at.g, 0))}; }),
    scalar_row<scalar::minimum>          (Scalar::minimum,  "minimum",  "",   "scalar::minimum({a}, {b})",   NanSign::of_ab,
        [](const Site& at) -> Partials { const Term first = at.a < at.b; return {select(first, at.g, 0), select(first, 0, at.g)}; },
        Given::bounded, "scalar::at_most({a}, {b})"),
    scalar_row<scalar::maximum>          (Scalar::maximum,  "maximum",  "",   "scalar::maximum({a}, {b})",   NanSign::of_ab,
        [](const Site& at) -> Partials { const Term first = at.b < at.a; return {select(first, at.g, 0), select(first, 0, at.g)}; },
        Given::bounded, "scalar::at_least({a}, {b})"),
    scalar_row<scalar::sqrt>             (Scalar::sqrt,     "sqrt",     "",   "scalar::sqrt({a})",           NanSign::positive,
        [](const Site& at) -> Partials { return {at.g * 0.5f / at.y}; }),
    scalar_row<scalar::reciprocal_sqrt>  (Scalar::reciprocal_sqrt, "reciprocal_sqrt", "", "scalar::reciprocal_sqrt({a})", NanSign::positive,
        [](const Site& at) -> Partials { return {at.g * (-0.5f * (at.y * (at.y * at.y)))}; }),
    scalar_row<scalar::exp>              (Scalar::exp,      "exp",      "",   "scalar::exp({a})",            NanSign::positive,
        [](const Site& at) -> Partials { return {at.g * at.y}; }),
    scalar_row<scalar::log>              (Scalar::log,      "log",      "",   "scalar::log({a})",            NanSign::of_a,
        [](const Site& at) -> Partials { return {at.g / at.a}; }),
    scalar_row<scalar::tanh>             (Scalar::tanh,     "tanh",     "",   "scalar::tanh({a})",           NanSign::of_a,
        [](const Site& at) -> Partials { return {at.g * (1 - at.y * at.y)}; }),
    scalar_row<scalar::sigmoid>          (Scalar::sigmoid,  "sigmoid",  "",   "scalar::sigmoid({a})",        NanSign::positive,
        [](const Site& at) -> Partials { return {at.g * (at.y * (1 - at.y))}; }),
    scalar_row<scalar::erf>              (Scalar::erf,      "erf",      "",   "scalar::erf({a})",            NanSign::of_a,
        [](const Site& at) -> Partials { return {at.g * (2 / std::sqrt(std::numbers::pi_v<float>) * exp(-(at.a * at.a)))}; }),
    scalar_row<scalar::atan>             (Scalar::atan,     "atan",     "",   "scalar::atan({a})",           NanSign::of_a,
        [](const Site& at) -> Partials { return {at.g / (1 + at.a * at.a)}; }),
    scalar_row<scalar::floor>            (Scalar::floor,    "floor",    "",   "scalar::floor({a})",          NanSign::of_a,
        no_partials),
    scalar_row<scalar::relu>             (Scalar::relu,     "relu",     "",   "scalar::relu({a})",           NanSign::of_a,
        [](const Site& at) -> Partials { return {select(0 < at.y, at.g, 0)}; },
        Given::signless, "scalar::relu_of_result({a})"),
    scalar_row<std::less<float>{}>       (Scalar::less,     "less",     "<",  "{a} < {b} ? 1.0f : 0.0f",     NanSign::positive,
        no_partials),
    scalar_row<std::equal_to<float>{}>   (Scalar::equal,    "equal",    "==", "{a} == {b} ? 1.0f : 0.0f",    NanSign::positive,
        no_partials),
    scalar_row<chosen>                   (Scalar::select,   "select",   "",   "{a} != 0.0f ? {b} : {c}",     NanSign::of_bc,
        [](const Site& at) -> Partials { return {Term(), select(at.a, at.g, 0), select(at.a, 0, at.g)}; }),
    scalar_row<scalar::sin>              (Scalar::sin,      "sin",      "",   "scalar::sin({a})",            NanSign::unknown,
        [](const Site& at) -> Partials { return {at.g * combined(Scalar::cos, at.a)}; }),
    scalar_row<scalar::cos>              (Scalar::cos,      "cos",      "",   "scalar::cos({a})",            NanSign::unknown,
        [](const Site& at) -> Partials { return {-(at.g * combined(Scalar::sin, at.a))}; }),
    scalar_row<scalar::tan>              (Scalar::tan,      "tan",      "",   "scalar::tan({a})",            NanSign::unknown,
        [](const Site& at) -> Partials { return {at.g * (1 + at.y * at.y)}; }),
    scalar_row<scalar::asin>             (Scalar::asin,     "asin",     "",   "scalar::asin({a})",           NanSign::unknown,
        [](const Site& at) -> Partials { return {at.g * reciprocal_sqrt(1 - at.a * at.a)}; }),
    scalar_row<scalar::acos>             (Scalar::acos,     "acos",     "",   "scalar::acos({a})",           NanSign::unknown,
        [](const Site& at) -> Partials { return {-(at.g * reciprocal_sqrt(1 - at.a * at.a))}; }),
    scalar_row<scalar::atan2>            (Scalar::atan2,    "atan2",    "",   "scalar::atan2({a}, {b})",     NanSign::unknown,
        [](const Site& at) -> Partials {const Term share = at.g / (at.a * at.a + at.b * at.b); return {share * at.b, -(share * at.a)};}),
    scalar_row<scalar::sinh>             (Scalar::sinh,     "sinh",     "",   "scalar::sinh({a})",           NanSign::unknown,
        [](const Site& at) -> Partials { return {at.g * combined(Scalar::cosh, at.a)}; }),
    scalar_row<scalar::cosh>             (Scalar::cosh,     "cosh",     "",   "scalar::cosh({a})",           NanSign::unknown,
        [](const Site& at) -> Partials { return {at.g * combined(Scalar::sinh, at.a)}; }),
    scalar_row<scalar::asinh>            (Scalar::asinh,    "asinh",    "",   "scalar::asinh({a})",          NanSign::unknown,
        [](const Site& at) -> Partials { return {at.g * reciprocal_sqrt(at.a * at.a + 1)}; }),
    scalar_row<scalar::acosh>            (Scalar::acosh,    "acosh",    "",   "scalar::acosh({a})",          NanSign::unknown,
        [](const Site& at) -> Partials { return {at.g * reciprocal_sqrt(at.a * at.a - 1)}; }),
    scalar_row<scalar::atanh>            (Scalar::atanh,    "atanh",    "",   "scalar::atanh({a})",          NanSign::unknown,
        [](const Site& at) -> Partials { return {at.g / (1 - at.a * at.a)}; }),
    scalar_row<scalar::exp2>             (Scalar::exp2,     "exp2",     "",   "scalar::exp2({a})",           NanSign::unknown,
        [](const Site& at) -> Partials { return {at.g * (at.y * std::numbers::ln2_v<float>)}; }),
    scalar_row<scalar::expm1>            (Scalar::expm1,    "expm1",    "",   "scalar::expm1({a})",          NanSign::unknown,
        [](const Site& at) -> Partials { return {at.g * (at.y + 1)}; }),
    scalar_row<scalar::log2>             (Scalar::log2,     "log2",     "",   "scalar::log2({a})",           NanSign::unknown,
        [](const Site& at) -> Partials { return {at.g / (at.a * std::numbers::ln2_v<float>)}; }),
    scalar_row<scalar::log10>            (Scalar::log10,    "log10",    "",   "scalar::log10({a})",          NanSign::unknown,
        [](const Site& at) -> Partials { return {at.g / (at.a * std::numbers::ln10_v<float>)}; }),
    scalar_row<scalar::log1p>            (Scalar::log1p,    "log1p",    "",   "scalar::log1p({a})",          NanSign::unknown,
        [](const Site& at) -> Partials { return {at.g / (1 + at.a)}; }),
    scalar_row<scalar::pow>              (Scalar::pow,      "pow",      "",   "scalar::pow({a}, {b})",       NanSign::unknown,
        of_power),
    scalar_row<scalar::erfc>             (Scalar::erfc,     "erfc",     "",   "scalar::erfc({a})",           NanSign::unknown,
        [](const Site& at) -> Partials { return {at.g * (-2 / std::sqrt(std::numbers::pi_v<float>) * exp(-(at.a * at.a)))}; }),
    scalar_row<scalar::trunc>            (Scalar::trunc,    "trunc",    "",   "scalar::trunc({a})",          NanSign::unknown,
        no_partials),
    scalar_row<scalar::fmod>             (Scalar::fmod,     "fmod",     "",   "scalar::fmod({a}, {b})",      NanSign::unknown,
        [](const Site& at) -> Partials { return {at.g, -(at.g * combined(Scalar::trunc, at.a / at.b))}; }),
    scalar_row<scalar::remainder>        (Scalar::remainder,"remainder","",   "scalar::remainder({a}, {b})", NanSign::unknown,
        [](const Site& at) -> Partials { return {at.g, -(at.g * combined(Scalar::floor, at.a / at.b))}; }),
    // As training in narrow formats takes it: the gradient of what was rounded is that of the result.
    scalar_row<scalar::round_bits>       (Scalar::round_bits,"round_bits","", "scalar::round_bits({a}, {b})", NanSign::of_a,
        [](const Site& at) -> Partials { return {at.g}; }),
    scalar_row<scalar::bit_and>          (Scalar::bit_and,  "bit_and",  "",   "scalar::bit_and({a}, {b})",   NanSign::positive,
        no_partials),
    scalar_row<scalar::uniform>          (Scalar::uniform,  "uniform",  "",   "scalar::uniform({a}, {b}, {c})", NanSign::positive,
        no_partials),
};
// clang-format on

constexpr bool rows_follow_the_enumeration() {
  for (std::size_t i = 0; i < scalar_rows.size(); ++i) {
    if (static_cast<std::size_t>(scalar_rows[i].op) != i) return false;
  }
  return true;
}
static_assert(rows_follow_the_enumeration());

constexpr const ScalarRow& row_of(Scalar op) { return scalar_rows[static_cast<std::size_t>(op)]; }

}  // namespace dojo::graph
