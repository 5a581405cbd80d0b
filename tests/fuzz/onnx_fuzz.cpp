// Arbitrary bytes as an ONNX file: read, written again, imported, differentiated and fused, or refused, and
// nothing else.
//
// Built with clang's -fsanitize=fuzzer,address,undefined together with the sources of src/graph, src/base and
// src/numerics that are no tests. Good seeds are the model.onnx files of libonnx-testdata's node tests: small
// and many.
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "graph/fuse.h"
#include "graph/gradient.h"
#include "graph/one_sample.h"
#include "onnx/aten.h"
#include "onnx/import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dojo::onnx;
  try {
    const Model model = parse_model({reinterpret_cast<const char*>(data), size}, "fuzz.onnx");
    encode_model(model);
    if (is_aten(model)) {
      dojo::graph::Graph step = import_aten(model, "fuzz.onnx").graph;
      dojo::graph::as_one_sample(step);
      dojo::graph::fuse(step);
      return 0;
    }
    Network network = import_model(model, "fuzz.onnx", {.batch = 2});
    dojo::graph::Graph forward = network.graph;
    dojo::graph::fuse(forward);
    dojo::graph::differentiate(network.graph, add_losses(network).total);
    dojo::graph::fuse(network.graph, true);
  } catch (const dojo::UserError&) {
  }
  return 0;
}
