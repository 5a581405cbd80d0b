#include "graph/op_maker.h"

#include <optional>

#include "base/error.h"

namespace dojo::graph {

std::size_t OpMaker::axis(std::string name, std::int64_t extent) {
  op_.box.push_back({std::move(name), extent, false});
  return op_.box.size() - 1;
}

std::int32_t OpMaker::read(TensorId tensor, std::vector<Index> map, float outside) {
  op_.in.push_back({tensor, {}, outside});
  reads_.push_back(std::move(map));
  return static_cast<std::int32_t>(op_.in.size() - 1);
}

std::vector<AffineIndex> OpMaker::affine(const std::vector<Index>& map) const {
  std::vector<AffineIndex> result;
  for (const Index& index : map) {
    AffineIndex dense{std::vector<std::int64_t>(op_.box.size(), 0), index.offset, index.from};
    for (const auto& [axis, coefficient] : index.terms) dense.coefficients[axis] += coefficient;
    result.push_back(std::move(dense));
  }
  return result;
}

void OpMaker::flag_batch() {
  std::optional<std::size_t> batch;
  for (std::size_t k = 0; k < op_.in.size(); ++k) {
    const Tensor& tensor = builder_.graph_.at(op_.in[k].tensor);
    if (!tensor.has_batch) continue;
    const Index& index = reads_[k].front();
    const bool plain = index.terms.size() == 1 && index.terms[0].second == 1 && index.offset == 0 &&
                       index.from == not_computed && op_.box[index.terms[0].first].extent == tensor.shape[0];
    if (!plain || (batch && *batch != index.terms[0].first)) {
      throw UserError(op_.name,
                      fmt::format("an index into the batch of '{}' other than sample by sample", tensor.name),
                      Refusal::unsupported);
    }
    batch = index.terms[0].first;
  }
  if (batch) op_.box[*batch].is_batch = true;
}

// Whether the batch is dimension 0 of the output. Refuses to have it elsewhere, or in an operand that has no
// batch.
bool OpMaker::batch_reaches(const Access& out) const {
  bool reached = false;
  for (std::size_t a = 0; a < op_.box.size(); ++a) {
    if (!op_.box[a].is_batch) continue;
    const auto uses = [&](const AffineIndex& index) { return index.coefficients[a] != 0; };
    for (std::size_t d = 0; d < out.map.size(); ++d) {
      if (!uses(out.map[d])) continue;
      bool plain = d == 0 && out.map[d].offset == 0 && out.map[d].from == not_computed;
      for (std::size_t other = 0; other < op_.box.size(); ++other) {
        plain = plain && out.map[d].coefficients[other] == (other == a ? 1 : 0);
      }
      if (!plain) throw UserError(op_.name, "moving the batch away from dimension 0", Refusal::unsupported);
      reached = true;
    }
    for (const Access& access : op_.in) {
      const Tensor& tensor = builder_.graph_.at(access.tensor);
      for (std::size_t d = tensor.has_batch ? 1 : 0; d < access.map.size(); ++d) {
        if (uses(access.map[d])) {
          throw UserError(op_.name,
                          fmt::format("'{}' has values of its own for each sample of the batch", tensor.name),
                          Refusal::unsupported);
        }
      }
    }
  }
  return reached;
}

TensorId OpMaker::write(Shape shape, const std::vector<Index>& map, Reduction reduction, Expression body) {
  op_.name = builder_.fresh_op_name();
  op_.origin = builder_.origin_;
  for (const std::int64_t extent : shape) {
    if (extent < 1) refuse(op_.name, "the result would have the shape [{}]", fmt::join(shape, ", "));
  }
  for (std::size_t k = 0; k < op_.in.size(); ++k) op_.in[k].map = affine(reads_[k]);
  op_.out.map = affine(map);
  flag_batch();
  op_.reduction = reduction;
  op_.body = std::move(body);
  Tensor tensor;
  tensor.name = builder_.fresh_tensor_name(op_.name);
  tensor.shape = std::move(shape);
  tensor.has_batch = batch_reaches(op_.out);
  op_.out.tensor = builder_.graph_.add(std::move(tensor));
  const TensorId result = op_.out.tensor;
  builder_.graph_.ops.push_back(std::move(op_));
  return result;
}

std::string axis_name(const Tensor& tensor, std::size_t dimension) {
  return tensor.has_batch && dimension == 0 ? "n" : fmt::format("d{}", dimension);
}

std::size_t normal_axis(const std::string& op, std::int64_t axis, std::size_t rank) {
  const std::int64_t positive = axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis;
  if (positive < 0 || positive >= static_cast<std::int64_t>(rank)) {
    refuse(op, "axis {} does not exist in {} dimensions", axis, rank);
  }
  return static_cast<std::size_t>(positive);
}

}  // namespace dojo::graph
