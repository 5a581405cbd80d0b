#include "driving/jpeg.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/log.h>
}

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

namespace dojo::driving {
namespace {

struct Free {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

// How far the colour planes are subsampled, as shifts; nothing for layouts that JPEG files of cameras don't
// have.
struct Layout {
  int across = 0, down = 0;
  bool grey = false;
};

std::optional<Layout> layout_of(int format) {
  switch (format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUV420P:
      return Layout{1, 1};
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUV422P:
      return Layout{1, 0};
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUV440P:
      return Layout{0, 1};
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUV444P:
      return Layout{0, 0};
    case AV_PIX_FMT_GRAY8:
      return Layout{0, 0, true};
    default:
      return std::nullopt;
  }
}

std::uint8_t to_byte(float value) {
  return static_cast<std::uint8_t>(std::lrint(std::clamp(value, 0.0f, 255.0f)));
}

// ITU-T T.871 (JFIF), section 7.
void write_rgb(std::uint8_t* rgb, float y, float cb, float cr) {
  rgb[0] = to_byte(y + 1.402f * cr);
  rgb[1] = to_byte(y - 0.344136f * cb - 0.714136f * cr);
  rgb[2] = to_byte(y + 1.772f * cb);
}

training::Image convert(const AVFrame& frame, const Layout& layout) {
  training::Image image;
  image.width = static_cast<unsigned>(frame.width);
  image.height = static_cast<unsigned>(frame.height);
  image.rgb.resize(std::size_t{3} * image.width * image.height);
  std::uint8_t* out = image.rgb.data();
  for (int row = 0; row < frame.height; ++row) {
    const std::uint8_t* luma = frame.data[0] + row * frame.linesize[0];
    for (int column = 0; column < frame.width; ++column, out += 3) {
      float cb = 0, cr = 0;
      if (!layout.grey) {
        cb = frame.data[1][(row >> layout.down) * frame.linesize[1] + (column >> layout.across)] - 128.0f;
        cr = frame.data[2][(row >> layout.down) * frame.linesize[2] + (column >> layout.across)] - 128.0f;
      }
      write_rgb(out, luma[column], cb, cr);
    }
  }
  return image;
}

bool looks_complete(std::span<const std::byte> bytes) {
  const auto is = [&](std::size_t at, int value) { return bytes[at] == static_cast<std::byte>(value); };
  return bytes.size() > 4 && is(0, 0xff) && is(1, 0xd8) && is(bytes.size() - 2, 0xff) &&
         is(bytes.size() - 1, 0xd9);
}

}  // namespace

std::optional<training::Image> decode_jpeg(std::span<const std::byte> bytes) {
  if (!looks_complete(bytes)) return std::nullopt;
  av_log_set_level(AV_LOG_QUIET);  // what is wrong is said by our caller
  const AVCodec* codec = avcodec_find_decoder(AV_CODEC_ID_MJPEG);
  if (codec == nullptr) return std::nullopt;
  const Owned<AVCodecContext> context(avcodec_alloc_context3(codec));
  const Owned<AVPacket> packet(av_packet_alloc());
  const Owned<AVFrame> frame(av_frame_alloc());
  if (!context || !packet || !frame) return std::nullopt;
  context->thread_count = 1;
  context->err_recognition = AV_EF_EXPLODE;
  context->max_pixels = 4096 * 4096;
  if (avcodec_open2(context.get(), codec, nullptr) < 0) return std::nullopt;
  if (av_new_packet(packet.get(), static_cast<int>(bytes.size())) < 0) return std::nullopt;
  std::memcpy(packet->data, bytes.data(), bytes.size());
  if (avcodec_send_packet(context.get(), packet.get()) < 0) return std::nullopt;
  if (avcodec_receive_frame(context.get(), frame.get()) < 0) return std::nullopt;
  if (frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0) return std::nullopt;
  const auto layout = layout_of(frame->format);
  if (!layout) return std::nullopt;
  return convert(*frame, *layout);
}

}  // namespace dojo::driving
