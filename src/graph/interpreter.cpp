// How one op runs: the box is walked in ir.h's order, except that a whole row along one axis is evaluated at
// once. Along a kept axis (one that the output is indexed by) the points of a row belong to different chains,
// and along the last chain axis they are combined one after the other; so neither choice reorders any chain,
// and the longer axis is taken.
#include "graph/interpreter.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/error.h"
#include "graph/expression.h"
#include "numerics/scalar_math.h"

namespace dojo::graph {
namespace {

constexpr std::size_t no_axis = ~std::size_t{0};  // the row of a box without axes, of one point

// Where an access points at the current point of the box.
class Cursor {
public:
  Cursor(const Graph& graph, const Access& access) : access_(access), shape_(graph.at(access.tensor).shape) {
    strides_.assign(shape_.size(), 1);
    for (std::size_t d = shape_.size(); d-- > 1;) strides_[d - 1] = strides_[d] * shape_[d];
    for (const AffineIndex& index : access.map) at_.push_back(index.offset);
  }

  void move(std::size_t axis, std::int64_t by) {
    for (std::size_t d = 0; d < at_.size(); ++d) at_[d] += by * access_.map[d].coefficients[axis];
  }

  // The part of a row of `length` points along `axis`, starting here, that lies in the tensor: points [low,
  // high), the first of them at `offset`, the others `step` apart.
  struct Row {
    std::int64_t low, high, offset, step;
  };
  Row row(std::size_t axis, std::int64_t length) const {
    Row row{0, length, 0, 0};
    for (std::size_t d = 0; d < at_.size(); ++d) {
      const std::int64_t k = axis == no_axis ? 0 : access_.map[d].coefficients[axis], last = shape_[d] - 1;
      row.offset += at_[d] * strides_[d];
      row.step += k * strides_[d];
      if (k == 0) {
        if (at_[d] < 0 || at_[d] > last) row.high = 0;
      } else {
        const std::int64_t first_edge = k > 0 ? -at_[d] : last - at_[d],
                           last_edge = k > 0 ? last - at_[d] : -at_[d];
        row.low = std::max(row.low, ceil_divide(first_edge, k));
        row.high = std::min(row.high, floor_divide(last_edge, k) + 1);
      }
    }
    row.high = std::max(row.high, std::int64_t{0});
    row.low = std::min(row.low, row.high);
    row.offset += row.low * row.step;
    return row;
  }

  // Computed indices: the element at point j of such a row, where `computed` gives by dimension the row of
  // what is added to it (null: nothing); none if it lies outside.
  std::optional<std::size_t> element(std::size_t axis, std::size_t j,
                                     const std::vector<const float*>& computed) const {
    std::int64_t element = 0;
    for (std::size_t d = 0; d < at_.size(); ++d) {
      const std::int64_t k = axis == no_axis ? 0 : access_.map[d].coefficients[axis];
      std::int64_t at = at_[d] + k * static_cast<std::int64_t>(j);
      if (computed[d] != nullptr) {
        const auto index = computed_index(computed[d][j]);
        if (!index) return std::nullopt;
        at += *index;
      }
      if (at < 0 || at >= shape_[d]) return std::nullopt;
      element += at * strides_[d];
    }
    return static_cast<std::size_t>(element);
  }

  float outside() const { return access_.outside; }

private:
  static std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
  }
  static std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return -floor_divide(-a, b); }

  const Access& access_;
  const std::vector<std::int64_t>& shape_;
  std::vector<std::int64_t> strides_, at_;
};

// Steps through some axes of the box in lexicographic order and takes the cursors along.
class Walk {
public:
  Walk(const std::vector<Axis>& box, std::vector<std::size_t> axes, std::vector<Cursor>& cursors)
      : box_(box), axes_(std::move(axes)), point_(axes_.size(), 0), cursors_(cursors) {}

