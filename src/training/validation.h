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

// One value of one output, for every frame asked about; of many places (pixels, tokens), all of each frame.
// Classes count as the middle of the likeliest one.
struct OutputQuality {
  std::string output, label;
  std::size_t places = 1;               // of a frame
  bool classes_are_names = false;       // then `quality` says nothing, accuracy all
  Quality quality = {};                 // on the frames whose label was measured
  std::optional<double> accuracy = {};  // of classes: the part of those frames whose class is right
  std::size_t judged = 0;               // how many those are; without any, quality says nothing
  std::vector<float> predicted = {},
                     measured = {};  // by frame and place; measured: NaN where the label wasn't

  // What is to grow, and what is to shrink: R2 and RMSE; of names the part that is right, and that which is
  // not.
  double merit() const { return classes_are_names ? accuracy.value_or(0) : quality.r2; }
  double error() const { return classes_are_names ? 1 - accuracy.value_or(0) : quality.rmse; }
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

// Which of two states of a run predicts better: by the mean merit of all values that have one, then by the
// sum of their errors.
struct Score {
  double merit = 0, error = 0;                    // the mean; the sum
  bool is_better_than(const Score& other) const;  // never where it is not a number
};
Score score_of(const std::vector<OutputQuality>& values);
Score score_of(std::span<const double> merits, std::span<const double> errors);  // one each of every value

}  // namespace dojo::training
