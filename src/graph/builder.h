// Builds a graph operation by operation, as networks are written: shapes are inferred, NumPy broadcasting
// applies, batch axes are flagged, names are made unique. Every function appends one structured op, or the
// few that compose it, and returns the result.
//
// Conventions: image tensors are [batch, channels, spatial...] with any number of spatial dimensions;
// negative axes count from the end; a result has the format fp32 until formats are assigned. What cannot be
// built throws a UserError that names the op (operands that do not fit: invalid; the batch moved from
// dimension 0 or merged into another dimension: unsupported).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "graph/ir.h"
#include "graph/scalar_operations.h"

namespace dojo::graph {

using Shape = std::vector<std::int64_t>;

class OpMaker;
struct Index;

// Geometry of a convolution or pooling window. Empty vectors: kernel from the weight, strides and dilations
// 1, pads 0.
struct Window {
  Shape kernel;
  Shape strides;
  Shape dilations;
  Shape pads_begin, pads_end;
  bool ceil_mode =
      false;  // pooling: round the output extent up (windows that start beyond the input are dropped)
  bool count_include_pad =
      false;  // average pooling: divide by the kernel's size rather than by the elements inside
};

struct BatchNorm {
  float epsilon = 1e-5f;
  float momentum = 0.9f;         // running = momentum * running + (1 - momentum) * batch
  bool training = true;          // batch statistics and running update; else the running state is used
  bool unbiased_running = true;  // running variance divides by n - 1 (PyTorch); false: by n (ONNX)
};

enum class Mean : std::uint8_t { none, sum, mean };  // what a loss does over all elements; none: keeps them

struct ArgExtreme {
  bool smallest = false, last = false;  // of those alike
};
struct Sorted {
  TensorId values, places;  // the places are whole numbers
};
constexpr std::int64_t longest_sort = 4096;  // elements: each is compared with all

class Builder {
public:
  explicit Builder(Graph& graph) : graph_(graph) {}

  // Names the ops built from here on ("conv1", then "conv1.2"...) and says where they come from (the ONNX
  // node).
  Builder& name(std::string name, std::string origin = {});

  // Gives a tensor another name (made by an op or not); refuses one that is taken.
  void rename(TensorId tensor, std::string name);

  // Tensors. Inputs and labels have the batch in dimension 0; data is row-major and its size must match.
  TensorId input(std::string name, Shape shape);
  TensorId label(std::string name, Shape shape);
  TensorId parameter(std::string name, Shape shape, std::vector<float> data);
  TensorId state(std::string name, Shape shape, std::vector<float> data);
  TensorId scalar(std::string name);
  TensorId constant(std::string name, Shape shape, std::vector<float> data);
  TensorId constant(float value);  // shape []; equal values are shared; expressions take it in as a constant

  std::string fresh_tensor_name(const std::string& wish);  // which no tensor has

  const Shape& shape(TensorId tensor) const { return graph_.at(tensor).shape; }
  Graph& graph() { return graph_; }

  // Elementwise, with broadcasting.
  TensorId unary(Scalar op, TensorId a);
  TensorId binary(Scalar op, TensorId a, TensorId b);
  TensorId elementwise(const Expression& body,
                       std::span<const TensorId> operands);  // input k of body is operand k
  TensorId add(TensorId a, TensorId b) { return binary(Scalar::add, a, b); }
  TensorId subtract(TensorId a, TensorId b) { return binary(Scalar::subtract, a, b); }
  TensorId multiply(TensorId a, TensorId b) { return binary(Scalar::multiply, a, b); }
  TensorId divide(TensorId a, TensorId b) { return binary(Scalar::divide, a, b); }
  TensorId relu(TensorId a) { return unary(Scalar::relu, a); }
  TensorId tanh(TensorId a) { return unary(Scalar::tanh, a); }
  TensorId sigmoid(TensorId a) { return unary(Scalar::sigmoid, a); }
  TensorId exp(TensorId a) { return unary(Scalar::exp, a); }
  TensorId leaky_relu(TensorId a, float slope);
  TensorId elu(TensorId a, float alpha);
  TensorId selu(TensorId a, float alpha, float gamma);
  TensorId softplus(TensorId a);  // log(1 + exp(a)), safe for large |a|
  TensorId gelu(TensorId a, bool tanh_form);
  TensorId hard_sigmoid(TensorId a, float alpha, float beta);
  TensorId clip(TensorId a, float low, float high);
  TensorId power(TensorId a, float exponent);  // integers -8..8, 0.5 and -0.5; others for positive a only
  TensorId scale(TensorId a, float factor);

