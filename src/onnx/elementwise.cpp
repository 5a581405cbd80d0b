// Operators that compute each element from the elements at the same place.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "onnx/formulas.h"

namespace dojo::onnx {

F::Node reciprocal(F& f, F::Node x, NodeImport&) { return f.divide(f.constant(1), x); }
F::Node ceiling(F& f, F::Node x, NodeImport&) { return f.negate(f.apply(graph::Scalar::floor, f.negate(x))); }
// A comparison with NaN is false: these let it pass as it is.
F::Node at_most(F& f, F::Node a, F::Node b) {
  return f.add(f.less(a, b), f.apply(graph::Scalar::equal, a, b));
}
F::Node sign(F& f, F::Node x, NodeImport&) {
  const F::Node zero = f.constant(0);
  return f.select(f.apply(graph::Scalar::equal, x, x), f.subtract(f.less(zero, x), f.less(x, zero)), x);
}
// To the nearest integer, halves to the even one. From 2^23 on all are integers, and infinity has no rest.
F::Node round(F& f, F::Node x, NodeImport&) {
  const F::Node low = f.apply(graph::Scalar::floor, x), rest = f.subtract(x, low), half = f.constant(0.5f);
  const F::Node below = f.multiply(f.constant(2), f.apply(graph::Scalar::floor, f.multiply(half, low)));
  const F::Node tie = f.multiply(f.apply(graph::Scalar::equal, rest, half), f.subtract(low, below));
  const F::Node has_rest = f.less(f.apply(graph::Scalar::absolute, x), f.constant(8388608));
  return f.select(has_rest, f.add(low, f.add(f.less(half, rest), tie)), low);
}
F::Node logical_not(F& f, F::Node x, NodeImport&) { return f.apply(graph::Scalar::equal, x, f.constant(0)); }

namespace {

// Before operator set 7 broadcasting had to be asked for; along an `axis` it had other rules, and is refused.
template <graph::Scalar op>
void binary(NodeImport& node) {
  if (node.opset() < 7) node.ignore({"broadcast"});
  const graph::TensorId a = node.tensor(0), b = node.tensor(1);
  node.result(0, node.build().binary(op, a, b));
}

// Of whole numbers toward zero.
void divide(NodeImport& node) {
  const graph::TensorId operands[] = {node.tensor(0), node.tensor(1)};
  graph::Formula f;
  graph::Formula::Node quotient = f.divide(f.input(0), f.input(1));
  if (node.bounds_of(0)) {
    const auto down = f.apply(graph::Scalar::floor, quotient);
    const auto up = f.negate(f.apply(graph::Scalar::floor, f.negate(quotient)));
    quotient = f.select(f.less(quotient, f.constant(0)), up, down);
  }
  node.result(0, node.build().elementwise(f.finish(quotient), operands));
}

void exclusive_or(NodeImport& node) {
  const graph::TensorId operands[] = {node.tensor(0), node.tensor(1)};
  graph::Formula f;
  const auto differ = f.subtract(f.constant(1), f.apply(graph::Scalar::equal, f.input(0), f.input(1)));
  node.result(0, node.build().elementwise(f.finish(differ), operands));
}

// Sum, Min, Max: any number of operands, from the left.
graph::TensorId folded(NodeImport& node, graph::Scalar op) {
  graph::TensorId result = node.tensor(0);
  for (std::size_t i = 1; i < node.operands(); ++i) result = node.build().binary(op, result, node.tensor(i));
  return result;
}

template <graph::Scalar op>
void variadic(NodeImport& node) {
  node.result(0, folded(node, op));
}

void mean(NodeImport& node) {
  const float count = static_cast<float>(node.operands());
  node.result(0, node.build().divide(folded(node, graph::Scalar::add), node.build().constant(count)));
}

F::Node softsign(F& f, F::Node x, NodeImport&) {
  return f.divide(x, f.add(f.constant(1), f.apply(graph::Scalar::absolute, x)));
}
F::Node thresholded_relu(F& f, F::Node x, NodeImport& node) {
  return f.select(at_most(f, x, f.constant(node.single("alpha", 1))), f.constant(0), x);
}
// max(0, x) + min(0, alpha * (exp(x / alpha) - 1)), with the exponent held below 0 so that it cannot
// overflow.
F::Node celu(F& f, F::Node x, NodeImport& node) {
  const F::Node alpha = f.constant(node.single("alpha", 1));
  const F::Node exponent = f.divide(f.apply(graph::Scalar::minimum, x, f.constant(0)), alpha);
  const F::Node below = f.multiply(alpha, f.subtract(f.apply(graph::Scalar::exp, exponent), f.constant(1)));
  return f.add(f.apply(graph::Scalar::relu, x), below);
}
F::Node hard_swish(F& f, F::Node x, NodeImport&) {
  const F::Node gate = f.add(f.divide(x, f.constant(6)), f.constant(0.5f));
  return f.multiply(x, f.apply(graph::Scalar::minimum, f.apply(graph::Scalar::relu, gate), f.constant(1)));
}
F::Node shrink(F& f, F::Node x, NodeImport& node) {
  const float bias = node.single("bias", 0), lambda = node.single("lambd", 0.5f);
  const F::Node low = f.select(f.less(x, f.constant(-lambda)), f.add(x, f.constant(bias)), f.constant(0));
  return f.select(f.less(f.constant(lambda), x), f.subtract(x, f.constant(bias)), low);
}
F::Node tell_nan(F& f, F::Node x, NodeImport&) {
  return f.subtract(f.constant(1), f.apply(graph::Scalar::equal, x, x));
}
F::Node tell_infinite(F& f, F::Node x, NodeImport& node) {
  constexpr float endless = std::numeric_limits<float>::infinity();
  const bool below = node.integer("detect_negative", 1) != 0, above = node.integer("detect_positive", 1) != 0;
  const F::Node found = below && above ? f.apply(graph::Scalar::absolute, x) : below ? f.negate(x) : x;
  if (!below && !above) return f.multiply(f.constant(0), f.less(x, x));
  return f.apply(graph::Scalar::equal, found, f.constant(endless));
}

void hard_sigmoid(NodeImport& node) {
  const float alpha = node.single("alpha", 0.2f), beta = node.single("beta", 0.5f);
  node.result(0, node.build().hard_sigmoid(node.tensor(0), alpha, beta));
}

void leaky_relu(NodeImport& node) {
  node.result(0, node.build().leaky_relu(node.tensor(0), node.single("alpha", 0.01f)));
}

void elu(NodeImport& node) { node.result(0, node.build().elu(node.tensor(0), node.single("alpha", 1))); }

void selu(NodeImport& node) {
  const float alpha = node.single("alpha", 1.67326319217681884765625f);
  const float gamma = node.single("gamma", 1.05070102214813232421875f);
  node.result(0, node.build().selu(node.tensor(0), alpha, gamma));
}

void softplus(NodeImport& node) { node.result(0, node.build().softplus(node.tensor(0))); }

void mish(NodeImport& node) {
  const graph::TensorId x = node.tensor(0);
  const graph::TensorId soft = node.build().softplus(x);
  node.result(0, node.build().multiply(x, node.build().tanh(soft)));
}

void gelu(NodeImport& node) {
  const std::string form = node.text("approximate", "none");
  if (form != "none" && form != "tanh")
    node.fail(fmt::format("approximate = '{}'", form), Refusal::unsupported);
  node.result(0, node.build().gelu(node.tensor(0), form == "tanh"));
}

// The slope has the shape of trailing dimensions of x, or of its channels as [c, 1, 1].
void prelu(NodeImport& node) {
  const graph::TensorId x = node.tensor(0);
  graph::TensorId slope = node.tensor(1);
  const graph::Shape shape = node.shape(0);
  // Before operator set 7 a vector of slopes belonged to the channels.
  if (node.opset() < 7 && shape.size() > 2 && node.shape(1) == graph::Shape{shape[1]} && shape[1] != 1) {
    std::vector<std::int64_t> axes(shape.size() - 2);
    std::iota(axes.begin(), axes.end(), 1);
    slope = node.build().unsqueeze(slope, axes);
  }
  graph::Formula f;
  const graph::Formula::Node in = f.input(0);
  const graph::Formula::Node root = f.select(f.less(in, f.constant(0)), f.multiply(f.input(1), in), in);
  const graph::TensorId operands[] = {x, slope};
  node.result(0, node.build().elementwise(f.finish(root), operands));
}

// x sigmoid(alpha x), and that times a second operand.
void swish(NodeImport& node) {
  const graph::TensorId x = node.tensor(0);
  graph::Builder& b = node.build();
  node.result(0, b.multiply(x, b.sigmoid(b.scale(x, node.single("alpha", 1)))));
}
void swiglu(NodeImport& node) {
  const graph::TensorId x = node.tensor(0), linear = node.tensor(1);
  graph::Builder& b = node.build();
  node.result(0, b.multiply(b.multiply(x, b.sigmoid(b.scale(x, node.single("alpha", 1)))), linear));
}

void clip(NodeImport& node) {
  constexpr float most = std::numeric_limits<float>::max();
  const bool by_attribute = node.opset() < 11;
  const float low = by_attribute ? node.single("min", -most) : node.operand_number(1, -most);
  const float high = by_attribute ? node.single("max", most) : node.operand_number(2, most);
  node.result(0, node.build().clip(node.tensor(0), low, high));
}

// Toward zero, in the type of the base. By floating-point numbers it may reach as far as a Cast of them.
void power_of_whole(NodeImport& node) {
  const graph::TensorId operands[] = {node.tensor(0), node.tensor(1)};
  graph::Formula f;
  const F::Node made = f.apply(graph::Scalar::trunc, f.apply(graph::Scalar::pow, f.input(0), f.input(1)));
  const graph::TensorId result = node.build().elementwise(f.finish(made), operands);
  const std::optional<Bounds> exponent = node.bounds_of(1);
  const DataType type = node.type_of(0);
  if (!exponent)
    return node.whole_result(0, result, type, wraps(type) ? Bounds{-far_away, far_away} : cut_numbers);
  const Bounds base = both(*node.bounds_of(0), {-1, 1});
  Bounds all = base;
  for (std::int64_t i = 1; i < exponent->most && all.are_exact(); ++i) all = both(all, product(all, base));
  if (node.bounds_of(0)->least >= 0) all.least = 0;
  node.whole_result(0, result, type, all);
}

// A known exponent that is the same everywhere becomes products or a square root.
void power(NodeImport& node) {
  if (node.bounds_of(0)) return power_of_whole(node);
  if (node.known(1) == nullptr) return binary<graph::Scalar::pow>(node);
  const std::vector<float> exponents = node.operand_floats(1);
  if (exponents.empty()) node.fail("the exponent has no elements");
  if (std::ranges::adjacent_find(exponents, std::not_equal_to()) != exponents.end())
    return binary<graph::Scalar::pow>(node);
  node.result(0, node.build().power(node.tensor(0), exponents[0]));
}

void modulo(NodeImport& node) {
  if (node.integer("fmod", 0) != 0) return binary<graph::Scalar::fmod>(node);
  if (!node.bounds_of(0) && node.opset() < 28)
    node.fail("fmod = 0 of floating-point numbers, which begins with operator set 28", Refusal::unsupported);
  binary<graph::Scalar::remainder>(node);
}

// Truth is 1, falsehood 0.
template <bool swapped, bool or_equal>
void compare(NodeImport& node) {
  const graph::TensorId operands[] = {node.tensor(swapped ? 1 : 0), node.tensor(swapped ? 0 : 1)};
  graph::Formula f;
  const graph::Formula::Node a = f.input(0), b = f.input(1);
  node.result(0, node.build().elementwise(f.finish(or_equal ? at_most(f, a, b) : f.less(a, b)), operands));
}

void where(NodeImport& node) {
  const graph::TensorId operands[] = {node.tensor(0), node.tensor(1), node.tensor(2)};
  graph::Formula f;
  const graph::Formula::Node root = f.select(f.input(0), f.input(1), f.input(2));
  node.result(0, node.build().elementwise(f.finish(root), operands));
}

// Exporters write equal initial values once and give the others an Identity: such a name is a variable of its
// own. (A weight that is meant to be shared is read under one name.)
void identity(NodeImport& node) {
  Value value = node.value(0);
  if (!value.initialiser.empty() && !node.is_frozen(value)) {
    value.initialiser = node.node().outputs.at(0);
    value.tensor = graph::no_tensor;
  }
  node.result(0, value);
}

void dropout(NodeImport& node) {
  node.ignore({"seed", "is_test"});
  const float ratio = node.opset() < 12 ? node.single("ratio", 0.5f) : node.operand_number(1, 0.5f);
  if (node.training() && ratio != 0)
    node.fail(
        fmt::format("ratio {} in training; exported after eval() and with optimize=False the network has "
                    "no dropout, and its batch norms train all the same",
                    ratio),
        Refusal::not_yet);
  if (node.has(2) && node.operand_number(2, 0) != 0 && ratio != 0)
    node.fail("training_mode", Refusal::not_yet);
  if (node.wants(1)) {  // of what is kept: all
    const graph::TensorId x = node.tensor(0);
    graph::Formula f;
    const F::Node kept =
        f.apply(graph::Scalar::maximum, f.apply(graph::Scalar::equal, f.input(0), f.input(0)), f.constant(1));
    node.whole_result(1, node.build().elementwise(f.finish(kept), std::span(&x, 1)), DataType::boolean,
                      {1, 1});
  }
  node.result(0, node.value(0));
}

// clang-format off
constexpr OpRow elementwise_table[] = {
    {"Abs",             unary<graph::Scalar::absolute>},
    {"Acos",            unary<graph::Scalar::acos>},
    {"Acosh",           unary<graph::Scalar::acosh>},
    {"Add",             binary<graph::Scalar::add>},
    {"And",             binary<graph::Scalar::multiply>},
    {"Asin",            unary<graph::Scalar::asin>},
    {"Asinh",           unary<graph::Scalar::asinh>},
    {"Atan",            unary<graph::Scalar::atan>},
    {"Atanh",           unary<graph::Scalar::atanh>},
    {"Ceil",            by_formula<ceiling>},
    {"Celu",            by_formula<celu>},
    {"Clip",            clip},
    {"Cos",             unary<graph::Scalar::cos>},
    {"Cosh",            unary<graph::Scalar::cosh>},
    {"Div",             divide},
    {"Dropout",         dropout},
    {"Elu",             elu},
    {"Equal",           binary<graph::Scalar::equal>},
    {"Erf",             unary<graph::Scalar::erf>},
    {"Exp",             unary<graph::Scalar::exp>},
    {"Floor",           unary<graph::Scalar::floor>},
    {"Gelu",            gelu},
    {"Greater",         compare<true, false>},
    {"GreaterOrEqual",  compare<true, true>},
    {"HardSigmoid",     hard_sigmoid},
    {"HardSwish",       by_formula<hard_swish>},
    {"Identity",        identity},
    {"IsInf",           by_formula<tell_infinite>},
    {"IsNaN",           by_formula<tell_nan>},
    {"LeakyRelu",       leaky_relu},
    {"Less",            compare<false, false>},
    {"LessOrEqual",     compare<false, true>},
    {"Log",             unary<graph::Scalar::log>},
    {"Max",             variadic<graph::Scalar::maximum>},
    {"Mean",            mean},
    {"Min",             variadic<graph::Scalar::minimum>},
    {"Mish",            mish},
    {"Mod",             modulo},
    {"Mul",             binary<graph::Scalar::multiply>},
    {"Neg",             unary<graph::Scalar::negate>},
    {"Not",             by_formula<logical_not>},
    {"Or",              binary<graph::Scalar::maximum>},
    {"PRelu",           prelu},
    {"Pow",             power},
    {"Reciprocal",      by_formula<reciprocal>},
    {"Relu",            unary<graph::Scalar::relu>},
    {"Round",           by_formula<round>},
    {"Selu",            selu},
    {"Shrink",          by_formula<shrink>},
    {"Sigmoid",         unary<graph::Scalar::sigmoid>},
    {"Sign",            by_formula<sign>},
    {"Sin",             unary<graph::Scalar::sin>},
    {"Sinh",            unary<graph::Scalar::sinh>},
    {"Softplus",        softplus},
    {"Softsign",        by_formula<softsign>},
    {"Sqrt",            unary<graph::Scalar::sqrt>},
    {"Sub",             binary<graph::Scalar::subtract>},
    {"Sum",             variadic<graph::Scalar::add>},
    {"SwiGLU",          swiglu},
    {"Swish",           swish},
    {"Tan",             unary<graph::Scalar::tan>},
    {"Tanh",            unary<graph::Scalar::tanh>},
    {"ThresholdedRelu", by_formula<thresholded_relu>},
    {"Where",           where},
    {"Xor",             exclusive_or},
};
// clang-format on

}  // namespace

std::span<const OpRow> elementwise_rows() { return elementwise_table; }

}  // namespace dojo::onnx
