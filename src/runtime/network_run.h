// One forward pass of an ONNX network on arrays, on the emulated machine.
#pragma once

#include <string>
#include <string_view>

#include "codegen/compile.h"
#include "data/array.h"
#include "machine/ledger.h"
#include "machine/machine.h"
#include "onnx/file.h"

namespace dojo::runtime {

struct NetworkRunOptions {
  machine::Machine machine;
  codegen::Options compiling{.formats = lowering::FormatChoice::fp32};
};

struct NetworkRun {
  data::Arrays outputs;  // by the names of the network's outputs: whole numbers and truth in its own type,
                         // others float32
  std::string stranded;  // what kept it from finishing; then there are no outputs
  std::int64_t batch = 1;
  unsigned nodes = 0;
  std::uint64_t cycles = 0;  // of the pass, parameters in place
  machine::Ledger ledger;
};

// `inputs`: an array for each of the network's inputs, by name, the samples along dimension 0; a lone array
// serves a lone input whatever it is called. Whole numbers up to 2^24, the largest that FP32 tells apart.
// `model_name` and `inputs_name` are for sentences. Throws UserError if something does not fit.
NetworkRun run_network(const onnx::Model& model, std::string_view model_name, const data::Arrays& inputs,
                       std::string_view inputs_name, const NetworkRunOptions& options);

}  // namespace dojo::runtime