  // Contractions: the body is the product of two operands and nothing else.
  TensorId matmul(TensorId a, TensorId b, bool transpose_a = false,
                  bool transpose_b = false);  // numpy.matmul; transposes swap the last two
  TensorId gemm(TensorId a, TensorId b, std::optional<TensorId> c, float alpha, float beta, bool transpose_a,
                bool transpose_b);
  // Einstein's sum: `in[k]` names an axis for each dimension of operand k, `out` for each of the result;
  // equal numbers are one axis, and those that the result lacks are summed over. no_axis: an extent of 1 that
  // is broadcast.
  static constexpr std::int32_t no_axis = -1;
  TensorId einsum(std::span<const TensorId> operands, std::span<const std::vector<std::int32_t>> in,
                  const std::vector<std::int32_t>& out);
  // x [n, c, in...], w [co, c / groups, kernel...] -> [n, co, out...]; bias [co].
  TensorId convolution(TensorId x, TensorId w, std::optional<TensorId> bias, const Window& window,
                       std::int64_t groups = 1);
  // x [n, c, in...], w [c, co / groups, kernel...]: the transpose of the convolution; output_pads adds to the
  // end of the output.
  TensorId transposed_convolution(TensorId x, TensorId w, std::optional<TensorId> bias, const Window& window,
                                  std::int64_t groups = 1, const Shape& output_pads = {});
  TensorId bias_add(TensorId x, TensorId bias);  // bias [c] over dimension 1

  // Reductions over axes (all if empty).
  TensorId sum(TensorId a, const std::vector<std::int64_t>& axes = {}, bool keep = false);
  TensorId mean(TensorId a, const std::vector<std::int64_t>& axes = {}, bool keep = false);
  TensorId maximum(TensorId a, const std::vector<std::int64_t>& axes = {}, bool keep = false);
  TensorId minimum(TensorId a, const std::vector<std::int64_t>& axes = {}, bool keep = false);

  // Pooling over the spatial dimensions.
  TensorId max_pool(TensorId x, const Window& window);
  TensorId average_pool(TensorId x, const Window& window);
  TensorId global_average_pool(TensorId x);  // [n, c, ...] -> [n, c, 1...]
  TensorId global_max_pool(TensorId x);

  // Normalisation. mean and variance are states of shape [c]; in training their updates are entered in
  // Graph::update.
  TensorId batch_norm(TensorId x, TensorId gamma, TensorId beta, TensorId mean, TensorId variance,
                      const BatchNorm& options);
  TensorId layer_norm(TensorId x, std::int64_t first_axis, std::optional<TensorId> gamma,
                      std::optional<TensorId> beta, float epsilon);
  TensorId softmax(TensorId x, std::int64_t axis);
  TensorId log_softmax(TensorId x, std::int64_t axis);

