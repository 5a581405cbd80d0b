#include "data/libav.h"

extern "C" {
#include <libavutil/log.h>
}

#include <cstring>

namespace dojo::data {

Owned<AVFrame> decode_with(AVCodecID codec_id, std::span<const std::byte> bytes, int recognised_errors) {
  av_log_set_level(AV_LOG_QUIET);  // what is wrong is said by our caller
  const AVCodec* codec = avcodec_find_decoder(codec_id);
  if (codec == nullptr) return nullptr;
  const Owned<AVCodecContext> context(avcodec_alloc_context3(codec));
  const Owned<AVPacket> packet(av_packet_alloc());
  Owned<AVFrame> frame(av_frame_alloc());
  if (!context || !packet || !frame) return nullptr;
  context->thread_count = 1;
  context->err_recognition = AV_EF_EXPLODE | recognised_errors;
  context->max_pixels = 4096 * 4096;
  if (avcodec_open2(context.get(), codec, nullptr) < 0) return nullptr;
  if (av_new_packet(packet.get(), static_cast<int>(bytes.size())) < 0) return nullptr;
  std::memcpy(packet->data, bytes.data(), bytes.size());
  if (avcodec_send_packet(context.get(), packet.get()) < 0) return nullptr;
  if (avcodec_receive_frame(context.get(), frame.get()) < 0) return nullptr;
  if (frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0) return nullptr;
  return frame;
}

}  // namespace dojo::data
