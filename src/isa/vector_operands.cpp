#include "isa/vector_operands.h"

#include <algorithm>

namespace dojo::isa::vector {
namespace {

constexpr std::uint64_t float_one[4] = {0, 0x3c00, 0x3f800000, 0x3ff0000000000000};

template <typename T>
void fill(void* destination, std::uint64_t value, std::size_t count) {
  std::fill_n(static_cast<T*>(destination), count, static_cast<T>(value));
}

template <typename T>
void keep_active(void* copy, const Active& active, std::uint64_t harmless, std::size_t count) {
  auto* elements = static_cast<T*>(copy);
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i)
    elements[i] = active.flags[i] != 0 ? elements[i] : static_cast<T>(harmless);
}

template <typename T>
void blend(void* destination, const void* result, const Active& active, std::size_t count) {
  auto* to = static_cast<T*>(destination);
  const auto* from = static_cast<const T*>(result);
  DOJO_ELEMENTS
  for (std::size_t i = 0; i < count; ++i) to[i] = active.flags[i] != 0 ? from[i] : to[i];
}

constexpr decltype(&fill<u8>) fills[] = {fill<u8>, fill<u16>, fill<u32>, fill<u64>};
constexpr decltype(&keep_active<u8>) keeps[] = {keep_active<u8>, keep_active<u16>, keep_active<u32>,
                                                keep_active<u64>};
constexpr decltype(&blend<u8>) blends[] = {blend<u8>, blend<u16>, blend<u32>, blend<u64>};

}  // namespace

Active::Active(Hart& hart, const Decoded* d) {
  if (is_masked(d)) {
    const std::uint8_t* mask = group(hart, 0);
    for (std::size_t i = 0; i < hart.vl; ++i) flags[i] = mask_bit(mask, i);
  } else {
    std::memset(flags.data(), 1, hart.vl);
  }
  std::memset(flags.data(), 0, std::min(hart.vstart, hart.vl));
}

void make_harmless(void* copy, const Active& active, bool floats, unsigned width_log2, std::size_t count) {
  keeps[width_log2](copy, active, floats ? float_one[width_log2] : 0, count);
}

void write_mask(Hart& hart, const Decoded* d, std::uint8_t* mask, const std::uint8_t* bits) {
  std::size_t i = 0;
  if (!is_masked(d) && hart.vstart == 0) {
    for (; i + 8 <= hart.vl; i += 8) {
      std::uint64_t eight;
      std::memcpy(&eight, bits + i, 8);
      mask[i / 8] = static_cast<std::uint8_t>(eight * 0x0102040810204080 >> 56);
    }
    for (; i < hart.vl; ++i) set_mask_bit(mask, i, bits[i] != 0);
    return;
  }
  const Active active(hart, d);
  for (; i < hart.vl; ++i)
    if (active[i]) set_mask_bit(mask, i, bits[i] != 0);
}

void splat(void* destination, std::uint64_t value, unsigned width_log2, std::size_t count) {
  fills[width_log2](destination, value, count);
}

std::uint64_t scalar(const Hart& hart, const Decoded* d, First first, unsigned width_log2) {
  switch (first) {
    case First::x:
      return hart.x[d->rs1];
    case First::simm:
      return static_cast<std::uint64_t>(static_cast<std::int64_t>(d->rs1 ^ 16) - 16);
    case First::uimm:
      return d->rs1;
    case First::uimm6:
      return static_cast<std::uint64_t>(d->immediate);
    case First::f:
    case First::brain: {
      constexpr std::uint64_t canonical_nan[4] = {0, 0x7e00, 0x7fc00000, 0};
      const std::uint64_t bits = hart.f[d->rs1];
      if (width_log2 == 3) return bits;
      const unsigned width = 8u << width_log2;
      if (bits >> width == ~std::uint64_t{0} >> width) return bits;
      return first == First::brain ? 0x7fc0 : canonical_nan[width_log2];
    }
    default:
      return 0;
  }
}

void elementwise_copied(Hart& hart, const Decoded* d, const VectorShape& shape, Kernel kernel) {
  const std::size_t count = hart.vl;
  const unsigned sew = sew_log2(hart);
  const auto width = [&](int shift) { return static_cast<unsigned>(static_cast<int>(sew) + shift); };
  alignas(64) std::uint8_t a[max_group_bytes], b[max_group_bytes], result[max_group_bytes];
  const unsigned a_width = width(shape.first == First::vector ? shape.a_width : shape.scalar_width),
                 b_width = width(shape.b_width), destination_width = width(shape.destination_width);
  std::uint8_t* destination = group(hart, d->rd);
  std::memcpy(b, group(hart, d->rs2), count << b_width);
  if (shape.first == First::vector)
    std::memcpy(a, group(hart, d->rs1), count << a_width);
  else if (shape.first != First::none)
    splat(a, scalar(hart, d, shape.first, a_width), a_width, count);
  if (!is_masked(d) && hart.vstart == 0) {
    kernel(hart, destination, b, a, count);
    return;
  }
  const Active active(hart, d);
  if (shape.reads_destination) std::memcpy(result, destination, count << destination_width);
  make_harmless(b, active, shape.floats, b_width, count);
  if (shape.first != First::none) make_harmless(a, active, shape.floats, a_width, count);
  if (shape.reads_destination) make_harmless(result, active, shape.floats, destination_width, count);
  kernel(hart, result, b, a, count);
  blends[destination_width](destination, result, active, count);
}

}  // namespace dojo::isa::vector
