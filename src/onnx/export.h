// A trained network back as ONNX: the file's own nodes with the trained values in place of its initialisers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "onnx/file.h"
#include "onnx/import.h"

namespace dojo::onnx {

// The model with new values for its float32 initialisers, by name and of their size; those without an entry
// stay as they are, and values without an initialiser (an optimizer's) are left out. An Identity of an
// initialiser whose result has a value becomes an initialiser of that name. Parameters and states of an
// imported network bear their initialisers' names.
Model with_values(Model model, const std::map<std::string, std::vector<float>>& values);

// The initial values of all parameters and states of a network, as with_values takes them.
std::map<std::string, std::vector<float>> initial_values(const Network& network);

}  // namespace dojo::onnx