  // To the next point; at the end back to the first, and false.
  bool next() {
    for (std::size_t k = axes_.size(); k-- > 0;) {
      if (++point_[k] < box_[axes_[k]].extent) {
        move(axes_[k], 1);
        return true;
      }
      move(axes_[k], 1 - box_[axes_[k]].extent);
      point_[k] = 0;
    }
    return false;
  }

private:
  void move(std::size_t axis, std::int64_t by) {
    for (Cursor& cursor : cursors_) cursor.move(axis, by);
  }

  const std::vector<Axis>& box_;
  std::vector<std::size_t> axes_;
  std::vector<std::int64_t> point_;
  std::vector<Cursor>& cursors_;
};

class OpRun {
public:
  OpRun(const Graph& graph, const StructuredOp& op, std::span<const std::vector<float>> values)
      : graph_(graph), op_(op), values_(values) {
    identity_ = op.reduction == Reduction::maximum ? -std::numeric_limits<float>::infinity() : 0;
    for (const Access& access : op.in) cursors_.emplace_back(graph, access);
    cursors_.emplace_back(graph, op.out);
    fma_ = op.reduction == Reduction::sum && is_product(op.body);
    if (fma_) {
      factor_a_ = root_at(op.body.nodes.back().a);
      factor_b_ = root_at(op.body.nodes.back().b);
    }
    choose_row();
  }

  std::vector<float> run() {
    out_.assign(static_cast<std::size_t>(element_count(graph_.at(op_.out.tensor).shape)), identity_);
    Walk kept(op_.box, kept_axes_, cursors_), chain(op_.box, chain_axes_, cursors_);
    do {
      std::fill(acc_.begin(), acc_.end(), identity_);
      do combine_row();
      while (chain.next());
      write_row();
    } while (kept.next());
    if (!op_.epilogue.empty()) apply_epilogue();
    round();
    return std::move(out_);
  }

private:
  Expression root_at(std::int32_t node) const {
    return {{op_.body.nodes.begin(), op_.body.nodes.begin() + node + 1}};
  }

  void choose_row() {
    for (std::size_t a = 0; a < op_.box.size(); ++a)
      (is_chain_axis(op_, a) ? chain_axes_ : kept_axes_).push_back(a);
    const auto last_extent = [&](const std::vector<std::size_t>& axes) {
      return axes.empty() ? 0 : op_.box[axes.back()].extent;
    };
    row_in_chain_ = last_extent(chain_axes_) > last_extent(kept_axes_);
    std::vector<std::size_t>& axes = row_in_chain_ ? chain_axes_ : kept_axes_;
    if (!axes.empty()) {
      row_axis_ = axes.back();
      length_ = static_cast<std::size_t>(op_.box[axes.back()].extent);
      axes.pop_back();
    }
    acc_.resize(row_in_chain_ ? 1 : length_);
    buffers_.assign(op_.in.size() + 2, std::vector<float>(length_));
    rows_.resize(op_.in.size());
  }

  // What is added to each index of an access, as rows; those that indices are computed from are fetched.
  std::vector<const float*> computed(const Access& access) const {
    std::vector<const float*> rows;
    for (const AffineIndex& index : access.map)
      rows.push_back(index.from == not_computed ? nullptr : rows_[static_cast<std::size_t>(index.from)]);
    return rows;
  }

  void gather_row(std::size_t k) {
    const std::vector<const float*> indices = computed(op_.in[k]);
    const std::vector<float>& from = values_[static_cast<std::size_t>(op_.in[k].tensor)];
    for (std::size_t j = 0; j < length_; ++j) {
      const auto element = cursors_[k].element(row_axis_, j, indices);
      buffers_[k][j] = element ? from[*element] : cursors_[k].outside();
    }
    rows_[k] = buffers_[k].data();
  }

