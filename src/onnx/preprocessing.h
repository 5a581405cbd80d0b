// Which initialisers only prepare the input, so that nobody means them to be trained: the mean and the
// deviation in (x - mean) / deviation.
#pragma once

#include <set>
#include <string>

#include "onnx/file.h"

namespace dojo::onnx {

// Names of the floating-point initialisers that are read by nothing but additions, subtractions,
// multiplications and divisions whose other operand is the network's input, moved, cut or prepared before;
// and from there the weight of a convolution or a matrix product follows. A network
// that does nothing else to its input keeps them: they are all that it has to learn. The learnt scale and
// shift of a normalisation are no preparation, wherever it stands.
std::set<std::string> preprocessing_initialisers(const GraphFile& graph);

}  // namespace dojo::onnx
