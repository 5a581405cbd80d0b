// Attention, and the rotation of its heads by their positions, as ONNX defines both since operator set 23.
//
// With heads as [b, h, q, d] and keys as [b, h, k, d]:
//
//   scores = softcap * tanh(Q K' scale / softcap)        or Q K' scale without a soft cap
//   seen   = scores + mask where every condition lets query i see key j, else -infinity
//   Y      = softmax(seen) V, and 0 for a query that sees no key
//
// Conditions are a mask of truth values, causality (j <= i + before), windows (before + i - left <= j <=
// before + i + right) and keys that are there (j < nonpad_kv_seqlen), where `before` keys precede the first
// query.
#include <cmath>
#include <limits>
#include <vector>

#include "graph/expression.h"
#include "onnx/heads.h"
#include "onnx/node.h"

namespace dojo::onnx {
namespace {

using graph::Shape;
using graph::TensorId;
using F = graph::Formula;

constexpr float infinity = std::numeric_limits<float>::infinity();

enum Operand : std::uint8_t { query, key, value, mask, past_key, past_value, nonpad };
enum Output : std::uint8_t { result, present_key, present_value, scores_output };
enum class Shown : std::uint8_t { products, capped, masked, weights };  // of qk_matmul_output_mode

// As [b, s, heads * size].
TensorId flat(graph::Builder& b, TensorId heads) {
  const TensorId moved = b.transpose(heads, {0, 2, 1, 3});
  const Shape shape = b.shape(moved);
  return b.reshape(moved, {shape[0], shape[1], shape[2] * shape[3]});
}

// Everything that keeps queries from keys, put on the scores in one operation.
class Sight {
public:
  Sight(NodeImport& node, TensorId scores) : node_(node), operands_{scores}, seen_(f_.input(0)) {
    const Shape shape = node.build().shape(scores);
    queries_ = shape[2], keys_ = shape[3];
  }

  void add_mask() {
    graph::Builder& b = node_.build();
    const bool is_truth = node_.type_of(mask) == DataType::boolean;
    TensorId tensor = node_.tensor(mask);
    Shape missing(b.shape(tensor).size(), 0);
    if (missing.empty()) node_.fail("a mask of no dimensions");
    missing.back() = keys_ - b.shape(tensor).back();
    if (missing.back() < 0)
      node_.fail(fmt::format("a mask of {} keys for {}", keys_ - missing.back(), keys_));
    if (missing.back() > 0)
      tensor = b.pad(tensor, Shape(missing.size(), 0), missing, is_truth ? 0 : -infinity);
    const F::Node given = input(tensor);
    seen_ = is_truth ? f_.select(given, seen_, f_.constant(-infinity)) : f_.add(seen_, given);
    may_be_none_ = true;
  }

  // `before`: a tensor of one number a sample, or none for a number that all have.
  void keep_in_sight(std::int64_t before, bool causal, std::int64_t left, std::int64_t right) {
    const bool external = node_.has(nonpad);
    if (!causal && left < 0 && right < 0 && !external) return;
    graph::Builder& b = node_.build();
    const F::Node j = input(b.positions(keys_));
    if (external) {
      const TensorId there = b.reshape(node_.numbers(nonpad), {b.shape(operands_[0])[0], 1, 1, 1});
      there_ = input(there);
      hide_unless(f_.less(j, there_));
    }
    if (!causal && left < 0 && right < 0) return;
    const F::Node i = input(b.reshape(b.positions(queries_), {queries_, 1}));
    const F::Node place = external ? f_.add(i, f_.subtract(there_, f_.constant(static_cast<float>(queries_))))
                                   : f_.add(i, f_.constant(static_cast<float>(before)));
    const auto behind = [&](std::int64_t keys) {
      return f_.add(place, f_.constant(static_cast<float>(keys)));
    };
    if (causal) hide_unless(f_.less(j, behind(1)));
    if (right >= 0) hide_unless(f_.less(j, behind(right + 1)));
    if (left >= 0) hide_unless(f_.less(behind(-left - 1), j));
    may_be_none_ = may_be_none_ || external || left >= 0 || right >= 0;
  }

