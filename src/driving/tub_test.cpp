#include "driving/tub.h"

#include <gtest/gtest.h>

extern "C" {
#include <libavcodec/avcodec.h>
}

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "driving/jpeg.h"

namespace dojo::driving {
namespace {

namespace fs = std::filesystem;

// A grey 32 x 16 picture, left half `left`, right half `right`, through FFmpeg's encoder.
std::string jpeg(int left, int right) {
  AVCodecContext* context = avcodec_alloc_context3(avcodec_find_encoder(AV_CODEC_ID_MJPEG));
  context->width = 32;
  context->height = 16;
  context->pix_fmt = AV_PIX_FMT_YUVJ420P;
  context->time_base = {1, 20};
  EXPECT_GE(avcodec_open2(context, context->codec, nullptr), 0);
  AVFrame* frame = av_frame_alloc();
  frame->width = 32;
  frame->height = 16;
  frame->format = AV_PIX_FMT_YUVJ420P;
  frame->quality = FF_QP2LAMBDA;
  EXPECT_GE(av_frame_get_buffer(frame, 0), 0);
  for (int row = 0; row < 16; ++row)
    for (int column = 0; column < 32; ++column)
      frame->data[0][row * frame->linesize[0] + column] =
          static_cast<std::uint8_t>(column < 16 ? left : right);
  for (int plane = 1; plane < 3; ++plane)
    for (int row = 0; row < 8; ++row)
      std::fill_n(frame->data[plane] + row * frame->linesize[plane], 16, std::uint8_t{128});
  AVPacket* packet = av_packet_alloc();
  EXPECT_GE(avcodec_send_frame(context, frame), 0);
  EXPECT_GE(avcodec_receive_packet(context, packet), 0);
  std::string bytes(reinterpret_cast<const char*>(packet->data), static_cast<std::size_t>(packet->size));
  av_packet_free(&packet);
  av_frame_free(&frame);
  avcodec_free_context(&context);
  return bytes;
}

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
  for (std::size_t length = 0; length < whole.size(); ++length)
    ASSERT_FALSE(decode_jpeg(bytes_of(whole.substr(0, length))).has_value()) << length;
  EXPECT_FALSE(decode_jpeg(bytes_of("no picture at all")).has_value());
}

// Writes a tub of `frames` records into a fresh folder.
class TubFolder : public ::testing::Test {
protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("dojo_tub_{}", getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "images");
    for (int i = 0; i < 6; ++i) {
      const std::string name = fmt::format("{}_cam_image_array_.jpg", i);
      write_text(folder_ / "images" / name, jpeg(40, 40 + 20 * i));
      catalogs_[i / 4] += fmt::format(
          R"({{"_index": {}, "_session_id": "a", "cam/image_array": "{}", "user/angle": {}, "user/mode": "user", "user/throttle": 0.5}})"
          "\n",
          i, name, 0.125 * i);
    }
    write();
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write() {
    write_text(folder_ / "catalog_0.catalog", catalogs_[0]);
    write_text(folder_ / "catalog_1.catalog", catalogs_[1]);
    write_text(folder_ / "manifest.json", "[]\n[]\n{}\n{}\n" + contents_ + "\n");
  }
  std::string refusal() {
    write();
    try {
      Tub tub(folder_, 1);
    } catch (const UserError& error) {
      return std::string(error.what()).substr(folder_.string().size());
    }
    return "read";
  }

  fs::path folder_;
  std::string catalogs_[2];
  std::string contents_ = R"({"paths": ["catalog_0.catalog", "catalog_1.catalog"], "deleted_indexes": [2]})";
};

TEST_F(TubFolder, GivesFramesAndLabelsWithoutTheDeleted) {
  const Tub tub(folder_, 2);
  ASSERT_EQ(tub.size(), 5u);
  EXPECT_EQ(tub.label_names(), (std::vector<std::string>{"angle", "throttle"}));
  EXPECT_EQ(tub.labels(2), (std::vector<float>{0.375f, 0.5f}));  // record 3: 2 is deleted
  EXPECT_NEAR(tub.image(2).rgb[3 * (8 * 32 + 25)], 100, 2);
  EXPECT_EQ(tub.warnings(),
            std::vector<std::string>{folder_.string() + ": 1 frames marked as deleted are skipped"});
}

TEST_F(TubFolder, NamesAndSkipsImagesThatAreEmptyBrokenOrMissing) {
  const std::string before = Tub(folder_, 1).fingerprint();
  write_text(folder_ / "images" / "1_cam_image_array_.jpg", "");
  write_text(folder_ / "images" / "3_cam_image_array_.jpg", jpeg(1, 2).substr(0, 150));
  fs::remove(folder_ / "images" / "5_cam_image_array_.jpg");
  write_text(folder_ / "images" / "6_cam_image_array_.jpg", "");
  const Tub tub(folder_, 2);
  EXPECT_EQ(tub.size(), 2u);
  EXPECT_NE(tub.fingerprint(), before);
  const std::string images = (folder_ / "images").string();
  EXPECT_EQ(tub.warnings(), (std::vector<std::string>{
                                folder_.string() + ": 1 frames marked as deleted are skipped",
                                images + "/1_cam_image_array_.jpg: is empty; skipped",
                                images + "/3_cam_image_array_.jpg: is no complete JPEG picture; skipped",
                                images + "/5_cam_image_array_.jpg: is missing; skipped",
                                images + "/6_cam_image_array_.jpg: is empty and has no record; skipped"}));
}

TEST_F(TubFolder, RefusesWithFileAndLine) {
  const std::string whole = catalogs_[0];
  catalogs_[0] += "{\"_index\": 9,\n";
  EXPECT_EQ(refusal(), "/catalog_0.catalog:5: is not JSON");
  catalogs_[0] = whole + "[1, 2]\n";
  EXPECT_EQ(refusal(), "/catalog_0.catalog:5: has no usable '_index'");
  catalogs_[0] = whole + R"({"_index": 9, "cam/image_array": "x.jpg", "user/angle": "left"})";
  EXPECT_EQ(refusal(), "/catalog_0.catalog:5: has no usable 'user/angle'");
  catalogs_[0] =
      whole + R"({"_index": 9, "cam/image_array": "../x.jpg", "user/angle": 0, "user/throttle": 0})";
  EXPECT_EQ(refusal(), "/catalog_0.catalog:5: names an image that is no file of images/");
  catalogs_[0] = whole;
  contents_ = "{}";
  EXPECT_EQ(refusal(), "/manifest.json:5: has no usable 'paths'");
  contents_ = "{";
  EXPECT_EQ(refusal(), "/manifest.json:5: is not JSON");
  contents_ = R"({"paths": ["catalog_7.catalog"]})";
  EXPECT_EQ(refusal(), "/catalog_7.catalog: cannot be read: No such file or directory");
  contents_ = R"({"paths": []})";
  EXPECT_EQ(refusal(), ": holds no usable frame");
  fs::remove(folder_ / "manifest.json");
  EXPECT_THROW(Tub(folder_, 1), UserError);
  try {
    Tub tub(folder_ / "nowhere");
    ADD_FAILURE();
  } catch (const UserError& error) {
    EXPECT_EQ(error.what(), (folder_ / "nowhere").string() + ": is no folder; a Donkeycar tub was expected");
  }
}

}  // namespace
}  // namespace dojo::driving
