// What exporters change in a network that is to be trained, although it computes the same: found, told, and
// undone where that is possible.
//
// PyTorch's default exporter (`dynamo=True`; seen in torch 2.13 with onnxscript 0.7) writes initialisers of
// equal value and at most 1,024 elements once, so that the scales of all fresh norms of one width are one
// vector; and it computes a batch norm into the convolution or product before it, in training mode, too, so
// that neither its scale nor its statistics are left to be trained. Without its optimisation
// (`optimize=False`) it does neither.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "onnx/file.h"

namespace dojo::onnx {

// A vector (at most one dimension above 1) that several operands are. Trained, it stays one.
struct SharedVector {
  std::string name;
  std::vector<std::string>
      readers;  // node names, in the file's order; a node that reads it twice stands twice
};

// In the file's order. What reads a part of it, or its shape, does not count, nor does an Identity, which
// makes a value of its own.
std::vector<SharedVector> shared_vectors(const Model& model);

// The model with a copy of its own for every reader of a shared vector but the first.
Model untied(Model model);

// Names of the nodes (Conv, ConvTranspose, Gemm) into which a batch norm was computed, as far as the names
// that the exporter leaves show it.
std::vector<std::string> folded_norms(const Model& model);

// That the exporter made the initialiser up, by its name.
bool is_made_up(const Model& model, std::string_view name);

// Initialisers that the exporter made up because InstanceNormalization must have a scale and a shift, where
// the module (a GroupNorm, an InstanceNorm without any) has none.
std::set<std::string> fillers_of_norms(const Model& model);

}  // namespace dojo::onnx
