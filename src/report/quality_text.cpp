#include "report/quality_text.h"

#include <fmt/format.h>

#include <cmath>

#include "base/printable.h"

namespace dojo::report {

std::string quality_text(const std::vector<training::OutputQuality>& values) {
  std::string text;
  for (const training::OutputQuality& value : values) {
    const std::string name = printable(
        value.output == value.label ? value.output : fmt::format("{}: {}", value.output, value.label));
    const std::size_t frames = value.predicted.size();  // and their places
    if (value.judged == 0) {
      text += fmt::format("  {:<20} no frame has it measured, so nothing judges it\n", name);
      continue;
    }
    if (value.classes_are_names) {
      text +=
          fmt::format("  {:<20} {:.1f} % of {} classes right\n", name, 100 * *value.accuracy, value.judged);
      continue;
    }
    const training::Quality& quality = value.quality;
    const bool constant = std::isnan(quality.r2);
    text += fmt::format(
        "  {:<20} R2 {}   RMSE {:.4f}   MAE {:.4f}   (a constant predictor: R2 {}, RMSE {:.4f}, MAE "
        "{:.4f})\n",
        name, training::r2_text(quality.r2), quality.rmse, quality.mae, constant ? "-" : "0",
        quality.constant_rmse, quality.constant_mae);
    if (value.accuracy)
      text += fmt::format("  {:<20} {:.1f} % of the classes right\n", "", 100 * *value.accuracy);
    if (value.judged != frames)
      text +=
          fmt::format("  {:<20} on the {} of {} frames that have it measured\n", "", value.judged, frames);
  }
  return text;
}

}  // namespace dojo::report
