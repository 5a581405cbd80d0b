// Arrays as training data: dimension 0 counts the samples, an array of an input's name is what that input is
// given, and one is what an output learns.
//
// An output learns the array that its metadata names (opendojo.label.OUTPUT), or the one of its own name, or
// OUTPUT.label; a lone output the one array that no input takes. How: as it was asked, or as the metadata
// says; else whole numbers of the output's shape without one dimension are classes of that dimension, the
// first behind the samples that fits or the last, and anything of the output's own shape is learnt by mean
// squared error.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/array.h"
#include "onnx/import.h"
#include "training/data_source.h"

namespace dojo::training {

class ArrayData final : public DataSource {
public:
  // `asked`: how outputs are to learn (onnx::Choices). `where` and `model_name` are for sentences. Throws
  // UserError for arrays that the network's inputs or outputs do not fit, labels that are not finite, and
  // classes that are none.
  ArrayData(const data::Arrays& arrays, std::string where, const onnx::Model& model,
            std::string_view model_name, const onnx::Choices& asked);
  ~ArrayData() override;

  const onnx::Choices& choices() const { return choices_; }  // for the network's import
  const std::vector<std::string>& notes() const {
    return notes_;
  }  // a sentence for each output: what it learns, how; and for each array that nothing uses

  std::string name() const override;
  TrainingData for_training(const TrainableNetwork& network) override;
  const data::Dataset& frames() const override;
  const data::Split& split() const override { return split_; }

private:
  class Samples;

  void add_target(const onnx::NetworkOutput& output, const onnx::Network& network, const data::Arrays& arrays,
                  bool is_chosen);
  void note_unused(const onnx::Network& network, const data::Arrays& arrays);

  std::string where_;
  std::unique_ptr<Samples> samples_;
  data::Split split_;
  onnx::Choices choices_;
  std::vector<data::LabelSpecification> specifications_;
  std::vector<std::string> notes_;
};

}  // namespace dojo::training
