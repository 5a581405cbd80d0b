// Floating-point types of 16 bits and fewer: what their codes mean, and how an FP32 number is rounded to one.
//
// A rounded number stays an FP32 number. The rounding is an expression of our own scalars, so that nodes
// compute it; numbers that the file knows go through the same expression.
#pragma once

#include <cstdint>

#include "graph/ir.h"
#include "numerics/format.h"
#include "onnx/file.h"

namespace dojo::onnx {

struct NarrowType {
  DataType type;
  numerics::FormatSpec spec;
  // The code of a negative zero is the only NaN, and there is no infinity (the types whose names end in
  // FNUZ).
  bool zero_is_nan = false;
};

const NarrowType* narrow_type(DataType type);  // nullptr if it is none

float value_of(std::uint32_t code, const NarrowType& type);

// Of input 0: to nearest, halves to even. Beyond the largest number: that, if it saturates; else infinity, or
// NaN in a type without. (ONNX's Cast saturates unless told otherwise, and float16 and bfloat16 never do.)
graph::Expression rounding_to(const NarrowType& type, bool saturates);

}  // namespace dojo::onnx
