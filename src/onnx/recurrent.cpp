// RNN, GRU and LSTM: one turn for each element of the sequence, built one behind the other.
//
// Inside, everything has the samples first: x [n, t, in], states [n, h]. With W and R stacked by gates,
//
//   RNN   h' = f(W x + R h + b)
//   GRU   z = f(..), r = f(..), c = g(W x + R (r h) + b) or g(W x + b_w + r (R h + b_r)), h' = (1 - z) c + z
//   h LSTM  i = f(.. + P c), o = f(.. + P c'), f = f(.. + P c), c' = f c + i g(..), h' = o h(c')
//
// Behind the end of a sample's own sequence its states stay as they are, and its results are 0.
#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "onnx/formulas.h"
#include "onnx/node.h"

namespace dojo::onnx {
namespace {

using graph::Scalar;
using graph::Shape;
using graph::TensorId;

enum class Kind : std::uint8_t { rnn, gru, lstm };
struct KindRow {
  std::string_view op;
  Kind kind;
  std::int64_t gates;
  std::vector<std::string> activations;
};

const KindRow& kind_of(std::string_view op) {
  static const std::array<KindRow, 3> rows = {{{"RNN", Kind::rnn, 1, {"Tanh"}},
                                               {"GRU", Kind::gru, 3, {"Sigmoid", "Tanh"}},
                                               {"LSTM", Kind::lstm, 4, {"Sigmoid", "Tanh", "Tanh"}}}};
  return *std::ranges::find(rows, op, &KindRow::op);
}

struct Given {
  enum Operand : std::uint8_t {
    input,
    weights,
    recurrence,
    biases,
    lengths,
    first_state,
    first_cell,
    peepholes
  };
};

// --- Activations ---

struct Activation {
  std::string name;
  float alpha = 0, beta = 0;
};

F::Node apply(F& f, F::Node x, const Activation& how, NodeImport& node) {
  const F::Node alpha = f.constant(how.alpha), beta = f.constant(how.beta), zero = f.constant(0);
  const auto below_zero = [&](F::Node below) { return f.select(f.less(x, zero), below, x); };
  if (how.name == "Tanh") return f.apply(Scalar::tanh, x);
  if (how.name == "Sigmoid") return f.apply(Scalar::sigmoid, x);
  if (how.name == "Relu") return f.apply(Scalar::relu, x);
  if (how.name == "Affine") return f.add(f.multiply(alpha, x), beta);
  if (how.name == "LeakyRelu") return below_zero(f.multiply(alpha, x));
  if (how.name == "ThresholdedRelu") return f.select(f.less(x, alpha), zero, x);
  if (how.name == "ScaledTanh") return f.multiply(alpha, f.apply(Scalar::tanh, f.multiply(beta, x)));
  if (how.name == "HardSigmoid")
    return f.apply(Scalar::minimum, f.apply(Scalar::relu, f.add(f.multiply(alpha, x), beta)), f.constant(1));
  if (how.name == "Elu")
    return below_zero(f.multiply(alpha, f.apply(Scalar::expm1, f.apply(Scalar::minimum, x, zero))));
  if (how.name == "Softsign") return f.divide(x, f.add(f.constant(1), f.apply(Scalar::absolute, x)));
  if (how.name == "Softplus")
    return f.add(f.apply(Scalar::relu, x),
                 f.apply(Scalar::log1p, f.apply(Scalar::exp, f.negate(f.apply(Scalar::absolute, x)))));
  node.fail(fmt::format("activation '{}'", how.name));
}

// What the standard gives each where nothing is said.
Activation with_defaults(std::string name) {
  Activation made{std::move(name)};
  if (made.name == "LeakyRelu") made.alpha = 0.01f;
  if (made.name == "ThresholdedRelu" || made.name == "Elu" || made.name == "Affine" ||
      made.name == "ScaledTanh")
    made.alpha = 1;
  if (made.name == "ScaledTanh") made.beta = 1;
  if (made.name == "HardSigmoid") made.alpha = 0.2f, made.beta = 0.5f;
  return made;
}

std::vector<Activation> activations_of(NodeImport& node, const KindRow& row, std::size_t directions) {
  std::vector<std::string> names;
  for (std::size_t d = 0; d < directions; ++d)
    names.insert(names.end(), row.activations.begin(), row.activations.end());
  if (const Attribute* given = node.attribute("activations")) names = given->strings;
  if (names.size() != directions * row.activations.size())
    node.fail(fmt::format("{} activations for {}", names.size(), directions * row.activations.size()));
  std::vector<Activation> made;
  for (const std::string& name : names) made.push_back(with_defaults(name));
  const auto set = [&](std::string_view attribute, float Activation::* which) {
    const Attribute* given = node.attribute(attribute);
    for (std::size_t i = 0; given != nullptr && i < std::min(given->singles.size(), made.size()); ++i)
      made[i].*which = given->singles[i];
  };
  set("activation_alpha", &Activation::alpha), set("activation_beta", &Activation::beta);
  return made;
}

// --- One direction ---

struct States {
  std::optional<TensorId> hidden, cell;  // none: 0
};

class Direction {
public:
  Direction(NodeImport& node, const KindRow& row, std::int64_t hidden, std::vector<Activation> activations)
      : node_(node),
        b_(node.build()),
        row_(row),
        hidden_(hidden),
        activations_(std::move(activations)),
        clip_(node.single("clip", 0)) {
    after_reset_ = row.kind == Kind::gru && node.integer("linear_before_reset", 0) != 0;
    coupled_ = row.kind == Kind::lstm && node.integer("input_forget", 0) != 0;
  }

