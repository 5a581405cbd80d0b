#include "data/image_file.h"
#include "base/temporary_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "data/images_for_tests.h"
#include "data/jpeg.h"
#include "data/png.h"

namespace dojo::data {
namespace {

namespace fs = std::filesystem;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(Jpeg, DecodesWhatAnEncoderWrote) {
  const auto image = decode_jpeg(bytes_of(jpeg(40, 200)));
  ASSERT_TRUE(image.has_value());
  ASSERT_EQ(image->width, 32u);
  ASSERT_EQ(image->height, 16u);
  for (unsigned c = 0; c < 3; ++c) {
    EXPECT_NEAR(image->rgb[3 * (8 * 32 + 5) + c], 40, 2);
    EXPECT_NEAR(image->rgb[3 * (8 * 32 + 25) + c], 200, 2);
  }
}

TEST(Jpeg, AnythingCutOffIsNoPicture) {
  const std::string whole = jpeg(40, 200);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    ASSERT_FALSE(decode_jpeg(bytes_of(whole.substr(0, length))).has_value()) << length;
    const std::string padded = whole.substr(0, length) + std::string(whole.size() - length, '\0');
    ASSERT_FALSE(decode_jpeg(bytes_of(padded)).has_value()) << length;
  }
  EXPECT_FALSE(decode_jpeg(bytes_of("no picture at all")).has_value());
}

TEST(Jpeg, BytesBehindTheEndMarkerChangeNothing) {
  const std::string whole = jpeg(40, 200);
  const auto expected = decode_jpeg(bytes_of(whole));
  for (const std::string& behind : {std::string(1, '\0'), std::string(4096, '\0'), std::string("\xff\xd9"),
                                    std::string("trailer"), whole}) {
    const auto image = decode_jpeg(bytes_of(whole + behind));
    ASSERT_TRUE(image.has_value());
    EXPECT_EQ(image->rgb, expected->rgb);
  }
}

TEST(Png, GivesTheBytesThatWereEncodedWhateverTheKindOfPixel) {
  struct Kind {
    AVPixelFormat format;
    int channels, colours;
  };
  for (const auto& [format, channels, colours] :
       {Kind{AV_PIX_FMT_RGB24, 3, 3}, Kind{AV_PIX_FMT_RGBA, 4, 3}, Kind{AV_PIX_FMT_GRAY8, 1, 1},
        Kind{AV_PIX_FMT_YA8, 2, 1}, Kind{AV_PIX_FMT_PAL8, 1, 0}}) {
    const auto image = decode_png(bytes_of(png(format, channels)));
    ASSERT_TRUE(image.has_value()) << format;
    ASSERT_EQ(image->rgb.size(), 3u * 24 * 10);
    for (int row = 0; row < 10; ++row)
      for (int column = 0; column < 24; ++column)
        for (int c = 0; c < 3; ++c) {
          const std::uint8_t index = pattern(row, column, 0);
          const int palette[] = {index, 255 - index, index ^ 0x55};
          ASSERT_EQ(image->rgb[static_cast<std::size_t>(3 * (24 * row + column) + c)],
                    colours == 0 ? palette[c] : pattern(row, column, colours == 3 ? c : 0))
              << format << " " << row << " " << column << " " << c;
        }
  }
}

TEST(Png, AnythingCutOffOrChangedIsNoPicture) {
  const std::string whole = png(AV_PIX_FMT_RGB24, 3);
  const auto expected = decode_png(bytes_of(whole));
  for (std::size_t length = 0; length < whole.size(); ++length)
    ASSERT_FALSE(decode_png(bytes_of(whole.substr(0, length))).has_value()) << length;
  const std::size_t data = whole.find("IDAT") + 4;
  for (std::size_t at = data; at < whole.size() - 20; ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    ASSERT_FALSE(decode_png(bytes_of(changed)).has_value()) << at;
  }
  EXPECT_EQ(decode_png(bytes_of(whole + "behind"))->rgb, expected->rgb);
}

TEST(Png, OfOtherThanEightBitsIsRefused) {
  const std::string deep = encoded(AV_CODEC_ID_PNG, AV_PIX_FMT_GRAY16BE, 8, 8, [](AVFrame& frame) {
    for (int row = 0; row < 8; ++row) std::memset(frame.data[0] + row * frame.linesize[0], row, 16);
  });
  EXPECT_FALSE(decode_png(bytes_of(deep)).has_value());
}

TEST(ImageFile, IsToldByItsFirstBytesAndSaysWhatElseLiesThere) {
  const TemporaryFolder own("dojo-image");
  const fs::path folder = own.path();
  fs::create_directories(folder / "folder.jpg");
  write_text(folder / "named.jpg", png(AV_PIX_FMT_RGB24, 3));
  write_text(folder / "named.png", jpeg(1, 2));
  write_text(folder / "empty.jpg", "");
  write_text(folder / "text.jpg", "hello");
  write_text(folder / "cut.jpg", jpeg(1, 2).substr(0, 150));
  write_text(folder / "cut.png", png(AV_PIX_FMT_RGB24, 3).substr(0, 60));
  fs::create_symlink("loop.jpg", folder / "loop.jpg");
  fs::create_symlink("nothing.jpg", folder / "dangling.jpg");
  ASSERT_EQ(::mkfifo((folder / "pipe.jpg").c_str(), 0600), 0);
  for (const auto& [name, problem] : std::vector<std::pair<std::string, std::string>>{
           {"named.jpg", ""},
           {"named.png", ""},
           {"empty.jpg", "is empty"},
           {"text.jpg", "is neither a JPEG nor a PNG picture"},
           {"cut.jpg", "is no complete JPEG picture"},
           {"cut.png", "is no complete PNG picture of 8 bits"},
           {"folder.jpg", "is a folder"},
           {"loop.jpg", "cannot be read: Too many levels of symbolic links"},
           {"dangling.jpg", "is missing"},
           {"absent.jpg", "is missing"},
           {"pipe.jpg", "is no file"}}) {
    const ImageFile file = read_image_file(folder / name);
    EXPECT_EQ(file.problem, problem) << name;
    EXPECT_EQ(file.image.has_value(), problem.empty()) << name;
  }
}

}  // namespace
}  // namespace dojo::data
