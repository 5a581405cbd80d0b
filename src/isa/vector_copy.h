// Copying between registers and memory, which never overlap: rows of bytes, and elements that lie apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace dojo::isa::vector {

namespace copying {
constexpr std::size_t line = 32;
using HalfLine [[gnu::vector_size(16)]] = unsigned char;
using Line [[gnu::vector_size(line), gnu::aligned(1), gnu::may_alias]] = unsigned char;

// The first and the last `size` of size <= bytes <= 2 * size bytes.
template <typename T>
[[gnu::always_inline]] inline void both_ends(std::uint8_t* to, const std::uint8_t* from, std::size_t bytes) {
  T first, last;
  std::memcpy(&first, from, sizeof(T));
  std::memcpy(&last, from + bytes - sizeof(T), sizeof(T));
  std::memcpy(to, &first, sizeof(T));
  std::memcpy(to + bytes - sizeof(T), &last, sizeof(T));
}
}  // namespace copying

// A row is so short and so frequent that calling memcpy for it costs more than the copy.
[[gnu::always_inline]] inline void copy_row(void* destination, const void* source, std::size_t bytes) {
  using copying::line, copying::Line;
  auto* to = static_cast<std::uint8_t*>(destination);
  const auto* from = static_cast<const std::uint8_t*>(source);
  if (bytes >= line) {
    const std::uint8_t* const last = from + bytes - line;
    auto* const last_to = to + bytes - line;
    for (; from < last; from += line, to += line) {
      *reinterpret_cast<Line*>(to) = *reinterpret_cast<const Line*>(from);
      asm volatile("");  // keeps the compiler from making it a call of memcpy
    }
    *reinterpret_cast<Line*>(last_to) = *reinterpret_cast<const Line*>(last);
  } else if (bytes >= 16) {
    copying::both_ends<copying::HalfLine>(to, from, bytes);
  } else if (bytes >= 8) {
    copying::both_ends<std::uint64_t>(to, from, bytes);
  } else if (bytes >= 4) {
    copying::both_ends<std::uint32_t>(to, from, bytes);
  } else if (bytes >= 2) {
    copying::both_ends<std::uint16_t>(to, from, bytes);
  } else if (bytes == 1) {
    *to = *from;
  }
}

// `count` elements, `stride` bytes apart at `apart` and one after another at `together`.
template <typename Element, bool gather>
[[gnu::always_inline]] inline void copy_apart(std::uint8_t* together, std::uint8_t* apart,
                                              std::ptrdiff_t stride, std::size_t count) {
  const auto one = [&](std::size_t i) {
    std::uint8_t *near = together + i * sizeof(Element),
                 *far = apart + static_cast<std::ptrdiff_t>(i) * stride;
    gather ? std::memcpy(near, far, sizeof(Element)) : std::memcpy(far, near, sizeof(Element));
  };
  for (; count >= 4; count -= 4, together += 4 * sizeof(Element), apart += 4 * stride) {
    one(0);
    one(1);
    one(2);
    one(3);
  }
  for (std::size_t i = 0; i < count; ++i) one(i);
}

}  // namespace dojo::isa::vector
