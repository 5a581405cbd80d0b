#include "training/predictions.h"

#include <fmt/format.h>

#include <cmath>
#include <ranges>

#include "training/table_text.h"

namespace dojo::training {

std::string predictions_csv(const data::Dataset& data, const std::vector<std::uint32_t>& frames,
                            const std::vector<OutputQuality>& values) {
  std::string text = "recording,record";
  const auto has_columns = [](const OutputQuality& value) { return value.places == 1; };
  for (const OutputQuality& value : values | std::views::filter(has_columns))
    text += fmt::format(",true.{0},predicted.{0}", head_field(column(value)));
  text += "\n";
  for (std::size_t f = 0; f < frames.size(); ++f) {
    text += fmt::format("{},{}", text_field(data.recording(frames[f])), data.record(frames[f]));
    for (const OutputQuality& value : values | std::views::filter(has_columns)) {
      const std::string truth =
          std::isnan(value.measured[f]) ? std::string() : fmt::format("{}", value.measured[f]);
      text += fmt::format(",{},{}", truth, value.predicted[f]);
    }
    text += "\n";
  }
  return text;
}

}  // namespace dojo::training
