// The intermediate representation: tensors, and one kind of operation.
//
// A structured op runs over a box of integer points i, in lexicographic order (the first axis outermost):
//
//     out[map_out(i)] (+)= body(in_0[map_0(i)], in_1[map_1(i)], ...)          then, once per element of out,
//     out[o] = epilogue(out[o], extra_0[...], ...)
//
// with affine maps. From this one definition follow gradients, sharding, SRAM footprints and code. The
// meaning, exactly:
//
//  * All arithmetic is FP32, round to nearest even, subnormals kept; a tensor's elements are widened to FP32
//    when read and rounded to the tensor's format when written (once, at the end; accumulation happens in
//    FP32 whatever the format).
//  * An axis that does not occur in map_out is a chain axis. For fixed other axes, chain axes are reduced in
//    lexicographic order starting from the reduction's identity: sum with a body `a * b` at its root is
//    acc = fma(a, b, acc); any other sum is acc = acc + body; maximum is acc = maximum(acc, body).
//  * The remaining axes are visited in lexicographic order; each visit's result is combined into out, which
//    starts from the identity: out = out + acc, or out = maximum. If no two visits hit the same element this
//    is just a store.
//  * An index may be computed: an input of the op, read at the same point, is added to it, its fraction cut
//  off.
//    That input is widened to FP32 as any other; what is not within +-2^30 is outside every tensor, as NaN
//    is. Axes that this input is read by count as occurring in the map.
//  * A read outside the tensor gives that access's `outside` value; a write outside is dropped.
//  * Elements of out that no point reaches hold epilogue(identity) (0 for Reduction::none).
//  * The epilogue is a function of the element o alone: each dimension of an extra's map is either a constant
//    or equal to one of the dimension maps of out (coefficients and offset), so the extra is read at that
//    component of o, reached or not.
//  * The batch: a box has at most one batch axis; dimension 0 of a tensor with has_batch is always indexed by
//    exactly that axis (coefficient 1, offset 0), and the batch axis indexes nothing else. If it does not
//    occur in map_out, the op reduces over the whole batch.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/name_index.h"
#include "numerics/format.h"

namespace dojo::graph {

using TensorId = std::int32_t;
constexpr TensorId no_tensor = -1;

enum class Role : std::uint8_t {
  input,      // of the network, one value per sample (dimension 0 is the batch)
  label,      // target of a loss, per sample
  parameter,  // trained
  state,      // survives from step to step but is not trained (running statistics, optimizer moments)
  scalar,     // shape [], given by the host at each launch: learning rate, step-dependent corrections
  constant,   // known at compile time
  value,      // computed
};

struct Tensor {
  std::string name;                 // unique in the graph
  std::vector<std::int64_t> shape;  // [] is a scalar; all extents >= 1
  Role role = Role::value;
  numerics::Format format = numerics::Format::fp32;
  bool has_batch = false;   // dimension 0 is the batch
  std::vector<float> data;  // initial value of parameters, states, constants (row-major); else empty
  bool is_whole = false;    // whole numbers or truth values, which stay FP32 whatever formats are chosen
};

constexpr std::int32_t not_computed = -1;

// One dimension of a tensor as a function of the box: sum_a coefficient[a] * i[a] + offset, and what input
// `from` of the op reads there. That input's own indices are not computed.
struct AffineIndex {
  std::vector<std::int64_t> coefficients;  // one per axis of the box
  std::int64_t offset = 0;
  std::int32_t from = not_computed;

