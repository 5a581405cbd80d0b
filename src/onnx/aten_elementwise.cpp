// ATen's operators that compute each element from the elements at the same place. Truth is 1, falsehood 0.
#include <cmath>
#include <limits>
#include <numbers>

#include "onnx/aten_rows.h"
#include "onnx/formulas.h"

namespace dojo::onnx {
namespace {

using graph::Scalar;
using graph::TensorId;

constexpr float infinity = std::numeric_limits<float>::infinity();

// --- Two operands, of which the second may be a number ---

using Pair = F::Node (*)(F& f, F::Node a, F::Node b);

TensorId joined(NodeImport& node, TensorId a, TensorId b, Pair pair) {
  F f;
  const F::Node root = pair(f, f.input(0), f.input(1));
  return node.build().elementwise(f.finish(root), std::vector{a, b});
}

template <Pair pair>
void binary(NodeImport& node) {
  const TensorId a = argument(node, 0, "self"), b = argument(node, 1, "other");
  node.result(0, joined(node, a, b, pair));
}

F::Node multiply(F& f, F::Node a, F::Node b) { return f.multiply(a, b); }
F::Node divide(F& f, F::Node a, F::Node b) { return f.divide(a, b); }
F::Node minimum(F& f, F::Node a, F::Node b) { return f.apply(Scalar::minimum, a, b); }
F::Node maximum(F& f, F::Node a, F::Node b) { return f.apply(Scalar::maximum, a, b); }
F::Node equal(F& f, F::Node a, F::Node b) { return f.apply(Scalar::equal, a, b); }
F::Node unequal(F& f, F::Node a, F::Node b) { return f.subtract(f.constant(1), equal(f, a, b)); }
F::Node less(F& f, F::Node a, F::Node b) { return f.less(a, b); }
F::Node greater(F& f, F::Node a, F::Node b) { return f.less(b, a); }
F::Node at_least(F& f, F::Node a, F::Node b) { return at_most(f, b, a); }
F::Node truth(F& f, F::Node a) { return f.select(a, f.constant(1), f.constant(0)); }
F::Node both(F& f, F::Node a, F::Node b) { return f.select(a, truth(f, b), f.constant(0)); }
F::Node either(F& f, F::Node a, F::Node b) { return f.select(a, f.constant(1), truth(f, b)); }
F::Node one_of_two(F& f, F::Node a, F::Node b) { return unequal(f, truth(f, a), truth(f, b)); }
F::Node truncated(F& f, F::Node a) {
  const F::Node down = f.apply(Scalar::floor, a), up = f.negate(f.apply(Scalar::floor, f.negate(a)));
  return f.select(f.less(a, f.constant(0)), up, down);
}
F::Node floor_of_quotient(F& f, F::Node a, F::Node b) { return f.apply(Scalar::floor, f.divide(a, b)); }
F::Node whole_of_quotient(F& f, F::Node a, F::Node b) { return truncated(f, f.divide(a, b)); }
F::Node remainder(F& f, F::Node a, F::Node b) {
  return f.subtract(a, f.multiply(b, floor_of_quotient(f, a, b)));
}
F::Node remainder_towards_zero(F& f, F::Node a, F::Node b) {
  return f.subtract(a, f.multiply(b, whole_of_quotient(f, a, b)));
}

// a + alpha * b, rounded once as PyTorch's kernel for a CPU with FMA does.
template <bool minus, bool swapped>
void sum(NodeImport& node) {
  TensorId a = argument(node, 0, "self"), b = argument(node, 1, "other");
  if (swapped) std::swap(a, b);
  graph::Builder& build = node.build();
  if (node.has(2))
    return node.result(
        0, build.binary(minus ? Scalar::subtract : Scalar::add, a, build.multiply(node.tensor(2), b)));
  const float alpha = node.number("alpha", 1);
  F f;
  const F::Node x = f.input(0), y = f.input(1);
  const F::Node root = alpha == 1 ? (minus ? f.subtract(x, y) : f.add(x, y))
                                  : f.apply(Scalar::fma, f.constant(minus ? -alpha : alpha), y, x);
  node.result(0, build.elementwise(f.finish(root), std::vector{a, b}));
}

void divide_by_mode(NodeImport& node) {
  const std::string mode = node.text("rounding_mode", "");
  const Pair pair = mode.empty() ? divide : mode == "floor" ? floor_of_quotient : whole_of_quotient;
  if (!mode.empty() && mode != "floor" && mode != "trunc")
    node.fail(fmt::format("rounding_mode = '{}'", mode));
  const TensorId a = argument(node, 0, "self");
  node.result(0, joined(node, a, argument(node, 1, "other"), pair));
}

// Bits of anything but truth values are more than an FP32 number shows.
template <OpRow::Build build>
void of_truth(NodeImport& node) {
  for (std::size_t i = 0; i < node.operands(); ++i)
    if (node.has(i) && node.value(i).declared != DataType::boolean)
      node.fail("bits of whole numbers", Refusal::not_yet);
  build(node);
}

// --- Powers ---

constexpr float largest_product = 8;  // that Builder::power makes of factors

void power_of_number(NodeImport& node) {
  const TensorId x = node.tensor(0);
  if (node.has(1)) node.fail("an exponent that is computed", Refusal::not_yet);
  const float exponent = node.number("exponent", 1);
  if (exponent == std::floor(exponent) && std::fabs(exponent) > largest_product)
    node.fail(fmt::format("a whole exponent of {}", exponent), Refusal::not_yet);
  node.result(0, node.build().power(x, exponent));
}

// b ** x = exp(x * log b); a base that is not positive has no such logarithm.
void number_to_power(NodeImport& node) {
  const float base = node.number("self", 1);
  if (!(base > 0)) node.fail(fmt::format("a base of {}", base), Refusal::not_yet);
  F f;
  const auto logarithm = static_cast<float>(std::log(static_cast<double>(base)));
  const F::Node root = f.apply(Scalar::exp, f.multiply(f.constant(logarithm), f.input(0)));
  node.result(0, node.build().elementwise(f.finish(root), std::vector{node.tensor(1)}));
}

F::Node power(F& f, F::Node a, F::Node b) {
  const F::Node two = f.constant(2), whole = equal(f, f.apply(Scalar::floor, b), b);
  const F::Node odd = f.subtract(b, f.multiply(two, f.apply(Scalar::floor, f.divide(b, two))));
  const F::Node size =
      f.apply(Scalar::exp, f.multiply(b, f.apply(Scalar::log, f.apply(Scalar::absolute, a))));
  const F::Node of_negative =
      f.select(whole, f.select(odd, f.negate(size), size), f.apply(Scalar::log, f.constant(-1)));
  const F::Node result = f.select(f.less(a, f.constant(0)), of_negative, size);
  return f.select(equal(f, b, f.constant(0)), f.constant(1), result);
}

// --- One operand ---

F::Node square(F& f, F::Node x, NodeImport&) { return f.multiply(x, x); }
F::Node is_nan(F& f, F::Node x, NodeImport&) { return unequal(f, x, x); }
F::Node is_infinite(F& f, F::Node x, NodeImport&) {
  return equal(f, f.apply(Scalar::absolute, x), f.constant(infinity));
}
F::Node truncate(F& f, F::Node x, NodeImport&) { return truncated(f, x); }
F::Node log2(F& f, F::Node x, NodeImport&) {
  return f.multiply(f.apply(Scalar::log, x), f.constant(std::numbers::log2e_v<float>));
}
F::Node log10(F& f, F::Node x, NodeImport&) {
  return f.multiply(f.apply(Scalar::log, x), f.constant(std::numbers::log10e_v<float>));
}
F::Node exp2(F& f, F::Node x, NodeImport&) {
  return f.apply(Scalar::exp, f.multiply(x, f.constant(std::numbers::ln2_v<float>)));
}

// W. Kahan: the rounding of 1 + x, and that of exp(x), is made good by the same rounding in the other factor.
F::Node log1p(F& f, F::Node x, NodeImport&) {
  const F::Node one = f.constant(1), u = f.apply(Scalar::add, one, x);
  const F::Node made_good = f.multiply(f.apply(Scalar::log, u), f.divide(x, f.subtract(u, one)));
  const F::Node near = f.select(equal(f, u, one), x, made_good);
  return f.select(f.less(u, f.constant(1e30f)), near, f.apply(Scalar::log, u));
}
F::Node expm1(F& f, F::Node x, NodeImport&) {
  const F::Node one = f.constant(1), u = f.apply(Scalar::exp, x), below = f.subtract(u, one);
  const F::Node made_good = f.multiply(below, f.divide(x, f.apply(Scalar::log, u)));
  const F::Node all_lost = equal(f, below, f.constant(-1));
  const F::Node near = f.select(equal(f, u, one), x, f.select(all_lost, f.constant(-1), made_good));
  return f.select(f.less(f.constant(40), x), below, near);
}

void clamp(NodeImport& node) {
  TensorId x = node.tensor(0);
  graph::Builder& b = node.build();
  if (!node.has(1) && !node.has(2))
    return node.result(0, b.clip(x, node.number("min", -infinity), node.number("max", infinity)));
  if (node.has(1) || node.has_attribute("min")) x = b.binary(Scalar::maximum, x, argument(node, 1, "min"));
  if (node.has(2) || node.has_attribute("max")) x = b.binary(Scalar::minimum, x, argument(node, 2, "max"));
  node.result(0, x);
}

void hard_tanh(NodeImport& node) {
  node.result(0, node.build().clip(node.tensor(0), node.number("min_val", -1), node.number("max_val", 1)));
}

void leaky_relu(NodeImport& node) {
  node.result(0, node.build().leaky_relu(node.tensor(0), node.number("negative_slope", 0.01f)));
}

void elu(NodeImport& node) {
  if (node.number("input_scale", 1) != 1) node.fail("an input_scale other than 1", Refusal::not_yet);
  const float alpha = node.number("alpha", 1), scale = node.number("scale", 1);
  node.result(0, node.build().selu(node.tensor(0), alpha, scale));
}

void gelu(NodeImport& node) {
  const std::string form = node.text("approximate", "none");
  if (form != "none" && form != "tanh") node.fail(fmt::format("approximate = '{}'", form));
  node.result(0, node.build().gelu(node.tensor(0), form == "tanh"));
}

void where(NodeImport& node) {
  const TensorId operands[] = {node.tensor(0), argument(node, 1, "self"), argument(node, 2, "other")};
  F f;
  const F::Node root = f.select(f.input(0), f.input(1), f.input(2));
  node.result(0, node.build().elementwise(f.finish(root), operands));
}

// --- Other types ---

void cast(NodeImport& node) {
  node.ignore({"layout", "device", "pin_memory", "non_blocking", "memory_format"});
  const std::string to = node.text("dtype", "");
  const DataType from = node.value(0).declared;
  const bool is_whole = to.starts_with("int") || to.starts_with("uint");
  if (!to.empty() && to != "float32" && to != "bool" && !is_whole)
    node.fail(fmt::format("to {}", to), Refusal::not_yet);
  if (to == "uint8" && from != DataType::boolean) node.fail("to uint8, which wraps around", Refusal::not_yet);
  const TensorId x = node.tensor(0);
  F f;
  if (to == "bool" && from != DataType::boolean)
    return node.result(0, node.build().elementwise(f.finish(truth(f, f.input(0))), std::vector{x}));
  if (is_whole && from == DataType::float32)
    return node.result(0, node.build().elementwise(f.finish(truncated(f, f.input(0))), std::vector{x}));
  node.result(0, node.value(0));
}

// The elements of `src` in the shape of `self`.
void copy(NodeImport& node) {
  node.ignore({"non_blocking"});
  if (node.shape(1) == node.wanted_shape(0)) return node.result(0, node.value(1));
  node.result(0, node.build().expand(node.tensor(1), node.wanted_shape(0)));
}

// clang-format off
constexpr OpRow rows[] = {
    {"_local_scalar_dense.default", same},
    {"_to_copy.default",        cast},
    {"abs.default",             unary<Scalar::absolute>},
    {"add.Scalar",              sum<false, false>},
    {"add.Tensor",              sum<false, false>},
    {"alias.default",           same},
    {"atan.default",            unary<Scalar::atan>},
    {"bitwise_and.Tensor",      of_truth<binary<both>>},
    {"bitwise_and.Scalar",      of_truth<binary<both>>},
    {"bitwise_not.default",     of_truth<by_formula<logical_not>>},
    {"bitwise_or.Scalar",       of_truth<binary<either>>},
    {"bitwise_or.Tensor",       of_truth<binary<either>>},
    {"bitwise_xor.Scalar",      of_truth<binary<one_of_two>>},
    {"bitwise_xor.Tensor",      of_truth<binary<one_of_two>>},
    {"ceil.default",            by_formula<ceiling>},
    {"clamp.Tensor",            clamp},
    {"clamp.default",           clamp},
    {"clone.default",           same},
    {"copy.default",            copy},
    {"detach.default",          same},
    {"div.Scalar",              binary<divide>},
    {"div.Scalar_mode",         divide_by_mode},
    {"div.Tensor",              binary<divide>},
    {"div.Tensor_mode",         divide_by_mode},
    {"elu.default",             elu},
    {"eq.Scalar",               binary<equal>},
    {"eq.Tensor",               binary<equal>},
    {"erf.default",             unary<Scalar::erf>},
    {"exp.default",             unary<Scalar::exp>},
    {"exp2.default",            by_formula<exp2>},
    {"expm1.default",           by_formula<expm1>},
    {"fmod.Scalar",             binary<remainder_towards_zero>},
    {"fmod.Tensor",             binary<remainder_towards_zero>},
    {"floor.default",           unary<Scalar::floor>},
    {"ge.Scalar",               binary<at_least>},
    {"ge.Tensor",               binary<at_least>},
    {"gelu.default",            gelu},
    {"gt.Scalar",               binary<greater>},
    {"gt.Tensor",               binary<greater>},
    {"hardtanh.default",        hard_tanh},
    {"isinf.default",           by_formula<is_infinite>},
    {"isnan.default",           by_formula<is_nan>},
    {"le.Scalar",               binary<at_most>},
    {"le.Tensor",               binary<at_most>},
    {"leaky_relu.default",      leaky_relu},
    {"lift.default",            same},
    {"lift_fresh.default",      same},
    {"lift_fresh_copy.default", same},
    {"log.default",             unary<Scalar::log>},
    {"log10.default",           by_formula<log10>},
    {"log1p.default",           by_formula<log1p>},
    {"log2.default",            by_formula<log2>},
    {"logical_and.default",     binary<both>},
    {"logical_not.default",     by_formula<logical_not>},
    {"logical_or.default",      binary<either>},
    {"logical_xor.default",     binary<one_of_two>},
    {"lt.Scalar",               binary<less>},
    {"lt.Tensor",               binary<less>},
    {"maximum.default",         binary<maximum>},
    {"minimum.default",         binary<minimum>},
    {"mul.Scalar",              binary<multiply>},
    {"mul.Tensor",              binary<multiply>},
    {"ne.Scalar",               binary<unequal>},
    {"ne.Tensor",               binary<unequal>},
    {"neg.default",             unary<Scalar::negate>},
    {"pow.Scalar",              number_to_power},
    {"pow.Tensor_Scalar",       power_of_number},
    {"pow.Tensor_Tensor",       binary<power>},
    {"reciprocal.default",      by_formula<reciprocal>},
    {"relu.default",            unary<Scalar::relu>},
    {"remainder.Scalar",        binary<remainder>},
    {"remainder.Tensor",        binary<remainder>},
    {"round.default",           by_formula<round>},
    {"rsqrt.default",           unary<Scalar::reciprocal_sqrt>},
    {"rsub.Scalar",             sum<true, true>},
    {"rsub.Tensor",             sum<true, true>},
    {"sigmoid.default",         unary<Scalar::sigmoid>},
    {"sign.default",            by_formula<sign>},
    {"sqrt.default",            unary<Scalar::sqrt>},
    {"square.default",          by_formula<square>},
    {"sub.Scalar",              sum<true, false>},
    {"sub.Tensor",              sum<true, false>},
    {"tanh.default",            unary<Scalar::tanh>},
    {"trunc.default",           by_formula<truncate>},
    {"where.self",              where},
};
// clang-format on

}  // namespace

std::span<const OpRow> aten_elementwise_rows() { return rows; }

}  // namespace dojo::onnx
