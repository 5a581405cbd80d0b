// Attention without a matrix of scores, a convolution that looks back alone, and attention whose scores a
// graph inside the node changes (FlexAttention of the preview domain).
//
// Linear attention keeps a state S [d_k, d_v] for each head of keys. With each element of the sequence
//
//   S' = e^g S + k u,  u = v, or b (v - k (e^g S)) by the delta rule,  y = scale q S'
//
// without the factor e^g where nothing decays.
#include <algorithm>
#include <cmath>

#include "graph/expression.h"
#include "onnx/heads.h"
#include "onnx/node.h"

namespace dojo::onnx {
namespace {

using graph::Shape;
using graph::TensorId;

constexpr std::size_t past = 3, decays = 4, rates_of_update = 5;  // operands behind query, key and value

void linear_attention(NodeImport& node) {
  graph::Builder& b = node.build();
  node.ignore({"chunk_size"});  // it changes no value
  const std::string rule = node.text("update_rule", "gated_delta");
  const bool gated = rule == "gated" || rule == "gated_delta",
             delta = rule == "delta" || rule == "gated_delta";
  if (!gated && !delta && rule != "linear") node.fail(fmt::format("update_rule = '{}'", rule));
  const std::int64_t q_heads = node.integer("q_num_heads", 0), heads = node.integer("kv_num_heads", 0);
  const TensorId q = heads_of(node, 0, q_heads), k = heads_of(node, 1, heads), v = heads_of(node, 2, heads);
  const Shape of_q = b.shape(q), of_k = b.shape(k), of_v = b.shape(v);
  if (q_heads % heads != 0 || of_q[3] != of_k[3] || of_q[2] != of_k[2] || of_k[2] != of_v[2])
    node.fail(fmt::format("queries [{}], keys [{}] and values [{}] do not fit", fmt::join(of_q, ", "),
                          fmt::join(of_k, ", "), fmt::join(of_v, ", ")));
  if (of_q[2] > most_turns)
    node.fail(fmt::format("{} elements of a sequence, more than {}", of_q[2], most_turns), Refusal::not_yet);
  const float given = node.single("scale", 0);
  const float scale = given != 0 ? given : 1 / std::sqrt(static_cast<float>(of_q[3]));
  // Of each head, or of each of a head's keys; of each head, or of all.
  const TensorId factor = gated ? b.exp(heads_of(node, decays, heads)) : graph::no_tensor;
  const TensorId rates =
      delta ? heads_of(node, rates_of_update, node.shape(rates_of_update).at(2)) : graph::no_tensor;
  const auto at = [&](TensorId sequence, std::int64_t turn) { return b.slice(sequence, 2, turn, turn + 1); };
  const auto upright = [&](TensorId row) { return b.transpose(row, {0, 1, 3, 2}); };

  TensorId state = node.has(past) ? node.tensor(past) : graph::no_tensor;
  std::vector<TensorId> results;
  for (std::int64_t turn = 0; turn < of_q[2]; ++turn) {
    const TensorId own_key = at(k, turn);
    TensorId update = at(v, turn);
    if (gated && state != graph::no_tensor) state = b.multiply(upright(at(factor, turn)), state);
    if (delta && state != graph::no_tensor) update = b.subtract(update, b.matmul(own_key, state));
    if (delta) update = b.multiply(at(rates, turn), update);
    const TensorId added = b.multiply(upright(own_key), update);
    state = state == graph::no_tensor ? added : b.add(state, added);
    results.push_back(product_of_heads(b, at(q, turn), state, false));
  }
  TensorId made = results.size() == 1 ? results[0] : b.concat(results, 2);
  made = b.transpose(b.scale(made, scale), {0, 2, 1, 3});
  node.result(0, b.reshape(made, {of_q[0], of_q[2], q_heads * of_v[3]}));
  node.result(1, state);
}

// Of every channel with the elements before: the state's, or zeros.
void causal_convolution(NodeImport& node) {
  graph::Builder& b = node.build();
  const std::string activation = node.text("activation", "none");
  if (activation != "none" && activation != "silu" && activation != "swish")
    node.fail(fmt::format("activation = '{}'", activation));
  const TensorId x = node.tensor(0);
  const Shape shape = b.shape(x), weight = node.shape(1);
  if (shape.size() != 3 || weight.size() != 3 || weight[0] != shape[1] || weight[1] != 1 || weight[2] < 1)
    node.fail(fmt::format("weights [{}] for [{}]", fmt::join(weight, ", "), fmt::join(shape, ", ")));
  const std::int64_t before = weight[2] - 1;
  if (before == 0 && node.wants(1)) node.fail("a state without elements", Refusal::unsupported);
  TensorId whole = x;
  if (before > 0)
    whole = node.has(3) ? b.concat(std::vector{node.tensor(3), x}, 2) : b.pad(x, {0, 0, before}, {0, 0, 0});
  const TensorId made = b.convolution(whole, node.tensor(1, Draw::uniform(weight[2])),
                                      node.maybe(2, Draw::fill(0)), {}, shape[1]);
  node.result(0, activation == "none" ? made : b.multiply(made, b.sigmoid(made)));
  if (before > 0) node.result(1, b.slice(whole, 2, shape[2], shape[2] + before));
}

// What the graph of that name inside makes of a tensor; the tensor if there is none.
TensorId modified(NodeImport& node, std::string_view name, TensorId tensor) {
  const Attribute* inside = node.attribute(name);
  if (inside == nullptr) return tensor;
  if (inside->graph == nullptr) node.fail(fmt::format("attribute '{}' is no graph", name));
  Value given;
  given.tensor = tensor;
  const std::vector<Value> made = node.results_of(*inside->graph, std::span(&given, 1));
  if (made.size() != 1 || made[0].tensor == graph::no_tensor || made[0].bounds || !made[0].view.is_plain() ||
      node.build().shape(made[0].tensor) != node.build().shape(tensor))
    node.fail(fmt::format("attribute '{}' makes something else than a tensor like its own", name));
  return made[0].tensor;
}

void flexible_attention(NodeImport& node) {
  graph::Builder& b = node.build();
  const auto precision = static_cast<DataType>(node.integer("softmax_precision", 1));
  if (precision != DataType::float32)
    node.fail(fmt::format("a softmax in {}", data_type_name(precision)), Refusal::not_yet);
  const TensorId q = node.tensor(0), k = node.tensor(1), v = node.tensor(2);
  const Shape of_q = b.shape(q), of_k = b.shape(k), of_v = b.shape(v);
  if (of_q.size() != 4 || of_k.size() != 4 || of_v.size() != 4 || of_q[1] % of_k[1] != 0 ||
      of_k[1] != of_v[1] || of_k[2] != of_v[2] || of_q[3] != of_k[3])
    node.fail(fmt::format("queries [{}], keys [{}] and values [{}] do not fit", fmt::join(of_q, ", "),
                          fmt::join(of_k, ", "), fmt::join(of_v, ", ")));
  const float scale = node.single("scale", 1 / std::sqrt(static_cast<float>(of_q[3])));
  const TensorId scores = modified(node, "score_mod", b.scale(product_of_heads(b, q, k, true), scale));
  const TensorId weights = modified(node, "prob_mod", b.softmax(scores, -1));
  node.result(0, product_of_heads(b, weights, v, false));
}

constexpr OpRow state_attention_table[] = {
    {"CausalConvWithState", causal_convolution},
    {"LinearAttention", linear_attention},
    {"ai.onnx.preview.FlexAttention", flexible_attention},
};

}  // namespace

std::span<const OpRow> state_attention_rows() { return state_attention_table; }

}  // namespace dojo::onnx
