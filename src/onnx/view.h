// Where the batch of an ONNX value lies, while our graph keeps it in dimension 0 of every tensor.
//
// A value's dimension `dimension` runs over outer x batch x inner, the last fastest. Its tensor holds the
// batch first and then the value's other dimensions in their order, with outer and inner, where they aren't
// 1, in the place of `dimension`:
//
//   value [b, n, e]        tensor [b, n, e]      dimension 0: plain
//   value [n, b, e]        tensor [b, n, e]      dimension 1
//   value [b * h, n, d]    tensor [b, h, n, d]   dimension 0, inner h
//   value [n * b, e]       tensor [b, n, e]      dimension 0, outer n
//
// So moving the batch about costs nothing, and what computes sample by sample can do so on the tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "graph/builder.h"

namespace dojo::onnx {

struct View {
  std::size_t dimension = 0;
  std::int64_t outer = 1, inner = 1;

  bool operator==(const View&) const = default;
  bool is_plain() const { return *this == View{}; }
  bool is_group() const { return outer != 1 || inner != 1; }
};

// The shapes of a value and of its tensor, from each other.
graph::Shape value_shape(const View& view, const graph::Shape& tensor);
graph::Shape tensor_shape(const View& view, const graph::Shape& value, std::int64_t batch);

// The dimension of the tensor that is dimension d of the value; d is not the batch's, unless that is no
// group.
std::size_t tensor_dimension(const View& view, std::size_t d);

// The view of a value that takes another shape with the same elements; nothing if the batch is then not
// within one dimension. `batch` is the extent that both shapes were written for.
std::optional<View> reshaped(const View& view, const graph::Shape& from, const graph::Shape& to,
                             std::int64_t batch);

// What a permutation of the value's dimensions does to its tensor's.
std::vector<std::int64_t> tensor_permutation(const View& view, const std::vector<std::int64_t>& permutation);

}  // namespace dojo::onnx