  // `number`: which of the operands' directions.
  void read(std::int64_t number) {
    const std::int64_t width = row_.gates * hidden_;
    weights_ = part(Given::weights, number, Draw::uniform(node_.shape(Given::weights).at(2)));
    recurrence_ = part(Given::recurrence, number, Draw::uniform(hidden_));
    if (node_.has(Given::biases)) {
      const TensorId both = part(Given::biases, number, Draw::fill(0));
      const TensorId own = b_.slice(both, 0, 0, width), recurrent = b_.slice(both, 0, width, 2 * width);
      bias_ = after_reset_ ? own : b_.add(own, recurrent);
      if (after_reset_) recurrent_bias_ = recurrent;
    }
    if (node_.has(Given::peepholes)) peepholes_ = part(Given::peepholes, number, Draw::fill(0));
  }

  TensorId of_inputs(TensorId x) {  // W x + b of all elements at once: [n, t, gates * h]
    const TensorId product = b_.matmul(x, weights_, false, true);
    return bias_ ? b_.add(product, *bias_) : product;
  }

  States turn(TensorId x, const States& old) {
    if (row_.kind == Kind::gru) return gru(x, old);
    TensorId sums = x;
    if (old.hidden) sums = b_.add(x, b_.matmul(*old.hidden, recurrence_, false, true));
    return row_.kind == Kind::rnn ? States{activated(sums, 0), {}} : lstm(sums, old);
  }

private:
  TensorId part(std::size_t operand, std::int64_t number, Draw draw) {
    const TensorId all = node_.tensor(operand, draw);
    Shape shape = b_.shape(all);
    shape.erase(shape.begin());
    return b_.reshape(b_.slice(all, 0, number, number + 1), shape);
  }
  TensorId gate(TensorId sums, std::int64_t number) {
    return b_.slice(sums, -1, number * hidden_, (number + 1) * hidden_);
  }
  TensorId activated(TensorId x, std::size_t which) {
    F f;
    F::Node in = f.input(0);
    if (clip_ > 0)
      in = f.apply(Scalar::minimum, f.apply(Scalar::maximum, in, f.constant(-clip_)), f.constant(clip_));
    return b_.elementwise(f.finish(apply(f, in, activations_[which], node_)), std::span(&x, 1));
  }
  TensorId peeked(TensorId sums, std::int64_t number, std::optional<TensorId> cell) {
    if (!peepholes_ || !cell) return sums;
    const TensorId own = b_.slice(*peepholes_, 0, number * hidden_, (number + 1) * hidden_);
    return b_.add(sums, b_.multiply(own, *cell));
  }

  States gru(TensorId x, const States& old) {
    const auto recurrent = [&](std::int64_t first, std::int64_t last, TensorId state) {
      const TensorId rows = b_.slice(recurrence_, 0, first * hidden_, last * hidden_);
      return b_.matmul(state, rows, false, true);
    };
    TensorId opened = b_.slice(x, -1, 0, 2 * hidden_), candidate = gate(x, 2);
    if (old.hidden) opened = b_.add(opened, recurrent(0, 2, *old.hidden));
    if (recurrent_bias_) opened = b_.add(opened, b_.slice(*recurrent_bias_, 0, 0, 2 * hidden_));
    const TensorId keep = activated(gate(opened, 0), 0), reset = activated(gate(opened, 1), 0);
    if (after_reset_) {
      std::optional<TensorId> inner;
      if (old.hidden) inner = recurrent(2, 3, *old.hidden);
      if (recurrent_bias_) {
        const TensorId own = gate(*recurrent_bias_, 2);
        inner = inner ? b_.add(*inner, own) : own;
      }
      if (inner) candidate = b_.add(candidate, b_.multiply(reset, *inner));
    } else if (old.hidden) {
      candidate = b_.add(candidate, recurrent(2, 3, b_.multiply(reset, *old.hidden)));
    }
    candidate = activated(candidate, 1);
    F f;
    const F::Node fresh = f.multiply(f.subtract(f.constant(1), f.input(0)), f.input(1));
    if (!old.hidden) return {b_.elementwise(f.finish(fresh), std::vector{keep, candidate}), {}};
    const F::Node whole = f.add(fresh, f.multiply(f.input(0), f.input(2)));
    return {b_.elementwise(f.finish(whole), std::vector{keep, candidate, *old.hidden}), {}};
  }

