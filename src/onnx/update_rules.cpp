// Optimizers as nodes of a graph (ai.onnx.preview.training): operands R, T, then for every kind of tensor
// all of them, of which the first are the tensors to be optimized and the second their gradients.
#include "onnx/formulas.h"
#include "onnx/node.h"

namespace dojo::onnx {
namespace {

using graph::Scalar;
using graph::TensorId;

// Operands of the formulas: R, T, X, G and the states.
struct UpdateRule {
  F f;
  NodeImport& node;

  F::Node rate() { return f.input(0); }
  F::Node step() { return f.input(1); }
  F::Node state(std::int32_t which) { return f.input(4 + which); }
  F::Node number(std::string_view name, float otherwise) { return f.constant(node.single(name, otherwise)); }
  F::Node gradient() { return f.add(f.multiply(number("norm_coefficient", 0), f.input(2)), f.input(3)); }
  F::Node started() { return f.less(f.constant(0), step()); }
};

using Results = std::vector<F::Node>;

Results adagrad(UpdateRule& r) {
  F& f = r.f;
  const F::Node slowed = f.add(f.constant(1), f.multiply(r.step(), r.number("decay_factor", 0)));
  const F::Node gradient = r.gradient(), squares = f.add(r.state(0), f.multiply(gradient, gradient));
  const F::Node root = f.add(f.apply(Scalar::sqrt, squares), r.number("epsilon", 1e-6f));
  return {f.subtract(f.input(2), f.divide(f.multiply(f.divide(r.rate(), slowed), gradient), root)), squares};
}

Results adam(UpdateRule& r) {
  F& f = r.f;
  const F::Node alpha = r.number("alpha", 0.9f), beta = r.number("beta", 0.999f), one = f.constant(1);
  const F::Node gradient = r.gradient();
  const F::Node mean = f.add(f.multiply(alpha, r.state(0)), f.multiply(f.subtract(one, alpha), gradient));
  const F::Node square = f.multiply(gradient, gradient);
  const F::Node squares = f.add(f.multiply(beta, r.state(1)), f.multiply(f.subtract(one, beta), square));
  const auto missing = [&](F::Node base) { return f.subtract(one, f.apply(Scalar::pow, base, r.step())); };
  const F::Node corrected =
      f.divide(f.multiply(r.rate(), f.apply(Scalar::sqrt, missing(beta))), missing(alpha));
  const F::Node rate = f.select(r.started(), corrected, r.rate());
  const F::Node root = f.add(f.apply(Scalar::sqrt, squares), r.number("epsilon", 1e-6f));
  const F::Node made = f.subtract(f.input(2), f.multiply(rate, f.divide(mean, root)));
  return {f.multiply(f.subtract(one, r.number("norm_coefficient_post", 0)), made), mean, squares};
}

Results momentum(UpdateRule& r) {
  F& f = r.f;
  const std::string mode = r.node.text("mode", "");
  if (mode != "standard" && mode != "nesterov") r.node.fail(fmt::format("mode = '{}'", mode));
  const F::Node alpha = r.number("alpha", 0), gradient = r.gradient();
  const F::Node share = f.select(r.started(), r.number("beta", 0), f.constant(1));
  const F::Node mean = f.add(f.multiply(alpha, r.state(0)), f.multiply(share, gradient));
  const F::Node way = mode == "standard" ? mean : f.add(gradient, f.multiply(alpha, mean));
  return {f.subtract(f.input(2), f.multiply(r.rate(), way)), mean};
}

template <Results (*rule)(UpdateRule&), std::size_t kinds>
void updated(NodeImport& node) {
  if (node.operands() < 2 + kinds || (node.operands() - 2) % kinds != 0)
    node.fail(fmt::format("{} operands, not R, T and {} for each tensor", node.operands(), kinds));
  const std::size_t tensors = (node.operands() - 2) / kinds;
  for (std::size_t i = 0; i < tensors; ++i) {
    std::vector<TensorId> operands = {node.tensor(0), node.tensor(1)};
    for (std::size_t kind = 0; kind < kinds; ++kind) operands.push_back(node.tensor(2 + kind * tensors + i));
    UpdateRule made{{}, node};
    const Results results = rule(made);
    for (std::size_t k = 0; k < results.size(); ++k) {
      const TensorId result = node.build().elementwise(made.f.finish(results[k]), operands);
      node.result(k * tensors + i, result);
    }
  }
}

// clang-format off
constexpr OpRow update_table[] = {
    {"ai.onnx.preview.training.Adagrad",  updated<adagrad, 3>},
    {"ai.onnx.preview.training.Adam",     updated<adam, 4>},
    {"ai.onnx.preview.training.Momentum", updated<momentum, 3>},
};
// clang-format on

}  // namespace

std::span<const OpRow> update_rows() { return update_table; }

}  // namespace dojo::onnx
