// A conformance case as ONNX's backend tests lie in a folder: model.onnx, test_data_set_N/input_K.pb,
// output_K.pb. Reading one, importing its model for its inputs, comparing what came out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onnx/file.h"
#include "onnx/import.h"

namespace dojo::onnx {

struct Tolerance {
  float relative = 1e-3f, absolute = 1e-7f;  // those of ONNX's own runner
};

struct Case {
  std::string name;  // of the folder
  Model model;
  std::vector<Tensor> inputs, outputs;  // of one data set; floating ones as float32
  std::string op() const;               // of its only node, or "several"
  // Four roundings more where the model says that an output holds bfloat16 or float16: we compute in FP32,
  // the case's numbers were rounded after every operation. Of a DFT half a place of its largest number: what
  // its terms leave of each other is as far from 0 in the case's own numbers.
  Tolerance tolerance(std::size_t output) const;
};

// Throws UserError if model or data are unreadable, or no tensors. `set`: the folder of the data.
Case read_case(const std::filesystem::path& folder, const std::string& set = "test_data_set_0");

// How the inputs enter the graph: the first as a batch of samples, others as initialisers; all as tensors
// without a batch; those of floating-point numbers alone so, the others as initialisers; all as tensors, with
// whole numbers that are said to lie within those of the case; the first alone so; all as initialisers.
enum class Feed : std::uint8_t {
  batch,
  tensors,
  floating_tensors,
  bounded_tensors,
  first_bounded_tensor,
  initialisers
};

// Refuses a batch if the first input has no dimensions.
Network import_case(const Case& tested, Feed feed);
// Which of the case's inputs is the network's k-th.
const Tensor& input_of(const Case& tested, const std::string& name);

// Nothing if the values are the expected ones (NaN is equal to NaN), else the first difference.
std::optional<std::string> difference(const std::vector<float>& got, const std::vector<std::int64_t>& shape,
                                      const Tensor& expected, std::string_view name,
                                      const Tolerance& tolerance);

}  // namespace dojo::onnx
