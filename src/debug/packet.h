// Frames of the gdb remote protocol: '$', the payload, '#', and the sum of the payload's bytes in two hex
// digits. Source: "Debugging with GDB", appendix "GDB Remote Serial Protocol", section "Overview".
//
// Pure functions over bytes that anybody may have sent: nothing here can fail in another way than by saying
// so in its result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dojo::debug {

// The longest frame that is accepted, and what qSupported announces. Room for a whole tile in hex digits.
constexpr std::size_t most_frame_bytes = 0x8000;

enum class FrameKind : std::uint8_t {
  incomplete,    // more bytes have to come
  packet,        // a payload whose sum is right
  damaged,       // a payload whose sum is wrong, or one that is too long
  acknowledged,  // '+'
  refused,       // '-': the last packet is wanted again
  interrupt,     // Ctrl-C, 0x03
  noise,         // bytes between frames that mean nothing
};

struct Frame {
  FrameKind kind = FrameKind::incomplete;
  std::size_t bytes = 0;       // to take away from the front; 0 if incomplete
  std::string_view payload{};  // of `received`, still escaped
};

// What `received` begins with.
Frame first_frame(std::string_view received);

// A payload as it goes over the wire: escaped, summed and framed.
std::string to_frame(std::string_view payload);

// Takes the escapes out: '}' and a byte stand for that byte exclusive or 0x20. nullopt if it ends within one.
std::optional<std::string> unescape(std::string_view payload);

// Two lower-case digits per byte, in order.
std::string to_hex(std::string_view bytes);
// nullopt unless it is an even number of hex digits.
std::optional<std::string> from_hex(std::string_view digits);

// The value of a hex digit, -1 if it is none.
int hex_digit(char c);

}  // namespace dojo::debug
