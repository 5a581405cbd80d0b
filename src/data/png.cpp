#include "data/png.h"

#include <cstdint>
#include <cstring>
#include <string_view>

#include "data/libav.h"

namespace dojo::data {
namespace {

// ISO/IEC 15948, 5.2.
constexpr std::string_view signature("\x89PNG\r\n\x1a\n", 8);

// How many bytes the picture takes: chunks of length, type, data and checksum (ISO/IEC 15948, 5.3) up to and
// with IEND; nothing if that is missing.
std::optional<std::size_t> picture_bytes(std::span<const std::byte> bytes) {
  constexpr std::size_t around_data = 12;
  for (std::size_t at = signature.size(); at + around_data <= bytes.size();) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = 256 * length + std::to_integer<std::size_t>(bytes[at + i]);
    if (length > bytes.size() - at - around_data) return std::nullopt;
    const bool last = std::memcmp(bytes.data() + at + 4, "IEND", 4) == 0;
    at += around_data + length;
    if (last) return at;
  }
  return std::nullopt;
}

// Of one row: `column` says which pixel.
void write_rgb(std::uint8_t* rgb, const AVFrame& frame, const std::uint8_t* row, int column) {
  switch (frame.format) {
    case AV_PIX_FMT_RGB24:
      std::memcpy(rgb, row + 3 * column, 3);
      break;
    case AV_PIX_FMT_RGBA:
      std::memcpy(rgb, row + 4 * column, 3);
      break;
    case AV_PIX_FMT_GRAY8:
      std::memset(rgb, row[column], 3);
      break;
    case AV_PIX_FMT_YA8:
      std::memset(rgb, row[2 * column], 3);
      break;
    default: {  // PAL8: 0xAARRGGBB as a number of this computer
      std::uint32_t colour = 0;
      std::memcpy(&colour, frame.data[1] + 4 * row[column], sizeof colour);
      for (int c = 0; c < 3; ++c) rgb[c] = static_cast<std::uint8_t>(colour >> (16 - 8 * c));
    }
  }
}

bool is_read(int format) {
  return format == AV_PIX_FMT_RGB24 || format == AV_PIX_FMT_RGBA || format == AV_PIX_FMT_GRAY8 ||
         format == AV_PIX_FMT_YA8 || format == AV_PIX_FMT_PAL8;
}

}  // namespace

bool is_png(std::span<const std::byte> bytes) {
  return bytes.size() >= signature.size() &&
         std::memcmp(bytes.data(), signature.data(), signature.size()) == 0;
}

std::optional<Image> decode_png(std::span<const std::byte> bytes) {
  const auto size = is_png(bytes) ? picture_bytes(bytes) : std::nullopt;
  if (!size) return std::nullopt;
  const Owned<AVFrame> frame = decode_with(AV_CODEC_ID_PNG, bytes.first(*size), AV_EF_CRCCHECK);
  if (!frame || !is_read(frame->format)) return std::nullopt;
  Image image;
  image.width = static_cast<unsigned>(frame->width);
  image.height = static_cast<unsigned>(frame->height);
  image.rgb.resize(std::size_t{3} * image.width * image.height);
  std::uint8_t* out = image.rgb.data();
  for (int row = 0; row < frame->height; ++row)
    for (int column = 0; column < frame->width; ++column, out += 3)
      write_rgb(out, *frame, frame->data[0] + row * frame->linesize[0], column);
  return image;
}

}  // namespace dojo::data
