// One picture through libavcodec: what the decoders of picture files share. The library is loaded with the
// first picture: with the ninety libraries that it brings, being linked to it cost every start of the command
// most of its time.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
}

#include <cstddef>
#include <memory>
#include <span>

namespace dojo::data {

struct FreeLibav {
  void operator()(AVCodecContext* context) const;
  void operator()(AVPacket* packet) const;
  void operator()(AVFrame* frame) const;
};
template <typename T>
using Owned = std::unique_ptr<T, FreeLibav>;

// The picture in `bytes`; nothing if any of it is wrong, or it has more than 4096 x 4096 pixels.
// `recognised_errors` (AV_EF_...) adds to what the decoder looks for. Throws UserError if this computer has
// no libavcodec of the version that the program was built for.
Owned<AVFrame> decode_with(AVCodecID codec, std::span<const std::byte> bytes, int recognised_errors = 0);

}  // namespace dojo::data
