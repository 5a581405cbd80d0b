// predictions.csv: what a network said of frames, beside what was measured there.
//
// recording, record (whose frame, and its number there), then for each value of each output true.NAME and
// predicted.NAME, NAME as in history.csv. A frame a row, in order of time. Numbers have all digits of their
// float32; a field is empty where nothing was measured. Classes stand as in validation.h. What has many
// places in a frame has no columns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "training/validation.h"

namespace dojo::training {

// `values`: of `frames` of `data`, in their order.
std::string predictions_csv(const data::Dataset& data, const std::vector<std::uint32_t>& frames,
                            const std::vector<OutputQuality>& values);

}  // namespace dojo::training
