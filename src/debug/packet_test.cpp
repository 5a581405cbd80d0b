#include "debug/packet.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace dojo::debug {
namespace {

TEST(Packet, HasItsSumBehindIt) {
  EXPECT_EQ(to_frame(""), "$#00");
  EXPECT_EQ(to_frame("OK"), "$OK#9a");  // the example of gdb's manual
  EXPECT_EQ(first_frame("$OK#9a").kind, FrameKind::packet);
  EXPECT_EQ(first_frame("$OK#9A+").payload, "OK");
  EXPECT_EQ(first_frame("$OK#9a+").bytes, 6u);
  EXPECT_EQ(first_frame("$OK#9b").kind, FrameKind::damaged);
  EXPECT_EQ(first_frame("$OK#x0").kind, FrameKind::damaged);
}

TEST(Packet, ThatIsNotWholeYetTakesNothingAway) {
  const std::string whole = to_frame("vCont;c");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Frame frame = first_frame(std::string_view(whole).substr(0, length));
    EXPECT_EQ(frame.kind, FrameKind::incomplete);
    EXPECT_EQ(frame.bytes, 0u);
  }
}

TEST(Packet, BytesBetweenPacketsAreToldApart) {
  EXPECT_EQ(first_frame("+$").kind, FrameKind::acknowledged);
  EXPECT_EQ(first_frame("-").kind, FrameKind::refused);
  EXPECT_EQ(first_frame("\x03").kind, FrameKind::interrupt);
  EXPECT_EQ(first_frame("x").kind, FrameKind::noise);
}

TEST(Packet, WithoutAnEndIsThrownAwayAtTheLimit) {
  const std::string endless(most_frame_bytes, '$');
  EXPECT_EQ(first_frame(std::string_view(endless).substr(1)).kind, FrameKind::incomplete);
  EXPECT_EQ(first_frame(endless).kind, FrameKind::damaged);
  EXPECT_EQ(first_frame(endless).bytes, endless.size());
}

TEST(Packet, CarriesEveryByteThroughItsEscapes) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::string frame = to_frame(all);
  EXPECT_EQ(first_frame(frame).bytes, frame.size());
  EXPECT_EQ(unescape(first_frame(frame).payload), all);
  EXPECT_EQ(from_hex(to_hex(all)), all);
  EXPECT_EQ(unescape("}"), std::nullopt);
  EXPECT_EQ(from_hex("0"), std::nullopt);
  EXPECT_EQ(from_hex("0g"), std::nullopt);
}

}  // namespace
}  // namespace dojo::debug