  void fetch_row(std::size_t k) {
    const Cursor::Row row = cursors_[k].row(row_axis_, static_cast<std::int64_t>(length_));
    const float* from = values_[static_cast<std::size_t>(op_.in[k].tensor)].data() + row.offset;
    const auto low = static_cast<std::size_t>(row.low), high = static_cast<std::size_t>(row.high);
    if (row.step == 1 && low == 0 && high == length_) {
      rows_[k] = from;
      return;
    }
    std::vector<float>& to = buffers_[k];
    std::fill_n(to.begin(), low, cursors_[k].outside());
    for (std::size_t j = low; j < high; ++j, from += row.step) to[j] = *from;
    std::fill(to.begin() + row.high, to.end(), cursors_[k].outside());
    rows_[k] = to.data();
  }

  // The row of a (sub)expression; a plain input needs no copy.
  const float* evaluated(const Expression& expression, std::vector<float>& buffer) {
    const ScalarNode& root = expression.nodes.back();
    if (root.op == Scalar::input) return rows_[static_cast<std::size_t>(root.a)];
    evaluate_rows(expression, rows_, length_, buffer.data(), scratch_);
    return buffer.data();
  }

  void combine_row() {
    for (std::size_t k = 0; k < op_.in.size(); ++k)
      if (!has_computed_index(op_.in[k])) fetch_row(k);
    for (std::size_t k = 0; k < op_.in.size(); ++k)
      if (has_computed_index(op_.in[k])) gather_row(k);
    std::vector<float>&first = buffers_[op_.in.size()], &second = buffers_[op_.in.size() + 1];
    if (fma_) {
      const float* a = evaluated(factor_a_, first);
      const float* b = evaluated(factor_b_, second);
      each([=](float acc, std::size_t j) { return scalar::fma(a[j], b[j], acc); });
      return;
    }
    const float* body = evaluated(op_.body, first);
    switch (op_.reduction) {
      case Reduction::none:
        return each([=](float, std::size_t j) { return body[j]; });
      case Reduction::sum:
        return each([=](float acc, std::size_t j) { return acc + body[j]; });
      case Reduction::maximum:
        return each([=](float acc, std::size_t j) { return scalar::maximum(acc, body[j]); });
    }
  }

  template <typename Combine>
  void each(Combine combine) {
    if (row_in_chain_) {
      float acc = acc_[0];
      for (std::size_t j = 0; j < length_; ++j) acc = combine(acc, j);
      acc_[0] = acc;
    } else {
      float* acc = acc_.data();
      for (std::size_t j = 0; j < length_; ++j) acc[j] = combine(acc[j], j);
    }
  }

  void write_row() {
    const std::size_t axis = row_in_chain_ ? no_axis : row_axis_;
    if (has_computed_index(op_.out)) {
      const std::vector<const float*> indices = computed(op_.out);
      for (std::size_t j = 0; j < acc_.size(); ++j)
        if (const auto element = cursors_.back().element(axis, j, indices)) write(*element, acc_[j]);
      return;
    }
    const Cursor::Row row = cursors_.back().row(axis, static_cast<std::int64_t>(acc_.size()));
    for (std::int64_t j = row.low, at = row.offset; j < row.high; ++j, at += row.step)
      write(static_cast<std::size_t>(at), acc_[static_cast<std::size_t>(j)]);
  }

  void write(std::size_t at, float value) {
    float& out = out_[at];
    switch (op_.reduction) {
      case Reduction::none:
        out = value;
        break;
      case Reduction::sum:
        out = out + value;
        break;
      case Reduction::maximum:
        out = scalar::maximum(out, value);
        break;
    }
  }

