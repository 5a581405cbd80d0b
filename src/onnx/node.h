// One node of an ONNX graph while it is imported: its operands, attributes and results.
//
// Inside the importer only. A value of the ONNX graph is a tensor of our graph, or numbers that are known
// from the file, or both.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "graph/builder.h"
#include "onnx/file.h"
#include "onnx/import.h"
#include "onnx/numbers.h"
#include "onnx/view.h"

namespace dojo::onnx {

// Numbers known while importing. Shapes and indices are integers; bounds and factors are floats.
struct Known {
  graph::Shape dims;
  bool is_integer = false;
  bool from_batch = false;             // computed from a shape that holds the batch
  DataType type = DataType::int64;     // if is_integer: what its numbers wrap around in
  std::vector<std::int64_t> integers;  // if is_integer
  std::vector<float> floats;           // otherwise

  std::size_t count() const { return is_integer ? integers.size() : floats.size(); }
};

Known known_integers(std::vector<std::int64_t> values);  // of one dimension
Known known_of(const onnx::Tensor& tensor, std::string_view where);

// A number as an integer type holds it: without the bits that it lacks; truth is what is not 0.
std::int64_t held(DataType type, std::int64_t value);

struct Value {
  graph::TensorId tensor = graph::no_tensor;  // once a node has read it as a tensor
  View view;                                  // of a tensor that has the batch
  std::optional<Known> known;
  std::string initialiser;                // its name, if it is one
  DataType declared = DataType::float32;  // its elements, as ONNX sees them
  std::optional<Bounds> bounds;           // of a tensor of whole numbers or truth values (numbers.h)
};

Value initialiser_value(const onnx::Tensor& tensor, std::string_view where);

// How an initialiser of unknown worth is drawn anew.
struct Draw {
  enum class Kind { keep, uniform, fill } kind = Kind::keep;
  std::int64_t fan_in = 1;
  float value = 0;
  static Draw keep() { return {}; }
  static Draw uniform(std::int64_t fan_in) { return {Kind::uniform, fan_in, 0}; }
  static Draw fill(float value) { return {Kind::fill, 1, value}; }
};

// Everything that import_model collects.
struct Scope {
  explicit Scope(graph::Graph& target) : graph(target), build(target) {}

  graph::Graph& graph;
  graph::Builder build;
  ImportOptions options;
  std::string where;
  std::int64_t opset = 0;
  std::optional<std::int64_t> file_batch;  // dimension 0 of the inputs where the file fixes it
  std::set<std::string> frozen, trained;   // as the metadata says, and what else is known
  std::set<std::string> numbers;           // initialisers of no dimensions that are computed with
  std::map<std::string, Value> values;
  std::map<std::string, graph::Shape> shapes;  // of results, where the file says them of all (aten.h)
  std::int64_t built = 0;                      // graphs inside nodes so far
  std::uint64_t drawn = 0;                     // initialisers drawn so far: the stream of the next draw
};

constexpr std::int64_t most_turns = 4096;     // of what is built once for each element of a sequence
constexpr std::int64_t most_built = 1 << 16;  // graphs inside nodes, in all

// Refuses operators that there are no rows for, then builds every node that an output of the graph needs.
void import_nodes(Scope& scope, const GraphFile& file);

// What a person finds the node by: its name, or its first result if it has none.
const std::string& label_of(const Node& node);

class NodeImport {
public:
  NodeImport(Scope& scope, const Node& node) : scope_(scope), node_(node), rule_(rule_of(node.op)) {}

  const Node& node() const { return node_; }
  graph::Builder& build() { return scope_.build; }
  std::int64_t opset() const { return scope_.opset; }
  bool training() const { return scope_.options.training; }
  std::int64_t batch() const { return scope_.options.batch; }
  std::optional<std::int64_t> file_batch() const { return scope_.file_batch; }

  // Operands, by position. Tensors are plain, with the batch as dimension 0 of the value too, unless the node
  // keeps the view of its operands: then those are given as they lie, and its results lie so again. An
  // operator asks for that if it does to every sample the same, wherever the batch lies.
  std::size_t operands() const { return node_.inputs.size(); }
  bool has(std::size_t i) const { return i < node_.inputs.size() && !node_.inputs[i].empty(); }
  graph::TensorId tensor(std::size_t i, Draw draw = Draw::keep());
  std::optional<graph::TensorId> maybe(std::size_t i, Draw draw = Draw::keep());
  graph::TensorId state(std::size_t i, Draw draw);
  DataType type_of(std::size_t i) const;                 // of its elements
  std::optional<Bounds> bounds_of(std::size_t i) const;  // of whole numbers and truth values; none of others
  void keep_view(std::size_t first);  // of the first so many operands, which are laid alike
  const View& view() const { return view_; }
  const View& view_of(std::size_t i) const { return value(i).view; }
  graph::TensorId numbers(std::size_t i);     // a tensor that says which elements are meant
  graph::TensorId as_it_lies(std::size_t i);  // a value's tensor, whatever its view
  // Which of so many dimensions an axis names, from the end if negative; refuses one that is not there.
  std::size_t dimension(std::int64_t axis, std::size_t rank) const;
  // The dimension that `axis` of operand 0 is in the tensor; the batch's only if the value is plain.
  std::int64_t axis_in_tensor(std::int64_t axis);
  graph::Shape shape(std::size_t i);  // of the operand, whatever it is
  bool has_batch(std::size_t i);
  bool is_frozen(const Value& value) const { return scope_.frozen.contains(value.initialiser); }
  const Value& value(std::size_t i) const;
  const Known* known(std::size_t i) const;                          // nullptr: computed, or to be trained
  std::vector<std::int64_t> operand_integers(std::size_t i) const;  // refuses what is not known
  std::int64_t operand_integer(std::size_t i) const;                // a known operand of one element
  std::vector<float> operand_floats(std::size_t i) const;
  float operand_number(std::size_t i, float otherwise) const;  // a known operand of one element
  bool all_known_integers() const;

