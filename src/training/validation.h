// What a network said of frames beside what was measured there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/label_specification.h"
#include "training/metrics.h"
#include "training/recipe.h"

namespace dojo::training {

// One value of one output, for every frame asked about. Classes count as the middle of the likeliest one.
struct OutputQuality {
  std::string output, label;
  Quality quality = {};                 // on the frames whose label was measured
  std::optional<double> accuracy = {};  // of classes: the part of those frames whose class is right
  std::size_t judged = 0;               // how many those are; without any, quality says nothing
  std::vector<float> predicted = {}, measured = {};  // by frame; measured: NaN where the label wasn't
};

// What examples say of `frames`: frames x all values of all targets.
std::vector<float> measured_values(const data::Examples& examples, const std::vector<std::uint32_t>& frames);

// `measured`: frames x all values of all targets. `outputs`: of each target, frames x elements. Every value
// of every output, in order.
std::vector<OutputQuality> judge(const std::vector<data::Signal>& targets,
                                 const std::vector<data::LabelSpecification>& specifications,
                                 const std::vector<float>& measured,
                                 const std::vector<std::vector<float>>& outputs);

// "angle", or "steering.angle" where the output has another name than its label: a column of a table.
std::string column(const OutputQuality& value);

// Which of two states of a run predicts better: by the mean R2 of all values that have one, then by the sum
// of their RMSE.
struct Score {
  double mean_r2 = 0, rmse = 0;
  bool is_better_than(const Score& other) const;  // never where it is not a number
};
Score score_of(const std::vector<OutputQuality>& values);
Score score_of(std::span<const double> r2, std::span<const double> rmse);  // one each of every value

}  // namespace dojo::training
