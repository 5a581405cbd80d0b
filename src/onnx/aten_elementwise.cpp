// ATen's operators that compute each element from the elements at the same place. Truth is 1, falsehood 0.
#include <cmath>
#include <limits>

#include "onnx/aten_rows.h"
#include "onnx/aten_whole.h"
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

F::Node divide(F& f, F::Node a, F::Node b) { return f.divide(a, b); }
F::Node equal(F& f, F::Node a, F::Node b) { return f.apply(Scalar::equal, a, b); }
F::Node unequal(F& f, F::Node a, F::Node b) { return f.subtract(f.constant(1), equal(f, a, b)); }
F::Node greater(F& f, F::Node a, F::Node b) { return f.less(b, a); }
F::Node at_least(F& f, F::Node a, F::Node b) { return at_most(f, b, a); }
F::Node truth(F& f, F::Node a) { return f.select(a, f.constant(1), f.constant(0)); }
F::Node both(F& f, F::Node a, F::Node b) { return f.select(a, truth(f, b), f.constant(0)); }
F::Node either(F& f, F::Node a, F::Node b) { return f.select(a, f.constant(1), truth(f, b)); }
F::Node one_of_two(F& f, F::Node a, F::Node b) { return unequal(f, truth(f, a), truth(f, b)); }
F::Node floor_of_quotient(F& f, F::Node a, F::Node b) { return f.apply(Scalar::floor, f.divide(a, b)); }
F::Node whole_of_quotient(F& f, F::Node a, F::Node b) { return f.apply(Scalar::trunc, f.divide(a, b)); }

