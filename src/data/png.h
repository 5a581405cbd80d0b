// PNG pictures, decoded through libavcodec.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "data/dataset.h"

namespace dojo::data {

bool is_png(std::span<const std::byte> bytes);  // by its signature

// Nothing if the bytes are no complete PNG whose checksums hold, of 8 bits (grey, colour or palette; alpha is
// dropped), or one larger than 4096 x 4096. Bytes behind its last chunk are ignored.
std::optional<Image> decode_png(std::span<const std::byte> bytes);

}  // namespace dojo::data