  bool operator==(const AffineIndex&) const = default;
};

struct Access {
  TensorId tensor = no_tensor;
  std::vector<AffineIndex> map;  // one per dimension of the tensor
  float outside = 0;             // value of reads outside the tensor
};

// A scalar expression: operations in evaluation order, the last one is the result.
enum class Scalar : std::uint8_t;  // scalar_operations.h

struct ScalarNode {
  Scalar op;
  std::int32_t a = -1, b = -1, c = -1;  // earlier nodes; for input: a is the argument
  float value = 0;                      // for constant
};

struct Expression {
  std::vector<ScalarNode> nodes;
  bool empty() const { return nodes.empty(); }
};

enum class Reduction : std::uint8_t {
  none,
  sum,
  maximum
};  // none: maps must be injective and reach each element once

struct Axis {
  std::string name;  // "n", "co", "oh"... for people
  std::int64_t extent = 1;
  bool is_batch = false;  // runs over the samples of the batch
};

struct StructuredOp {
  std::string name;    // unique; for people: "conv1", "conv1.grad.w"
  std::string origin;  // the ONNX node, or the pass that made it
  std::vector<Axis> box;
  Access out;
  std::vector<Access> in;
  Expression body;
  Reduction reduction = Reduction::none;
  std::vector<Access> extra;   // read by the epilogue; maps over the same box (chain axes have coefficient 0)
  Expression epilogue;         // empty: identity
  bool stop_gradient = false;  // differentiation takes the result for a constant (softmax's maximum)
};

struct Graph {
  std::string name;
  std::vector<Tensor> tensors;
  std::vector<StructuredOp> ops;  // in execution order
  std::vector<TensorId> outputs;  // of the network, or what a step must produce
  // After differentiation: parameter -> gradient, and what replaces each parameter and state at the end of
  // the step.
  std::map<TensorId, TensorId> gradient;
  std::map<TensorId, TensorId> update;

  TensorId add(Tensor tensor);          // refuses a duplicate name
  const Tensor& at(TensorId id) const;  // a bad id is a broken invariant
  Tensor& at(TensorId id);
  TensorId find(std::string_view name) const;  // no_tensor if absent
  bool has_op(std::string_view name) const;
  void rename(TensorId id, std::string wanted);  // nothing else may change a tensor's name in place

private:
  mutable NameIndex tensor_names_, op_names_;
};

// Throws a UserError naming op and tensor if ids, ranks, coefficient counts, expressions or
// injectivity are wrong. Passes call it after they ran.
void validate(const Graph& graph);

std::int64_t element_count(const std::vector<std::int64_t>& shape);  // 1 for a scalar

// Whether an index of the access, or of any access of the op, is computed.
bool has_computed_index(const Access& access);
bool has_computed_index(const StructuredOp& op);

// What a computed index adds for the value that its input reads; nothing if it leads outside.
std::optional<std::int64_t> computed_index(float value);

// What indices, body and epilogue read, in order, with repetitions.
std::vector<TensorId> inputs_of(const StructuredOp& op);

// Whether axis `axis` of the box occurs in the map of the output; if not it is a chain axis.
bool is_chain_axis(const StructuredOp& op, std::size_t axis);

// Whether no two points of the box write the same element. (Sufficient: false may be said of a map with an
// unusual proof.)
bool writes_each_once(const StructuredOp& op);

// Whether the access is the plain one: every dimension is one axis of the same extent (coefficient 1, offset
// 0; an extent of 1 may be the constant 0), no axis twice. Then every element is reached and no read lies
// outside.
bool is_whole(const Access& access, const std::vector<Axis>& box, const std::vector<std::int64_t>& shape);

// Whether no point of the box leads outside the tensor, indices that are not computed.
bool stays_inside(const Access& access, const std::vector<Axis>& box, const std::vector<std::int64_t>& shape);

std::int64_t points(const StructuredOp& op);  // of its box

// Whether the body is `a * b` at its root, so that a sum over it is a chain of fma.
bool is_product(const Expression& body);

// The graph as text, one line per op, for people and tests. A line ends with the format of its result where
// that is not FP32.
std::string to_text(const Graph& graph);
std::string to_text(const StructuredOp& op, const std::function<std::string(TensorId)>& name_of);

}  // namespace dojo::graph
