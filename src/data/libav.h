// One picture through libavcodec: what the decoders of picture files share.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
}

#include <cstddef>
#include <memory>
#include <span>

namespace dojo::data {

struct FreeLibav {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
template <typename T>
using Owned = std::unique_ptr<T, FreeLibav>;

// The picture in `bytes`; nothing if any of it is wrong, or it has more than 4096 x 4096 pixels.
// `recognised_errors` (AV_EF_...) adds to what the decoder looks for.
Owned<AVFrame> decode_with(AVCodecID codec, std::span<const std::byte> bytes, int recognised_errors = 0);

}  // namespace dojo::data