  // Shape: all are copies with affine maps on both sides. A value of -1 in reshape is inferred, 0 keeps the
  // dimension.
  TensorId reshape(TensorId x, Shape shape);
  TensorId flatten(TensorId x, std::int64_t axis = 1);
  TensorId transpose(TensorId x, std::vector<std::int64_t> permutation);
  TensorId squeeze(TensorId x, const std::vector<std::int64_t>& axes);    // empty: all of extent 1
  TensorId unsqueeze(TensorId x, const std::vector<std::int64_t>& axes);  // positions in the result
  TensorId expand(TensorId x, Shape shape);  // broadcasts both ways, as ONNX Expand
  TensorId concat(std::span<const TensorId> parts, std::int64_t axis);
  TensorId slice(TensorId x, std::int64_t axis, std::int64_t start, std::int64_t end,
                 std::int64_t step = 1);  // as Python's
  std::vector<TensorId> split(TensorId x, std::int64_t axis, std::span<const std::int64_t> sizes);
  TensorId pad(TensorId x, const Shape& begin, const Shape& end, float value = 0);  // negative: cuts
  // result[.., r, ..] = sum over k of matrix[r, k] * x[.., k, ..] along one dimension, for known row-major
  // numbers: picking, mirroring, interpolating.
  TensorId mix(TensorId x, std::int64_t axis, std::vector<float> matrix);
  // Elements at computed places, which `indices` gives as whole numbers from 0. One that does not exist is
  // read as NaN; nothing is written there, and its gradient is lost. result[a.., i.., b..] = x[a..,
  // indices[i..], b..], indices along `axis` of x.
  TensorId gather(TensorId x, TensorId indices, std::int64_t axis);
  // result[.., i, ..] = x[.., indices[.., i, ..], ..], of the shape of indices.
  TensorId gather_elements(TensorId x, TensorId indices, std::int64_t axis);
  // result[.., indices[.., i, ..], ..] (+)= updates[.., i, ..], from the reduction's identity, a sum or a
  // maximum.
  TensorId scatter_elements(TensorId updates, TensorId indices, std::int64_t axis, Shape shape,
                            Reduction reduction = Reduction::sum);
  // result[l.., i.., b..] = x[l.., indices[l.., i.., 0], indices[l.., i.., 1], ..., b..], `leading`
  // dimensions l.
  TensorId gather_nd(TensorId x, TensorId indices, std::size_t leading = 0);
  // result[indices[i.., 0], indices[i.., 1], ..., b..] (+)= updates[i.., b..].
  TensorId scatter_nd(TensorId updates, TensorId indices, Shape shape, Reduction reduction = Reduction::sum);
  // result[l.., b..] = x[rows[l.., b..], b..]: of every element along dimension 0 of x, the one that is
  // named.
  TensorId pick_rows(TensorId x, TensorId rows);
  // Negative numbers counted from the end of `extent`; of `extents`, one for each place of the last
  // dimension.
  TensorId from_start(TensorId indices, std::int64_t extent);
  TensorId from_start(TensorId indices, const Shape& extents);
  TensorId positions(std::int64_t extent);  // the constant 0, 1, 2...
  TensorId arg_extreme(TensorId x, std::int64_t axis, bool keep, const ArgExtreme& options);
  TensorId cumulative_sum(TensorId x, std::int64_t axis, bool exclusive = false, bool reverse = false);
  TensorId triangle(TensorId x, std::int64_t diagonal, bool upper);  // of the last two dimensions; else 0
  TensorId one_hot(TensorId indices, std::int64_t depth, std::int64_t axis, TensorId off, TensorId on);
  // How many elements stand before each; those alike in the order of their places.
  TensorId ranks(TensorId x, std::int64_t axis, bool largest_first);
  Sorted top_k(TensorId x, std::int64_t count, std::int64_t axis, bool largest = true);

  TensorId upsample_nearest(TensorId x, const Shape& factors);  // one integer factor per dimension

  // Losses. The result has shape [] unless `over` is none; mean divides by the number of elements (cross
  // entropy: of samples and positions).
  TensorId mean_squared_error(TensorId prediction, TensorId target, Mean over = Mean::mean);
  TensorId mean_absolute_error(TensorId prediction, TensorId target, Mean over = Mean::mean);
  TensorId huber(TensorId prediction, TensorId target, float delta, Mean over = Mean::mean);
  // Targets from 0 to 1. Of a probability p both logarithms are at least -100, as PyTorch's BCELoss has them;
  // of a logit x it is max(x, 0) - x target + log(1 + exp(-|x|)).
  TensorId binary_cross_entropy(TensorId probability, TensorId target, Mean over = Mean::mean);
  TensorId binary_cross_entropy_with_logits(TensorId logit, TensorId target, Mean over = Mean::mean);
  // logits [n, classes, ...]; labels either class numbers [n, ...] or, of the logits' shape, probabilities.
  TensorId softmax_cross_entropy(TensorId logits, TensorId labels, Mean over = Mean::mean);

private:
  friend class OpMaker;

  std::string fresh_op_name();
  TensorId finish_loss(TensorId elements, Mean over, std::int64_t divisor);
  std::int32_t read_component(OpMaker& op, TensorId indices, std::vector<Index> at, std::size_t component);
  std::vector<Index> same_places(OpMaker& op, const Shape& shape, const Tensor& indices) const;
  TensorId positions_along(TensorId x, std::size_t dimension);  // shaped to be broadcast over x
  TensorId reduce(TensorId a, const std::vector<std::int64_t>& axes, bool keep, Reduction reduction);

  Graph& graph_;
  std::string name_ = "op", origin_;
  FreshNames op_names_, tensor_names_;
};

}  // namespace dojo::graph
