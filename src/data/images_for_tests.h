// Pictures for tests, through FFmpeg's encoders.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
}

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>

namespace dojo::data {

// width x height pixels of `format`, which `fill` writes.
inline std::string encoded(AVCodecID codec, AVPixelFormat format, int width, int height,
                           const std::function<void(AVFrame&)>& fill) {
  AVCodecContext* context = avcodec_alloc_context3(avcodec_find_encoder(codec));
  context->width = width;
  context->height = height;
  context->pix_fmt = format;
  context->time_base = {1, 20};
  EXPECT_GE(avcodec_open2(context, context->codec, nullptr), 0);
  AVFrame* frame = av_frame_alloc();
  frame->width = width;
  frame->height = height;
  frame->format = format;
  frame->quality = FF_QP2LAMBDA;
  EXPECT_GE(av_frame_get_buffer(frame, 0), 0);
  fill(*frame);
  AVPacket* packet = av_packet_alloc();
  EXPECT_GE(avcodec_send_frame(context, frame), 0);
  avcodec_send_frame(context, nullptr);
  EXPECT_GE(avcodec_receive_packet(context, packet), 0);
  std::string bytes(reinterpret_cast<const char*>(packet->data), static_cast<std::size_t>(packet->size));
  av_packet_free(&packet);
  av_frame_free(&frame);
  avcodec_free_context(&context);
  return bytes;
}

// A grey picture, left half `left`, right half `right`.
inline std::string jpeg(int left, int right, int width = 32, int height = 16) {
  return encoded(AV_CODEC_ID_MJPEG, AV_PIX_FMT_YUVJ420P, width, height, [&](AVFrame& frame) {
    for (int row = 0; row < height; ++row)
      for (int column = 0; column < width; ++column)
        frame.data[0][row * frame.linesize[0] + column] =
            static_cast<std::uint8_t>(column < width / 2 ? left : right);
    for (int plane = 1; plane < 3; ++plane)
      for (int row = 0; row < height / 2; ++row)
        std::fill_n(frame.data[plane] + row * frame.linesize[plane], width / 2, std::uint8_t{128});
  });
}

// One byte of the picture at (row, column), channel by channel.
inline std::uint8_t pattern(int row, int column, int channel) {
  return static_cast<std::uint8_t>(37 * row + 11 * column + 90 * channel);
}

// 24 x 10 pixels of `channels` bytes each.
inline std::string png(AVPixelFormat format, int channels) {
  return encoded(AV_CODEC_ID_PNG, format, 24, 10, [&](AVFrame& frame) {
    for (int row = 0; row < 10; ++row)
      for (int at = 0; at < 24 * channels; ++at)
        frame.data[0][row * frame.linesize[0] + at] = pattern(row, at / channels, at % channels);
    if (format != AV_PIX_FMT_PAL8) return;
    for (unsigned i = 0; i < 256; ++i) {
      const std::uint32_t colour = 0xff000000u | i << 16 | (255 - i) << 8 | (i ^ 0x55);
      std::memcpy(frame.data[1] + 4 * i, &colour, sizeof colour);
    }
  });
}

}  // namespace dojo::data
