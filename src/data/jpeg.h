// JPEG pictures, decoded through libavcodec.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "data/dataset.h"

namespace dojo::data {

bool is_jpeg(std::span<const std::byte> bytes);  // by its first two bytes

// Nothing if the bytes are no complete JPEG of 8 bits, grey or YCbCr, or one larger than 4096 x 4096. Colours
// are JFIF's (BT.601, full range); subsampled colour is repeated. Bytes behind the end marker are ignored.
// The same bytes give the same picture on every host.
std::optional<Image> decode_jpeg(std::span<const std::byte> bytes);

}  // namespace dojo::data
