// Makes one structured op for the builder: axes, reads, then the write that completes it. Batch axes are
// found here.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "graph/builder.h"
#include "graph/expression.h"

namespace dojo::graph {

// An index into one dimension: axis numbers with coefficients, and an offset.
struct Index {
  std::vector<std::pair<std::size_t, std::int64_t>> terms;
  std::int64_t offset = 0;
  std::int32_t from = not_computed;  // the input that is added to it

  static Index fixed(std::int64_t offset) { return {{}, offset}; }
  static Index along(std::size_t axis, std::int64_t coefficient = 1, std::int64_t offset = 0) {
    return {{{axis, coefficient}}, offset};
  }
  static Index computed(std::int32_t from, std::int64_t offset = 0) { return {{}, offset, from}; }
  Index& plus(std::size_t axis, std::int64_t coefficient) {
    terms.emplace_back(axis, coefficient);
    return *this;
  }
};

class OpMaker {
public:
  explicit OpMaker(Builder& builder) : builder_(builder) {}

  std::size_t axis(std::string name, std::int64_t extent);
  std::size_t axes() const { return op_.box.size(); }

  // Adds a read; returns which input it is.
  std::int32_t read(TensorId tensor, std::vector<Index> map, float outside = 0);

  // Completes the op and appends it. Refuses a batch that leaves dimension 0.
  TensorId write(Shape shape, const std::vector<Index>& map, Reduction reduction, Expression body);

private:
  std::vector<AffineIndex> affine(const std::vector<Index>& map) const;
  void flag_batch();
  bool batch_reaches(const Access& out) const;

  Builder& builder_;
  StructuredOp op_;
  std::vector<std::vector<Index>> reads_;
};

// A name per dimension, for people: "n" for the batch, then "d1"...
std::string axis_name(const Tensor& tensor, std::size_t dimension);

// Axis in [0, rank), negative ones counted from the end; refuses others in the name of `op`.
std::size_t normal_axis(const std::string& op, std::int64_t axis, std::size_t rank);

}  // namespace dojo::graph
