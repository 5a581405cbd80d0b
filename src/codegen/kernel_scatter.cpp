// Kernels whose points meet in the same output elements: contributions are added into an FP32 slice of the
// output.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/index.h"
#include "codegen/kernel_writer.h"
#include "lowering/access.h"

namespace dojo::codegen {
// Opens loops over the leading output dimensions that are one axis each; what is under them is the slice,
// zeroed (or -infinite).
KernelWriter::Slice KernelWriter::begin_slice() {
  Slice slice;
  const auto& shape = out_.buffer->shape;
  std::size_t prefix = 0;
  for (; prefix < shape.size(); ++prefix) {
    int owner = -1;
    for (const int a : parallel_) {
      if (lowering::plain_dimension(op_.out, at(a)) == static_cast<int>(prefix)) owner = a;
    }
    const bool whole =
        owner >= 0 && (op_.box[at(owner)].extent == shape[prefix] || axes_[at(owner)].run_time);
    if (!whole) break;
    slice.outer.push_back(owner);
  }
  for (std::size_t d = prefix; d < shape.size(); ++d) slice.elements *= shape[d];
  slice.in_place = out_.buffer->format == numerics::Format::fp32 && op_.epilogue.empty() && !step_.accumulate;
  if (!slice.in_place) reserve(slice.elements, "float", "slice");
  for (const int a : slice.outer) {
    code_.open(
        fmt::format("for (long {0} = 0; {0} < {1}; ++{0})", axes_[at(a)].variable, axes_[at(a)].count));
  }
  slice.pointer = "slice";
  if (slice.in_place) {
    AffineText start{std::vector<std::int64_t>(axes_.size(), 0), ""};
    const AffineText whole = position(out_);
    for (const int a : slice.outer) start.strides[at(a)] = whole.strides[at(a)];
    if (out_.shifted && !slice.outer.empty()) {
      for (const int a : slice.outer) {
        if (a == step_.tile_axis) start.base = fmt::format("{} * first", whole.strides[at(a)]);
      }
    }
    code_.line(fmt::format("float* __restrict const slice = out + {};", to_text(start, axes_)));
  }
  code_.line("#pragma clang loop vectorize(assume_safety) vectorize_width(16, scalable)");
  code_.line(fmt::format("for (long e = 0; e < {}; ++e) slice[e] = {};", slice.elements, identity()));
  return slice;
}

// Where a point lands within the slice.
AffineText KernelWriter::slice_position(const Slice& slice) const {
  graph::Access inner;
  std::vector<std::int64_t> shape;
  for (std::size_t d = slice.outer.size(); d < op_.out.map.size(); ++d) {
    inner.map.push_back(op_.out.map[d]);
    shape.push_back(out_.buffer->shape[d]);
  }
  return affine(lowering::linear(inner, axes_.size(), shape), Operand{}, {});
}

// Out of the slice through the epilogue into the output; closes the loops.
void KernelWriter::finish_slice(const Slice& slice) {
  if (!slice.in_place) {
    const auto& shape = out_.buffer->shape;
    const std::size_t prefix = slice.outer.size(), box = axes_.size(), all = box + shape.size() - prefix;
    std::vector<LoopAxis> axes = axes_;
    std::vector<int> order;
    for (std::size_t d = prefix; d < shape.size(); ++d) {
      order.push_back(static_cast<int>(axes.size()));
      axes.push_back({fmt::format("d{}", d), fmt::format("{}", shape[d]), shape[d], false, false});
    }
    const auto along_output = [&](const Operand& operand) {
      AffineText text{std::vector<std::int64_t>(all, 0), ""};
      std::int64_t stride = 1;
      for (std::size_t d = operand.access->map.size(); d-- > 0; stride *= operand.buffer->shape[d]) {
        const graph::AffineIndex& index = operand.access->map[d];
        const bool constant = std::all_of(index.coefficients.begin(), index.coefficients.end(),
                                          [](std::int64_t c) { return c == 0; });
        if (constant) {
          if (index.offset != 0)
            text.base += fmt::format("{}{}", text.base.empty() ? "" : " + ", stride * index.offset);
          continue;
        }
        const auto same = [&](const graph::AffineIndex& out) {
          return out.coefficients == index.coefficients && out.offset == index.offset;
        };
        const auto found = std::find_if(op_.out.map.begin(), op_.out.map.end(), same);
        DOJO_ENSURE(found != op_.out.map.end());
        const auto dimension = static_cast<std::size_t>(found - op_.out.map.begin());
        const std::size_t axis = dimension < prefix ? at(slice.outer[dimension]) : box + dimension - prefix;
        text.strides[axis] += stride;
        if (dimension < prefix && slice.outer[dimension] == step_.tile_axis && operand.shifted) {
          text.base += fmt::format("{}{} * first", text.base.empty() ? "" : " + ", stride);
        }
      }
      return text;
    };
    IndexList list;
    const auto enter = [&](const Operand& operand) {
      list.first.push_back(list.indices.size());
      list.indices.push_back(along_output(operand));
    };
    enter(out_);
    for (const Operand& operand : extra_) enter(operand);
    AffineText element{std::vector<std::int64_t>(all, 0), ""};
    std::int64_t stride = 1;
    for (std::size_t d = shape.size(); d-- > prefix; stride *= shape[d])
      element.strides[box + d - prefix] = stride;
    list.indices.push_back(element);
    // Along the output nothing leaves it.
    const Operand guarded = out_;
    out_.guarded = false;
    for (Operand& operand : extra_) operand.guarded = false;
    write_nest(code_, axes, order, list.indices, Order::free,
               [&](const auto& texts) { store(fmt::format("slice[{}]", texts.back()), list, 0, texts); });
    out_ = guarded;
  }
  for (std::size_t k = 0; k < slice.outer.size(); ++k) code_.close();
}

// The inner parallel axes in an order that brings the contributions of every element in ir.h's order. Where
// each output index is a sum of at most two axes with positive coefficients, a later position along the first
// means an earlier one along the second: running the second axes backwards outside gives the same order and
// leaves all others free. Otherwise the order of the box stays.
std::vector<int> KernelWriter::scatter_order(const Slice& slice, bool& free_order) {
  std::vector<int> inner;
  for (const int a : parallel_) {
    if (std::find(slice.outer.begin(), slice.outer.end(), a) == slice.outer.end()) inner.push_back(a);
  }
  std::vector<int> backwards, others;
  free_order = true;
  std::vector<int> dimensions_of(axes_.size(), 0);
  for (std::size_t d = slice.outer.size(); d < op_.out.map.size(); ++d) {
    std::vector<int> used;
    for (const int a : inner) {
      if (!lowering::reaches(op_.out.map[d], at(a)) || extent(a) == 1) continue;
      used.push_back(a);
      ++dimensions_of[at(a)];
      if (op_.out.map[d].coefficients[at(a)] < 0) free_order = false;
    }
    if (used.size() > 2) free_order = false;
    if (used.size() == 2) backwards.push_back(used[1]);
  }
  for (const int count : dimensions_of) free_order = free_order && count <= 1;
  if (!free_order) return inner;
  std::vector<int> order = backwards;
  for (const int a : backwards) axes_[at(a)].reversed = true;
  for (const int a : inner) {
    if (std::find(backwards.begin(), backwards.end(), a) == backwards.end()) others.push_back(a);
  }
  const auto longest =
      std::max_element(others.begin(), others.end(), [&](int a, int b) { return extent(a) < extent(b); });
  if (longest != others.end()) std::rotate(longest, longest + 1, others.end());
  order.insert(order.end(), others.begin(), others.end());
  return order;
}

void KernelWriter::write_scatter() {
  kernel_.kind = "scatter";
  const Slice slice = begin_slice();
  bool free_order = false;
  const std::vector<int> order = scatter_order(slice, free_order);
  IndexList list;
  for (const Operand& operand : in_) add(list, operand);
  add(list, out_);
  const std::size_t target = list.indices.size();
  list.indices.push_back(slice_position(slice));
  write_nest(code_, axes_, order, list.indices,
             free_order && chain_.empty() ? Order::vectorised : Order::given, [&](const auto& outer_texts) {
               std::string value;
               if (chain_.empty()) {
                 value = combine(identity(), read_inputs(list, outer_texts));
               } else {
                 code_.line(fmt::format("float acc = {};", identity()));
                 write_nest(code_, axes_, chain_, list.indices, Order::given, [&](const auto& texts) {
                   code_.line(fmt::format("acc = {};", combine("acc", read_inputs(list, texts))));
                 });
                 value = "acc";
               }
               const std::string element = fmt::format("slice[{}]", outer_texts[target]);
               const std::string guard =
                   out_.guarded ? fmt::format("if ({}) ", inside(out_, list, in_.size(), outer_texts)) : "";
               if (op_.reduction == graph::Reduction::maximum)
                 value = fmt::format("scalar::maximum({}, {})", element, value);
               if (op_.reduction == graph::Reduction::sum) value = fmt::format("{} + ({})", element, value);
               code_.line(fmt::format("{}{} = {};", guard, element, value));
             });
  finish_slice(slice);
}

}  // namespace dojo::codegen
