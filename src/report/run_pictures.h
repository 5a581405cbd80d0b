// The pictures of a training run, as SVG that a browser shows. The same figures give the same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "training/history.h"
#include "training/validation.h"

namespace dojo::report {

// The loss by step, as it was and as the mean of the steps around; below it the R2 of each value on the
// held-out frames where there was a validation, the best one ringed. `table`: of a history.csv.
std::string loss_picture(const training::HistoryTable& table);

// A row for each value: predicted against true, and both in the order of the frames, cut where frames between
// two of them are left out. `frames`: their numbers, in order of time; `what`: what they are, "held-out
// frames".
std::string predictions_picture(const std::vector<training::OutputQuality>& values,
                                const std::vector<std::uint32_t>& frames, std::string_view what);

}  // namespace dojo::report
