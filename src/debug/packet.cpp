#include "debug/packet.h"

#include <algorithm>

namespace dojo::debug {

namespace {

constexpr char begin_packet = '$', end_packet = '#', escape = '}', ctrl_c = 3;
constexpr char escape_bit = 0x20;
constexpr std::string_view digits_of = "0123456789abcdef";

std::uint8_t sum_of(std::string_view payload) {
  unsigned sum = 0;
  for (const char c : payload) sum += static_cast<unsigned char>(c);
  return static_cast<std::uint8_t>(sum);
}

Frame first_packet(std::string_view received) {
  const std::size_t end = received.substr(0, most_frame_bytes).find(end_packet);
  if (end == std::string_view::npos) {
    if (received.size() >= most_frame_bytes) return {FrameKind::damaged, received.size(), {}};
    return {};
  }
  if (received.size() < end + 3) return {};
  const std::string_view payload = received.substr(1, end - 1);
  const int high = hex_digit(received[end + 1]), low = hex_digit(received[end + 2]);
  const bool right = high >= 0 && low >= 0 && high * 16 + low == sum_of(payload);
  return {right ? FrameKind::packet : FrameKind::damaged, end + 3, payload};
}

}  // namespace

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Frame first_frame(std::string_view received) {
  if (received.empty()) return {};
  switch (received.front()) {
    case begin_packet:
      return first_packet(received);
    case '+':
      return {FrameKind::acknowledged, 1, {}};
    case '-':
      return {FrameKind::refused, 1, {}};
    case ctrl_c:
      return {FrameKind::interrupt, 1, {}};
    default:
      return {FrameKind::noise, 1, {}};
  }
}

std::string to_frame(std::string_view payload) {
  std::string frame{begin_packet};
  for (const char c : payload) {
    // '*' would announce a repetition.
    if (c == begin_packet || c == end_packet || c == escape || c == '*') {
      frame += escape;
      frame += static_cast<char>(c ^ escape_bit);
    } else {
      frame += c;
    }
  }
  const std::uint8_t sum = sum_of(std::string_view(frame).substr(1));
  frame += end_packet;
  frame += digits_of[sum >> 4];
  frame += digits_of[sum & 15];
  return frame;
}

std::optional<std::string> unescape(std::string_view payload) {
  std::string bytes;
  for (std::size_t i = 0; i < payload.size(); ++i) {
    if (payload[i] != escape) {
      bytes += payload[i];
      continue;
    }
    if (++i == payload.size()) return std::nullopt;
    bytes += static_cast<char>(payload[i] ^ escape_bit);
  }
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  std::string digits;
  digits.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    digits += digits_of[static_cast<unsigned char>(c) >> 4];
    digits += digits_of[static_cast<unsigned char>(c) & 15];
  }
  return digits;
}

std::optional<std::string> from_hex(std::string_view digits) {
  if (digits.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(digits.size() / 2);
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = hex_digit(digits[i]), low = hex_digit(digits[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

}  // namespace dojo::debug