  // An extra's value for every element of out.
  std::vector<float> spread(const Access& extra) const {
    const auto& shape = graph_.at(op_.out.tensor).shape;
    const auto& own = graph_.at(extra.tensor).shape;
    std::vector<std::int64_t> stride(shape.size(), 0);
    std::int64_t base = 0, step = 1;
    for (std::size_t d = own.size(); d-- > 0; step *= own[d]) {
      const AffineIndex& index = extra.map[d];
      if (std::count(index.coefficients.begin(), index.coefficients.end(), 0) ==
          static_cast<std::ptrdiff_t>(index.coefficients.size())) {
        base += step * index.offset;
        continue;
      }
      const auto of_out = std::ranges::find(op_.out.map, index);
      DOJO_ENSURE(of_out != op_.out.map.end());
      stride[static_cast<std::size_t>(of_out - op_.out.map.begin())] += step;
    }
    std::vector<float> result(out_.size());
    std::vector<std::int64_t> point(shape.size(), 0);
    for (float& value : result) {
      value = values_[static_cast<std::size_t>(extra.tensor)].at(static_cast<std::size_t>(base));
      for (std::size_t d = shape.size(); d-- > 0;) {
        base += stride[d];
        if (++point[d] < shape[d]) break;
        base -= stride[d] * shape[d];
        point[d] = 0;
      }
    }
    return result;
  }

  void apply_epilogue() {
    std::vector<std::vector<float>> arguments = {out_};
    for (const Access& extra : op_.extra) arguments.push_back(spread(extra));
    std::vector<const float*> rows;
    for (const auto& argument : arguments) rows.push_back(argument.data());
    evaluate_rows(op_.epilogue, rows, out_.size(), out_.data(), scratch_);
  }

  void round() {
    const numerics::Format format = graph_.at(op_.out.tensor).format;
    if (format == numerics::Format::fp32) return;
    for (float& value : out_) value = numerics::round_to(format, value);
  }

  const Graph& graph_;
  const StructuredOp& op_;
  std::span<const std::vector<float>> values_;
  float identity_ = 0;
  bool fma_ = false, row_in_chain_ = false;
  Expression factor_a_, factor_b_;                   // of a product that is summed
  std::vector<std::size_t> kept_axes_, chain_axes_;  // without the row's
  std::size_t row_axis_ = no_axis;
  std::size_t length_ = 1;
  std::vector<Cursor> cursors_;  // of the reads, then of out
  std::vector<const float*> rows_;
  std::vector<std::vector<float>> buffers_;
  std::vector<float> acc_, out_, scratch_;
};

}  // namespace

std::vector<float> interpret(const Graph& graph, const StructuredOp& op,
                             std::span<const std::vector<float>> values) {
  return OpRun(graph, op, values).run();
}

Interpreter::Interpreter(const Graph& graph) : graph_(graph), values_(graph.tensors.size()) {
  for (std::size_t id = 0; id < graph.tensors.size(); ++id) {
    if (!graph.tensors[id].data.empty()) set(static_cast<TensorId>(id), graph.tensors[id].data);
  }
}

void Interpreter::set(TensorId tensor, std::span<const float> values) {
  const Tensor& about = graph_.at(tensor);
  if (values.size() != static_cast<std::size_t>(element_count(about.shape))) {
    refuse(about.name, "{} values for the shape [{}]", values.size(), fmt::join(about.shape, ", "));
  }
  std::vector<float>& kept = values_[static_cast<std::size_t>(tensor)];
  kept.assign(values.begin(), values.end());
  if (about.format == numerics::Format::fp32) return;
  for (float& value : kept) value = numerics::round_to(about.format, value);
}

void Interpreter::run() {
  for (const StructuredOp& op : graph_.ops) {
    for (const TensorId id : inputs_of(op)) {
      if (values_[static_cast<std::size_t>(id)].empty())
        refuse(graph_.at(id).name, "has no value where '{}' reads it", op.name);
    }
    values_[static_cast<std::size_t>(op.out.tensor)] = interpret(graph_, op, values_);
  }
}

const std::vector<float>& Interpreter::value(TensorId tensor) const {
  const std::vector<float>& kept = values_.at(static_cast<std::size_t>(tensor));
  if (kept.empty()) refuse(graph_.at(tensor).name, "has no value yet");
  return kept;
}

void Interpreter::update() {
  std::vector<std::pair<TensorId, std::vector<float>>> fresh;
  for (const auto& [from, to] : graph_.update) fresh.emplace_back(from, value(to));
  for (const auto& [tensor, values] : fresh) set(tensor, values);
}

}  // namespace dojo::graph