  // Attributes. What no row asks for is refused by finish(). with_default returns `otherwise` if absent.
  bool has_attribute(std::string_view name);
  std::int64_t integer(std::string_view name, std::int64_t otherwise);
  float single(std::string_view name, float otherwise);
  float number(std::string_view name, float otherwise);  // which may be written as an integer
  std::string text(std::string_view name, std::string_view otherwise);
  std::vector<std::int64_t> integers(std::string_view name, std::vector<std::int64_t> otherwise = {});
  const Attribute* attribute(std::string_view name);
  void ignore(std::initializer_list<std::string_view> names);  // they change nothing here

  // Axes from an attribute in older operator sets and from an operand since `since`.
  std::vector<std::int64_t> axes(std::size_t operand, std::int64_t since);

  // The results of a graph inside the node for these inputs: its nodes are built where this one stands, and
  // read what is around it. An initialiser inside is one parameter, however often this is asked.
  std::vector<Value> results_of(const GraphFile& inside, std::span<const Value> inputs);

  // Results, by position; wants(i) says whether anybody may read result i.
  const graph::Shape& wanted_shape(std::size_t i) const;  // as the file says it; refuses a result without
  bool wants(std::size_t i) const { return i < node_.outputs.size() && !node_.outputs[i].empty(); }
  void result(std::size_t i, graph::TensorId tensor) { result(i, tensor, view_); }
  void result(std::size_t i, graph::TensorId tensor, const View& view);
  void result(std::size_t i, graph::TensorId tensor, DataType type);  // floating-point numbers of this type
  // Whole numbers within these bounds, which may leave the type: then they are wrapped around, or refused.
  void whole_result(std::size_t i, graph::TensorId tensor, DataType type, const Bounds& bounds);
  void result(std::size_t i, Known known);
  void result(std::size_t i, const Value& value);  // the same value under another name

  void finish() const;  // refuses attributes that were not understood

  // `file: node 'x' (Op): what`.
  [[noreturn]] void fail(std::string_view what, Refusal refusal = Refusal::invalid) const;

private:
  std::vector<float> drawn_values(const Value& value, const Draw& draw);
  Value& slot(std::size_t i);
  std::optional<Bounds> bounds_of_result() const;
  graph::TensorId wrapped_around(graph::TensorId tensor, DataType type);
  graph::TensorId made_tensor(std::size_t i, const Draw& draw);
  graph::TensorId laid_alike(std::size_t i, graph::TensorId tensor);

  Scope& scope_;
  const Node& node_;
  const OperatorRule& rule_;
  std::set<std::string, std::less<>> understood_;
  View view_;              // that it keeps
  std::size_t rank_ = 0;   // of the value that has it
  std::size_t alike_ = 0;  // so many operands are laid like it
};

// The clause of an error without its place and without the words that its refusal adds.
std::string clause_of(const UserError& error);

// One operator: how it is built.
struct OpRow {
  using Build = void (*)(NodeImport&);
  std::string_view op;
  Build build;
};

// Rows by family; nullptr if the family has no such operator.
const OpRow* find_row(std::string_view op);
std::span<const OpRow> attention_rows();
std::span<const OpRow> cast_rows();
std::span<const OpRow> elementwise_rows();
std::span<const OpRow> linear_rows();
std::span<const OpRow> loss_rows();
std::span<const OpRow> normalisation_rows();
std::span<const OpRow> product_rows();
std::span<const OpRow> quantize_rows();
std::span<const OpRow> reduction_rows();
std::span<const OpRow> shape_rows();
std::span<const OpRow> part_rows();
std::span<const OpRow> indexed_rows();
std::span<const OpRow> resize_rows();
std::span<const OpRow> known_rows();
std::span<const OpRow> bit_rows();
std::span<const OpRow> inside_rows();
std::span<const OpRow> sampled_rows();
std::span<const OpRow> deformed_rows();
std::span<const OpRow> recurrent_rows();
std::span<const OpRow> state_attention_rows();
std::span<const OpRow> quantized_product_rows();
std::span<const OpRow> pooling_rows();
std::span<const OpRow> sequence_rows();
std::span<const OpRow> frequency_rows();
std::span<const OpRow> update_rows();

// Computes a node whose operands are all known integers; false if its operator isn't one for shapes.
bool fold_known(NodeImport& node);
bool folds(std::string_view op);  // whether it is one

}  // namespace dojo::onnx
