#include "data/jpeg.h"

#include <algorithm>
#include <cmath>

#include "data/libav.h"

namespace dojo::data {
namespace {

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

Image convert(const AVFrame& frame, const Layout& layout) {
  Image image;
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

int byte_at(std::span<const std::byte> bytes, std::size_t at) {
  return at < bytes.size() ? std::to_integer<int>(bytes[at]) : -1;
}

// Markers as in ITU-T T.81, table B.1.
constexpr int soi = 0xd8, eoi = 0xd9, sos = 0xda, rst0 = 0xd0, rst7 = 0xd7, tem = 0x01;

// Where the marker behind a scan's data begins: 0xff that neither 0 (a stuffed byte) nor a restart marker
// follows.
std::size_t end_of_scan(std::span<const std::byte> bytes, std::size_t at) {
  for (; at < bytes.size(); ++at) {
    const int next = byte_at(bytes, at + 1);
    if (byte_at(bytes, at) == 0xff && next != 0 && !(next >= rst0 && next <= rst7)) break;
  }
  return at;
}

// How many bytes the picture takes, up to and with its end marker; nothing if it has none. Cameras and
// filesystems leave bytes behind it.
std::optional<std::size_t> picture_bytes(std::span<const std::byte> bytes) {
  if (!is_jpeg(bytes)) return std::nullopt;
  for (std::size_t at = 2; byte_at(bytes, at) == 0xff;) {
    const int marker = byte_at(bytes, at + 1);
    if (marker == eoi) return at + 2;
    const bool alone = marker == tem || (marker >= rst0 && marker <= rst7);
    if (marker == 0xff) {  // a fill byte
      ++at;
    } else if (alone) {
      at += 2;
    } else {
      const int high = byte_at(bytes, at + 2), low = byte_at(bytes, at + 3);
      if (high < 0 || low < 0) return std::nullopt;
      at += 2 + static_cast<std::size_t>(256 * high + low);
      if (marker == sos) at = end_of_scan(bytes, at);
    }
  }
  return std::nullopt;
}

}  // namespace

bool is_jpeg(std::span<const std::byte> bytes) {
  return byte_at(bytes, 0) == 0xff && byte_at(bytes, 1) == soi;
}

std::optional<Image> decode_jpeg(std::span<const std::byte> bytes) {
  const auto size = picture_bytes(bytes);
  if (!size) return std::nullopt;
  const Owned<AVFrame> frame = decode_with(AV_CODEC_ID_MJPEG, bytes.first(*size));
  if (!frame) return std::nullopt;
  const auto layout = layout_of(frame->format);
  if (!layout) return std::nullopt;
  return convert(*frame, *layout);
}

}  // namespace dojo::data