template <Scalar op>
F::Node applied(F& f, F::Node a, F::Node b) {
  return f.apply(op, a, b);
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

void power_of_number(NodeImport& node) {
  const TensorId x = node.tensor(0);
  if (node.has(1)) return node.result(0, node.build().binary(Scalar::pow, x, node.tensor(1)));
  const float exponent = node.number("exponent", 1);
  const bool few_factors = exponent == std::floor(exponent) && std::fabs(exponent) <= 4;
  if (few_factors || std::fabs(exponent) == 0.5f) return node.result(0, node.build().power(x, exponent));
  node.result(0, node.build().binary(Scalar::pow, x, node.build().constant(exponent)));
}

void number_to_power(NodeImport& node) {
  const TensorId base = argument(node, 0, "self"), exponent = node.tensor(1);
  node.result(0, node.build().binary(Scalar::pow, base, exponent));
}

// --- One operand ---

F::Node square(F& f, F::Node x, NodeImport&) { return f.multiply(x, x); }
F::Node is_nan(F& f, F::Node x, NodeImport&) { return unequal(f, x, x); }
F::Node is_infinite(F& f, F::Node x, NodeImport&) {
  return equal(f, f.apply(Scalar::absolute, x), f.constant(infinity));
}
F::Node sign_bit(F& f, F::Node x, NodeImport&) {
  const F::Node zero = f.constant(0), below = f.less(f.divide(f.constant(1), x), zero);
  return f.select(equal(f, x, zero), below, f.less(x, zero));
}

// The larger times sqrt(1 + q^2) with q the quotient, so that no square overflows.
F::Node hypotenuse(F& f, F::Node a, F::Node b) {
  const F::Node left = f.apply(Scalar::absolute, a), right = f.apply(Scalar::absolute, b);
  const F::Node large = f.apply(Scalar::maximum, left, right),
                quotient = f.divide(f.apply(Scalar::minimum, left, right), large);
  const F::Node root = f.apply(Scalar::sqrt, f.add(f.constant(1), f.multiply(quotient, quotient)));
  const F::Node known = f.add(equal(f, large, f.constant(0)), equal(f, large, f.constant(infinity)));
  return f.select(known, large, f.multiply(large, root));
}

// NaN gives way.
F::Node number_or(F& f, F::Node a, F::Node b, F::Node chosen) {
  return f.select(equal(f, a, a), f.select(equal(f, b, b), chosen, a), b);
}
F::Node greatest_number(F& f, F::Node a, F::Node b) {
  return number_or(f, a, b, f.apply(Scalar::maximum, a, b));
}
F::Node least_number(F& f, F::Node a, F::Node b) {
  return number_or(f, a, b, f.apply(Scalar::minimum, a, b));
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

// Types of few bits keep the lowest of them.
F::Node wrapped(F& f, F::Node x, const Bounds& bounds) {
  const F::Node count = f.constant(static_cast<float>(bounds.most - bounds.least + 1)),
                least = f.constant(static_cast<float>(bounds.least));
  return f.add(f.apply(Scalar::remainder, f.subtract(x, least), count), least);
}

void cast(NodeImport& node) {
  node.ignore({"layout", "device", "pin_memory", "non_blocking", "memory_format"});
  const std::string to = node.text("dtype", "");
  const DataType from = node.value(0).declared;
  const bool is_whole = to.starts_with("int") || to.starts_with("uint");
  if (!to.empty() && to != "float32" && to != "bfloat16" && to != "bool" && !is_whole)
    node.fail(fmt::format("to {}", to), Refusal::not_yet);
  const std::optional<DataType> narrow = narrow_whole(to);
  if (to == "uint8" && from != DataType::boolean && !is_floating(from))
    node.fail("to uint8, which wraps around", Refusal::not_yet);
  const TensorId x = node.tensor(0);
  F f;
  if (to == "bool" && from != DataType::boolean)
    return node.result(0, node.build().elementwise(f.finish(truth(f, f.input(0))), std::vector{x}));
  if (is_whole && is_floating(from)) {
    const F::Node cut = f.apply(Scalar::trunc, f.input(0));
    const F::Node root = narrow ? wrapped(f, cut, bounds_of(*narrow)) : cut;
    return node.result(0, node.build().elementwise(f.finish(root), std::vector{x}));
  }
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
    {"acos.default",            unary<Scalar::acos>},
    {"acosh.default",           unary<Scalar::acosh>},
    {"add.Scalar",              sum<false, false>},
    {"add.Tensor",              sum<false, false>},
    {"alias.default",           same},
    {"asin.default",            unary<Scalar::asin>},
    {"asinh.default",           unary<Scalar::asinh>},
    {"atan.default",            unary<Scalar::atan>},
    {"atan2.default",           binary<applied<Scalar::atan2>>},
    {"atanh.default",           unary<Scalar::atanh>},
    {"bitwise_and.Scalar",      of_truth<binary<both>>},
    {"bitwise_and.Tensor",      of_truth<binary<both>>},
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
    {"cos.default",             unary<Scalar::cos>},
    {"cosh.default",            unary<Scalar::cosh>},
    {"detach.default",          same},
    {"div.Scalar",              binary<applied<Scalar::divide>>},
    {"div.Scalar_mode",         divide_by_mode},
    {"div.Tensor",              binary<applied<Scalar::divide>>},
    {"div.Tensor_mode",         divide_by_mode},
    {"elu.default",             elu},
    {"eq.Scalar",               binary<applied<Scalar::equal>>},
    {"eq.Tensor",               binary<applied<Scalar::equal>>},
    {"erf.default",             unary<Scalar::erf>},
    {"erfc.default",            unary<Scalar::erfc>},
    {"exp.default",             unary<Scalar::exp>},
    {"exp2.default",            unary<Scalar::exp2>},
    {"expm1.default",           unary<Scalar::expm1>},
    {"floor.default",           unary<Scalar::floor>},
    {"fmax.default",            binary<greatest_number>},
    {"fmin.default",            binary<least_number>},
    {"fmod.Scalar",             binary<applied<Scalar::fmod>>},
    {"fmod.Tensor",             binary<applied<Scalar::fmod>>},
    {"ge.Scalar",               binary<at_least>},
    {"ge.Tensor",               binary<at_least>},
    {"gelu.default",            gelu},
    {"gt.Scalar",               binary<greater>},
    {"gt.Tensor",               binary<greater>},
    {"hardtanh.default",        hard_tanh},
    {"hypot.default",           binary<hypotenuse>},
    {"isinf.default",           by_formula<is_infinite>},
    {"isnan.default",           by_formula<is_nan>},
    {"le.Scalar",               binary<at_most>},
    {"le.Tensor",               binary<at_most>},
    {"leaky_relu.default",      leaky_relu},
    {"lift.default",            same},
    {"lift_fresh.default",      same},
    {"lift_fresh_copy.default", same},
    {"log.default",             unary<Scalar::log>},
    {"log10.default",           unary<Scalar::log10>},
    {"log1p.default",           unary<Scalar::log1p>},
    {"log2.default",            unary<Scalar::log2>},
    {"logical_and.default",     binary<both>},
    {"logical_not.default",     by_formula<logical_not>},
    {"logical_or.default",      binary<either>},
    {"logical_xor.default",     binary<one_of_two>},
    {"lt.Scalar",               binary<applied<Scalar::less>>},
    {"lt.Tensor",               binary<applied<Scalar::less>>},
    {"maximum.default",         binary<applied<Scalar::maximum>>},
    {"minimum.default",         binary<applied<Scalar::minimum>>},
    {"mul.Scalar",              binary<applied<Scalar::multiply>>},
    {"mul.Tensor",              binary<applied<Scalar::multiply>>},
    {"ne.Scalar",               binary<unequal>},
    {"ne.Tensor",               binary<unequal>},
    {"neg.default",             unary<Scalar::negate>},
    {"pow.Scalar",              number_to_power},
    {"pow.Tensor_Scalar",       power_of_number},
    {"pow.Tensor_Tensor",       binary<applied<Scalar::pow>>},
    {"reciprocal.default",      by_formula<reciprocal>},
    {"relu.default",            unary<Scalar::relu>},
    {"remainder.Scalar",        binary<applied<Scalar::remainder>>},
    {"remainder.Tensor",        binary<applied<Scalar::remainder>>},
    {"round.default",           by_formula<round>},
    {"rsqrt.default",           unary<Scalar::reciprocal_sqrt>},
    {"rsub.Scalar",             sum<true, true>},
    {"rsub.Tensor",             sum<true, true>},
    {"sigmoid.default",         unary<Scalar::sigmoid>},
    {"sign.default",            by_formula<sign>},
    {"signbit.default",         by_formula<sign_bit>},
    {"sin.default",             unary<Scalar::sin>},
    {"sinh.default",            unary<Scalar::sinh>},
    {"sqrt.default",            unary<Scalar::sqrt>},
    {"square.default",          by_formula<square>},
    {"sub.Scalar",              sum<true, false>},
    {"sub.Tensor",              sum<true, false>},
    {"tan.default",             unary<Scalar::tan>},
    {"tanh.default",            unary<Scalar::tanh>},
    {"trunc.default",           unary<Scalar::trunc>},
    {"where.self",              where},
};
// clang-format on

}  // namespace

std::span<const OpRow> aten_elementwise_rows() { return rows; }

}  // namespace dojo::onnx
