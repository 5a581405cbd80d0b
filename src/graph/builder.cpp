// The builder's tensors, names and elementwise ops.
#include "graph/builder.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "graph/op_maker.h"

namespace dojo::graph {

Builder& Builder::name(std::string name, std::string origin) {
  name_ = name.empty() ? "op" : std::move(name);
  origin_ = std::move(origin);
  return *this;
}

void Builder::rename(TensorId tensor, std::string name) {
  const TensorId holder = graph_.find(name);
  if (holder == tensor) return;
  if (holder != no_tensor) refuse(graph_.name, "two tensors are called '{}'", name);
  graph_.rename(tensor, std::move(name));
  tensor_names_ = {};  // the name that it had is free
}

std::string Builder::fresh_op_name() {
  return op_names_.pick(name_, [&](const std::string& name) { return graph_.has_op(name); });
}

std::string Builder::fresh_tensor_name(const std::string& wish) {
  return tensor_names_.pick(wish, [&](const std::string& name) { return graph_.find(name) != no_tensor; });
}

namespace {

Tensor tensor_of(std::string name, Shape shape, Role role, std::vector<float> data = {}) {
  Tensor tensor;
  tensor.name = std::move(name);
  tensor.shape = std::move(shape);
  tensor.role = role;
  tensor.data = std::move(data);
  for (const std::int64_t extent : tensor.shape) {
    if (extent < 1) refuse(tensor.name, "a tensor's extents must be at least 1, not {}", extent);
  }
  return tensor;
}

Tensor with_data(std::string name, Shape shape, Role role, std::vector<float> data) {
  const auto count = static_cast<std::size_t>(element_count(shape));
  if (data.size() != count) refuse(name, "holds {} values where its shape needs {}", data.size(), count);
  return tensor_of(std::move(name), std::move(shape), role, std::move(data));
}

}  // namespace

TensorId Builder::input(std::string name, Shape shape) {
  if (shape.empty()) refuse(name, "an input needs a batch dimension");
  Tensor tensor = tensor_of(std::move(name), std::move(shape), Role::input);
  tensor.has_batch = true;
  return graph_.add(std::move(tensor));
}

TensorId Builder::label(std::string name, Shape shape) {
  const TensorId id = input(std::move(name), std::move(shape));
  graph_.at(id).role = Role::label;
  return id;
}

TensorId Builder::parameter(std::string name, Shape shape, std::vector<float> data) {
  return graph_.add(with_data(std::move(name), std::move(shape), Role::parameter, std::move(data)));
}

TensorId Builder::state(std::string name, Shape shape, std::vector<float> data) {
  return graph_.add(with_data(std::move(name), std::move(shape), Role::state, std::move(data)));
}

TensorId Builder::scalar(std::string name) {
  return graph_.add(tensor_of(std::move(name), {}, Role::scalar));
}

TensorId Builder::constant(std::string name, Shape shape, std::vector<float> data) {
  return graph_.add(with_data(std::move(name), std::move(shape), Role::constant, std::move(data)));
}

TensorId Builder::constant(float value) {
  std::string name = fmt::format("constant.{}", value);
  const TensorId known = graph_.find(name);
  return known != no_tensor ? known : constant(std::move(name), {}, {value});
}

namespace {

// The common shape of all operands under NumPy's rule; refuses extents that differ and are not 1.
Shape broadcast(const Graph& graph, const std::string& op, std::span<const TensorId> operands) {
  Shape shape;
  for (const TensorId operand : operands)
    shape.resize(std::max(shape.size(), graph.at(operand).shape.size()), 1);
  for (const TensorId operand : operands) {
    const Shape& own = graph.at(operand).shape;
    const std::size_t lead = shape.size() - own.size();
    for (std::size_t d = 0; d < own.size(); ++d) {
      std::int64_t& extent = shape[lead + d];
      if (own[d] != 1 && extent != 1 && own[d] != extent) {
        refuse(op, "'{}' has the shape [{}], which does not fit extent {} in dimension {}",
               graph.at(operand).name, fmt::join(own, ", "), extent, lead + d);
      }
      extent = std::max(extent, own[d]);
    }
  }
  return shape;
}

bool is_plain_constant(const Tensor& tensor) { return tensor.role == Role::constant && tensor.shape.empty(); }

}  // namespace

TensorId Builder::elementwise(const Expression& body, std::span<const TensorId> operands) {
  OpMaker op(*this);
  const Shape shape = broadcast(graph_, name_, operands);
  const bool batched =
      std::ranges::any_of(operands, [&](TensorId operand) { return graph_.at(operand).has_batch; });
  std::vector<Index> out;
  for (std::size_t d = 0; d < shape.size(); ++d)
    out.push_back(Index::along(op.axis(fmt::format("d{}", d), shape[d])));
  Formula formula;
  std::vector<Formula::Node> arguments;
  std::vector<std::pair<TensorId, Formula::Node>> known;
  const std::vector<std::int32_t> used = inputs_used(body);
  for (std::size_t k = 0; k < operands.size(); ++k) {
    const TensorId operand = operands[k];
    const Tensor& tensor = graph_.at(operand);
    if (!std::binary_search(used.begin(), used.end(), static_cast<std::int32_t>(k))) {
      arguments.push_back(-1);
      continue;
    }
    const auto same =
        std::find_if(known.begin(), known.end(), [&](const auto& pair) { return pair.first == operand; });
    if (same != known.end()) {
      arguments.push_back(same->second);
      continue;
    }
    if (is_plain_constant(tensor)) {
      arguments.push_back(formula.constant(tensor.data[0]));
      continue;
    }
    std::vector<Index> map;
    const std::size_t lead = shape.size() - tensor.shape.size();
    for (std::size_t d = 0; d < tensor.shape.size(); ++d) {
      // An extent of 1 is not a batch of 1.
      const bool one = batched && lead + d == 0 && !tensor.has_batch && tensor.shape[d] == 1;
      const bool stretched = one || tensor.shape[d] != shape[lead + d];
      map.push_back(stretched ? Index::fixed(0) : Index::along(lead + d));
    }
    arguments.push_back(formula.input(op.read(operand, std::move(map))));
    known.emplace_back(operand, arguments.back());
  }
  return op.write(shape, out, Reduction::none, formula.finish(formula.insert(body, arguments)));
}

TensorId Builder::unary(Scalar op, TensorId a) {
  Formula f;
  return elementwise(f.finish(f.apply(op, f.input(0))), std::vector{a});
}

TensorId Builder::binary(Scalar op, TensorId a, TensorId b) {
  Formula f;
  return elementwise(f.finish(f.apply(op, f.input(0), f.input(1))), std::vector{a, b});
}

TensorId Builder::leaky_relu(TensorId a, float slope) {
  if (slope == 0) return relu(a);  // a product with 0 would be taken for 0, NaN or not
  Formula f;
  const auto x = f.input(0), zero = f.constant(0);
  return elementwise(f.finish(f.select(f.less(zero, x), x, f.multiply(f.constant(slope), x))),
                     std::vector{a});
}

TensorId Builder::elu(TensorId a, float alpha) { return selu(a, alpha, 1); }

TensorId Builder::selu(TensorId a, float alpha, float gamma) {
  if (alpha == 0) return scale(relu(a), gamma);
  Formula f;
  const auto x = f.input(0), zero = f.constant(0);
  // The exponential of a large x would be infinite, and its derivative NaN, on the side that is not chosen.
  const auto safe = f.apply(Scalar::minimum, x, zero);
  const auto below = f.multiply(f.constant(alpha), f.subtract(f.apply(Scalar::exp, safe), f.constant(1)));
  return elementwise(f.finish(f.multiply(f.constant(gamma), f.select(f.less(zero, x), x, below))),
                     std::vector{a});
}

TensorId Builder::softplus(TensorId a) {
  Formula f;
  const auto x = f.input(0);
  const auto e = f.apply(Scalar::exp, f.negate(f.apply(Scalar::absolute, x)));
  return elementwise(f.finish(f.add(f.apply(Scalar::relu, x), f.apply(Scalar::log, f.add(f.constant(1), e)))),
                     std::vector{a});
}

TensorId Builder::gelu(TensorId a, bool tanh_form) {
  Formula f;
  const auto x = f.input(0), one = f.constant(1), half = f.constant(0.5f);
  Formula::Node gate;
  if (tanh_form) {
    const auto cube = f.multiply(f.multiply(x, x), x);
    const auto inner = f.add(x, f.multiply(f.constant(0.044715f), cube));
    gate = f.apply(Scalar::tanh, f.multiply(f.constant(std::sqrt(2 / std::numbers::pi_v<float>)), inner));
  } else {
    gate = f.apply(Scalar::erf, f.multiply(f.constant(std::numbers::sqrt2_v<float> / 2), x));
  }
  return elementwise(f.finish(f.multiply(f.multiply(half, x), f.add(one, gate))), std::vector{a});
}

TensorId Builder::hard_sigmoid(TensorId a, float alpha, float beta) {
  Formula f;
  const auto line = f.add(f.multiply(f.constant(alpha), f.input(0)), f.constant(beta));
  const auto capped = f.apply(Scalar::minimum, line, f.constant(1));
  return elementwise(f.finish(f.apply(Scalar::maximum, capped, f.constant(0))), std::vector{a});
}

TensorId Builder::clip(TensorId a, float low, float high) {
  Formula f;
  const auto raised = f.apply(Scalar::maximum, f.input(0), f.constant(low));
  return elementwise(f.finish(f.apply(Scalar::minimum, raised, f.constant(high))), std::vector{a});
}

TensorId Builder::power(TensorId a, float exponent) {
  Formula f;
  const auto x = f.input(0);
  auto result = f.constant(1);
  const float size = std::fabs(exponent);
  if (size == 0.5f) {
    result = f.apply(exponent < 0 ? Scalar::reciprocal_sqrt : Scalar::sqrt, x);
  } else if (size <= 8 && size == std::floor(size)) {
    for (int k = 0; k < static_cast<int>(size); ++k) result = f.multiply(result, x);
    if (exponent < 0) result = f.divide(f.constant(1), result);
  } else {
    result = f.apply(Scalar::pow, x, f.constant(exponent));
  }
  return elementwise(f.finish(result), std::vector{a});
}

TensorId Builder::scale(TensorId a, float factor) { return multiply(a, constant(factor)); }

}  // namespace dojo::graph
