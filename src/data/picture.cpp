#include "data/picture.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace dojo::data {
namespace {

// Where a row or column of the result lies between two of the source.
struct Between {
  std::size_t low = 0, high = 0;
  float weight = 0;  // of high
};

std::vector<Between> resampling(std::size_t source, std::size_t result) {
  std::vector<Between> places(result);
  for (std::size_t i = 0; i < result; ++i) {
    const double at =
        (static_cast<double>(i) + 0.5) * static_cast<double>(source) / static_cast<double>(result) - 0.5;
    const double held = std::clamp(at, 0.0, static_cast<double>(source - 1));
    places[i].low = static_cast<std::size_t>(held);
    places[i].high = std::min(places[i].low + 1, source - 1);
    places[i].weight = static_cast<float>(held - static_cast<double>(places[i].low));
  }
  return places;
}

// ITU-T T.871, section 7, divided by 127.5.
struct Weights {
  float red, green, blue, offset;
};
constexpr Weights of_colour[3] = {
    {0.299f / 127.5f, 0.587f / 127.5f, 0.114f / 127.5f, -1.0f},
    {-0.168736f / 127.5f, -0.331264f / 127.5f, 0.5f / 127.5f, 0.0f},
    {0.5f / 127.5f, -0.418688f / 127.5f, -0.081312f / 127.5f, 0.0f},
};
constexpr Weights of_bytes[3] = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}},
                  grey_byte = {0.299f, 0.587f, 0.114f, 0};

const Weights& weights_of(const View& view, std::int64_t channel) {
  if (!view.bytes) return of_colour[channel];
  return view.channels == 1 ? grey_byte : of_bytes[channel];
}

}  // namespace

View view_for(std::string_view input, const std::vector<std::int64_t>& shape) {
  const auto channels = [](std::int64_t extent) { return extent == 1 || extent == 3; };
  if (shape.size() == 4 && channels(shape[1])) return {shape[1], shape[2], shape[3]};
  if (shape.size() == 4 && channels(shape[3])) return {shape[3], shape[1], shape[2], true};
  if (shape.size() == 3) return {1, shape[1], shape[2]};
  if (shape.size() != 2)
    throw UserError(
        fmt::format("input '{}'", input),
        fmt::format("shape [{}] is no picture: neither [batch, 1 or 3, height, width] nor [batch, height, "
                    "width, 1 or 3], [batch, height, width] or [batch, features]",
                    fmt::join(shape, ", ")),
        Refusal::unsupported);
  View best{1, 1, shape[1]};
  const auto distance = [](const View& v) {
    return std::fabs(std::log2(static_cast<double>(v.width) / static_cast<double>(v.height)) - 1);
  };
  for (std::int64_t height = 1; height <= shape[1]; ++height) {
    if (shape[1] % height != 0) continue;
    const View candidate{1, height, shape[1] / height};
    if (distance(candidate) < distance(best)) best = candidate;
  }
  return best;
}

void see(const Image& image, const View& view, std::span<float> out) {
  DOJO_ENSURE(static_cast<std::int64_t>(out.size()) == view.elements() && view.channels <= 3);
  DOJO_ENSURE(image.width > 0 && image.height > 0 &&
              image.rgb.size() == std::size_t{3} * image.width * image.height);
  const std::size_t top = image.height / 3, kept = image.height - top, width = image.width;
  const auto rows = resampling(kept, static_cast<std::size_t>(view.height));
  const auto columns = resampling(width, static_cast<std::size_t>(view.width));
  std::vector<float> plane(kept * width);
  for (std::int64_t channel = 0; channel < view.channels; ++channel) {
    const Weights& w = weights_of(view, channel);
    const std::uint8_t* rgb = image.rgb.data() + top * width * 3;
    for (float& value : plane) {
      value = w.red * rgb[0] + w.green * rgb[1] + w.blue * rgb[2] + w.offset;
      rgb += 3;
    }
    float* result = out.data() + (view.channels_last ? channel : channel * view.height * view.width);
    const std::int64_t step = view.channels_last ? view.channels : 1;
    for (const Between& row : rows) {
      const float *low = plane.data() + row.low * width, *high = plane.data() + row.high * width;
      for (const Between& column : columns) {
        const float upper = low[column.low] + column.weight * (low[column.high] - low[column.low]);
        const float lower = high[column.low] + column.weight * (high[column.high] - high[column.low]);
        const float value = upper + row.weight * (lower - upper);
        *result = view.bytes ? std::round(value) : value;
        result += step;
      }
    }
  }
}

}  // namespace dojo::data