  TensorId finish() {
    if (operands_.size() == 1) return operands_[0];
    return node_.build().elementwise(f_.finish(seen_), operands_);
  }
  bool may_be_none() const { return may_be_none_; }  // a query that sees no key

private:
  F::Node input(TensorId tensor) {
    operands_.push_back(tensor);
    return f_.input(static_cast<std::int32_t>(operands_.size()) - 1);
  }
  void hide_unless(F::Node condition) { seen_ = f_.select(condition, seen_, f_.constant(-infinity)); }
  NodeImport& node_;
  std::vector<TensorId> operands_;
  F f_;
  F::Node seen_, there_ = {};
  std::int64_t queries_ = 0, keys_ = 0;
  bool may_be_none_ = false;
};

// The softmax over keys; 0 for a query that sees none.
TensorId weights_of(graph::Builder& b, TensorId seen, bool may_be_none) {
  if (!may_be_none) return b.softmax(seen, -1);
  const TensorId most = b.maximum(seen, {-1}, true);
  const auto where_any = [&](TensorId values) {
    F f;
    const F::Node any = f.less(f.constant(-infinity), f.input(0));
    const TensorId operands[] = {most, values};
    return b.elementwise(f.finish(f.select(any, f.input(1), f.constant(0))), operands);
  };
  return where_any(b.softmax(where_any(seen), -1));
}

TensorId scaled_scores(NodeImport& node, TensorId q, TensorId k) {
  graph::Builder& b = node.build();
  const auto size = static_cast<float>(b.shape(q)[3]);
  const float scale = node.single("scale", 1 / std::sqrt(size)), root = std::sqrt(scale);
  if (!(scale >= 0)) node.fail(fmt::format("scale = {}, whose root it takes", scale));
  if (scale == 1) return product_of_heads(b, q, k, true);
  return product_of_heads(b, b.scale(q, root), b.scale(k, root), true);
}

void attention(NodeImport& node) {
  graph::Builder& b = node.build();
  const std::int64_t q_heads = node.integer("q_num_heads", 0), kv_heads = node.integer("kv_num_heads", 0);
  const bool was_flat = node.shape(query).size() == 3, causal = node.integer("is_causal", 0) != 0;
  const float cap = node.single("softcap", 0);
  const std::int64_t left = node.integer("left_window_size", -1),
                     right = node.integer("right_window_size", -1);
  if (node.integer("softmax_precision", 1) != 1)
    node.fail("a softmax in another precision than float32", Refusal::not_yet);
  const TensorId q = heads_of(node, query, q_heads);
  TensorId k = heads_of(node, key, kv_heads), v = heads_of(node, value, kv_heads);
  if (node.has(past_key) != node.has(past_value)) node.fail("past keys or past values without the other");
  std::int64_t before = 0;
  if (node.has(past_key)) {
    before = node.shape(past_key).at(2);
    k = b.concat(std::vector{node.tensor(past_key), k}, 2);
    v = b.concat(std::vector{node.tensor(past_value), v}, 2);
  }
  const Shape of_q = b.shape(q), of_k = b.shape(k), of_v = b.shape(v);
  if (of_q[1] % of_k[1] != 0 || of_k[1] != of_v[1] || of_k[2] != of_v[2] || of_q[3] != of_k[3])
    node.fail(fmt::format("queries [{}], keys [{}] and values [{}] do not fit", fmt::join(of_q, ", "),
                          fmt::join(of_k, ", "), fmt::join(of_v, ", ")));
  const std::int64_t mode = node.integer("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3) node.fail(fmt::format("qk_matmul_output_mode = {}", mode));
  const auto shown = static_cast<Shown>(mode);
  const auto show = [&](Shown stage, TensorId tensor) {
    if (stage == shown) node.result(scores_output, tensor);
  };
  TensorId scores = scaled_scores(node, q, k);
  show(Shown::products, scores);
  if (cap != 0) scores = b.scale(b.tanh(b.scale(scores, 1 / cap)), cap);
  show(Shown::capped, scores);
  Sight sight(node, scores);
  if (node.has(mask)) sight.add_mask();
  sight.keep_in_sight(before, causal, left, right);
  const TensorId seen = sight.finish();
  show(Shown::masked, seen);
  const TensorId weights = weights_of(b, seen, sight.may_be_none());
  show(Shown::weights, weights);
  const TensorId heads = product_of_heads(b, weights, v, false);
  node.result(result, was_flat ? flat(b, heads) : heads);
  node.result(present_key, k);
  node.result(present_value, v);
}

// Pairs (x1, x2) of each head's first elements, its two halves or neighbours, turned by their position's
// angle.
void rotary_embedding(NodeImport& node) {
  graph::Builder& b = node.build();
  const bool neighbours = node.integer("interleaved", 0) != 0, was_flat = node.shape(0).size() == 3;
  const std::int64_t heads = node.integer("num_heads", 0);
  TensorId x = node.tensor(0);
  if (was_flat) {
    const Shape shape = b.shape(x);
    if (heads < 1 || shape[2] % heads != 0) node.fail(fmt::format("{} heads of {} numbers", heads, shape[2]));
    x = b.reshape(x, {shape[0], shape[1], heads, shape[2] / heads});
  } else {
    x = b.transpose(x, {0, 2, 1, 3});
  }
  const Shape shape = b.shape(x);  // [b, s, heads, size]
  std::int64_t turned = node.integer("rotary_embedding_dim", 0);
  if (turned == 0) turned = shape[3];
  if (turned < 2 || turned > shape[3] || turned % 2 != 0)
    node.fail(fmt::format("a rotation of {} of {} numbers", turned, shape[3]));
  const auto angles = [&](std::size_t operand) {
    TensorId cache = node.tensor(operand);
    if (node.has(3)) cache = b.gather(cache, node.numbers(3), 0);
    return b.unsqueeze(cache, {-2});  // [b, s, 1, turned / 2]
  };
  const TensorId cosine = angles(1), sine = angles(2);
  const std::int64_t half = turned / 2;
  const TensorId first = neighbours ? b.slice(x, 3, 0, turned, 2) : b.slice(x, 3, 0, half);
  const TensorId second = neighbours ? b.slice(x, 3, 1, turned, 2) : b.slice(x, 3, half, turned);
  const TensorId real = b.subtract(b.multiply(cosine, first), b.multiply(sine, second));
  const TensorId imaginary = b.add(b.multiply(sine, first), b.multiply(cosine, second));
  TensorId made = graph::no_tensor;
  if (neighbours) {
    made = b.concat(std::vector{b.unsqueeze(real, {4}), b.unsqueeze(imaginary, {4})}, 4);
    made = b.reshape(made, {shape[0], shape[1], shape[2], turned});
  } else {
    made = b.concat(std::vector{real, imaginary}, 3);
  }
  if (turned < shape[3]) made = b.concat(std::vector{made, b.slice(x, 3, turned, shape[3])}, 3);
  if (was_flat)
    made = b.reshape(made, {shape[0], shape[1], shape[2] * shape[3]});
  else
    made = b.transpose(made, {0, 2, 1, 3});
  node.result(0, made);
}

constexpr OpRow attention_table[] = {
    {"Attention", attention},
    {"RotaryEmbedding", rotary_embedding},
};

}  // namespace

graph::TensorId heads_of(NodeImport& node, std::size_t i, std::int64_t heads) {
  const graph::TensorId x = node.tensor(i);
  graph::Builder& b = node.build();
  const graph::Shape shape = b.shape(x);
  if (shape.size() == 4) return x;
  if (shape.size() != 3 || heads < 1 || shape[2] % heads != 0)
    node.fail(fmt::format("{} heads in [{}]", heads, fmt::join(shape, ", ")));
  return b.transpose(b.reshape(x, {shape[0], shape[1], heads, shape[2] / heads}), {0, 2, 1, 3});
}

graph::TensorId product_of_heads(graph::Builder& b, graph::TensorId left, graph::TensorId right,
                                 bool transposed) {
  const graph::Shape a = b.shape(left), c = b.shape(right);
  if (a[1] == c[1]) return b.matmul(left, right, false, transposed);
  const graph::TensorId grouped = b.reshape(left, {a[0], c[1], a[1] / c[1], a[2], a[3]});
  const graph::TensorId made =
      b.matmul(grouped, b.reshape(right, {c[0], c[1], 1, c[2], c[3]}), false, transposed);
  const graph::Shape shape = b.shape(made);
  return b.reshape(made, {a[0], a[1], shape[3], shape[4]});
}

std::span<const OpRow> attention_rows() { return attention_table; }

}  // namespace dojo::onnx
