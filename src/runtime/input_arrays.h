// Arrays as the inputs of a network.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/array.h"
#include "onnx/import.h"

namespace dojo::runtime {

// Samples in the arrays, along dimension 0. Throws UserError, which begins with `where`, if not all have as
// many.
std::int64_t samples_in(const data::Arrays& arrays, std::string_view where);

// The array of the input's name; a lone array serves a lone input whatever it is called. Throws UserError if
// there is none.
const data::Array& input_array(const onnx::NetworkInput& input, const onnx::Network& network,
                               const data::Arrays& arrays, std::string_view where);

// Its elements, in the shape that the network's graph has for them. Throws UserError for another shape, and
// for what is no number of the input's type.
std::vector<float> input_values(const onnx::NetworkInput& input, const onnx::Network& network,
                                const data::Arrays& arrays, std::string_view where);

std::string shape_text(std::span<const std::int64_t> shape);  // "[3, 4]"
std::vector<std::string> names_of(const data::Arrays& arrays);

}  // namespace dojo::runtime