  States lstm(TensorId sums, const States& old) {
    const TensorId in = activated(peeked(gate(sums, 0), 0, old.cell), 0);
    TensorId cell = b_.multiply(in, activated(gate(sums, 3), 1));
    if (old.cell) {
      const TensorId forget =
          coupled_ ? b_.subtract(b_.constant(1), in) : activated(peeked(gate(sums, 2), 2, old.cell), 0);
      cell = b_.add(b_.multiply(forget, *old.cell), cell);
    }
    const TensorId out = activated(peeked(gate(sums, 1), 1, cell), 0);
    return {b_.multiply(out, activated(cell, 2)), cell};
  }

  NodeImport& node_;
  graph::Builder& b_;
  const KindRow& row_;
  std::int64_t hidden_;
  std::vector<Activation> activations_;
  float clip_;
  bool after_reset_ = false, coupled_ = false;
  TensorId weights_ = graph::no_tensor, recurrence_ = graph::no_tensor;
  std::optional<TensorId> bias_, recurrent_bias_, peepholes_;
};

// --- Sequences ---

// Operand i with the samples first, which it has in dimension 1 or, with layout 1, in dimension 0.
TensorId samples_first(NodeImport& node, std::size_t i, bool is_first) {
  if (is_first) return node.tensor(i);
  if (node.has_batch(i)) {
    const View& view = node.view_of(i);
    if (view.dimension != 1 || view.is_group())
      node.fail(fmt::format("'{}' with the batch elsewhere than in dimension 1", node.node().inputs[i]),
                Refusal::unsupported);
    return node.as_it_lies(i);
  }
  return node.build().transpose(node.tensor(i), {1, 0, 2});
}

bool is_all_zero(const Known* known) {
  return known != nullptr && !known->is_integer &&
         std::ranges::all_of(known->floats, [](float v) { return v == 0; });
}

struct Sequence {
  TensorId x;                       // [n, t, in]
  std::optional<TensorId> lengths;  // [n, 1]; none: all as long as it is
  bool samples_first = false;
  std::int64_t turns = 0;
};

Sequence sequence_of(NodeImport& node) {
  if (node.shape(Given::input).size() != 3) node.fail("needs three dimensions");
  Sequence made;
  made.samples_first = node.integer("layout", 0) != 0;
  made.x = samples_first(node, Given::input, made.samples_first);
  const Shape shape = node.build().shape(made.x);
  made.turns = shape[1];
  if (made.turns > most_turns)
    node.fail(fmt::format("{} elements of a sequence, more than {}", made.turns, most_turns),
              Refusal::not_yet);
  if (!node.has(Given::lengths)) return made;
  const Known* known = node.known(Given::lengths);
  const bool all_whole =
      known != nullptr && known->is_integer &&
      std::ranges::all_of(known->integers, [&](std::int64_t v) { return v == made.turns; });
  if (!all_whole) made.lengths = node.build().reshape(node.numbers(Given::lengths), {shape[0], 1});
  return made;
}

// What was made of an element within the sample's own sequence, else what was there.
TensorId within(graph::Builder& b, const Sequence& sequence, std::int64_t turn, TensorId made,
                std::optional<TensorId> otherwise) {
  if (!sequence.lengths) return made;
  F f;
  const F::Node there = f.less(f.constant(static_cast<float>(turn)), f.input(0));
  std::vector<TensorId> operands = {*sequence.lengths, made};
  if (otherwise) operands.push_back(*otherwise);
  const F::Node other = otherwise ? f.input(2) : f.constant(0);
  return b.elementwise(f.finish(f.select(there, f.input(1), other)), operands);
}

std::optional<TensorId> first_of(NodeImport& node, std::size_t operand, const Sequence& sequence,
                                 std::int64_t number) {
  if (!node.has(operand) || is_all_zero(node.known(operand))) return std::nullopt;
  graph::Builder& b = node.build();
  const TensorId all = samples_first(node, operand, sequence.samples_first);
  return b.squeeze(b.slice(all, 1, number, number + 1), {1});
}

struct Run {
  std::vector<TensorId> results;  // of every element, [n, h]
  States last;
};

Run run(NodeImport& node, Direction& direction, const Sequence& sequence, std::int64_t number,
        bool backwards) {
  graph::Builder& b = node.build();
  direction.read(number);
  const TensorId sums = direction.of_inputs(sequence.x);
  Run made;
  made.last = {first_of(node, Given::first_state, sequence, number),
               first_of(node, Given::first_cell, sequence, number)};
  for (std::int64_t k = 0; k < sequence.turns; ++k) {
    const std::int64_t turn = backwards ? sequence.turns - 1 - k : k;
    const TensorId x = b.squeeze(b.slice(sums, 1, turn, turn + 1), {1});
    const States next = direction.turn(x, made.last);
    made.results.push_back(within(b, sequence, turn, *next.hidden, std::nullopt));
    made.last.hidden = within(b, sequence, turn, *next.hidden, made.last.hidden);
    if (next.cell) made.last.cell = within(b, sequence, turn, *next.cell, made.last.cell);
  }
  if (backwards) std::ranges::reverse(made.results);
  return made;
}

// A result that has the samples first here, and in the standard in dimension `batch_at` unless layout is 1.
void finish(NodeImport& node, std::size_t i, TensorId made, const Sequence& sequence, std::size_t batch_at) {
  graph::Builder& b = node.build();
  if (sequence.samples_first) return node.result(i, made);
  if (b.graph().at(made).has_batch) return node.result(i, made, View{batch_at});
  std::vector<std::int64_t> order;
  for (std::size_t d = 1; d < b.shape(made).size(); ++d) order.push_back(static_cast<std::int64_t>(d));
  order.insert(order.begin() + static_cast<std::ptrdiff_t>(batch_at), 0);
  node.result(i, b.transpose(made, order));
}

void recurrent(NodeImport& node) {
  const KindRow& row = kind_of(node.node().op);
  graph::Builder& b = node.build();
  const std::string direction = node.text("direction", "forward");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional")
    node.fail(fmt::format("direction = '{}'", direction));
  const std::int64_t directions = direction == "bidirectional" ? 2 : 1;
  const Shape of_r = node.shape(Given::recurrence), of_w = node.shape(Given::weights);
  if (of_r.size() != 3 || of_w.size() != 3) node.fail("needs weights of three dimensions");
  const std::int64_t hidden = node.integer("hidden_size", of_r[2]);
  if (of_r != Shape{directions, row.gates * hidden, hidden} || of_w[0] != directions || of_w[1] != of_r[1])
    node.fail(fmt::format("weights [{}] and [{}] for {} directions of {}", fmt::join(of_w, ", "),
                          fmt::join(of_r, ", "), directions, hidden));
  const std::vector<Activation> all = activations_of(node, row, static_cast<std::size_t>(directions));
  const Sequence sequence = sequence_of(node);
  std::vector<TensorId> results, hiddens, cells;
  for (std::int64_t d = 0; d < directions; ++d) {
    const auto first = all.begin() + d * static_cast<std::ptrdiff_t>(row.activations.size());
    Direction one(node, row, hidden, {first, first + static_cast<std::ptrdiff_t>(row.activations.size())});
    Run made = run(node, one, sequence, d, d == 1 || direction == "reverse");
    for (TensorId& tensor : made.results) tensor = b.unsqueeze(tensor, {1, 2});
    if (node.wants(0))
      results.push_back(made.results.size() == 1 ? made.results[0] : b.concat(made.results, 1));
    hiddens.push_back(b.unsqueeze(*made.last.hidden, {1}));
    if (made.last.cell) cells.push_back(b.unsqueeze(*made.last.cell, {1}));
  }
  const auto joined = [&](const std::vector<TensorId>& parts, std::int64_t axis) {
    return parts.size() == 1 ? parts[0] : b.concat(parts, axis);
  };
  if (node.wants(0)) finish(node, 0, joined(results, 2), sequence, 2);
  if (node.wants(1)) finish(node, 1, joined(hiddens, 1), sequence, 1);
  if (node.wants(2) && !cells.empty()) finish(node, 2, joined(cells, 1), sequence, 1);
}

constexpr OpRow recurrent_table[] = {
    {"GRU", recurrent},
    {"LSTM", recurrent},
    {"RNN", recurrent},
};

}  // namespace

std::span<const OpRow> recurrent_rows() { return recurrent_table; }

}  // namespace dojo::onnx
