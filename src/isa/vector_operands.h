// Register groups and masks: what every vector instruction has in common.
//
// An elementwise instruction is a kernel over contiguous host arrays, which the compiler turns into host
// SIMD, and a VectorShape that says how its operands lie in the register file. `elementwise` checks the
// configuration and hands the kernel whole register groups. Masked instructions run the same kernel on copies
// whose inactive elements hold a harmless value (0, or 1.0 for floats: it can raise no flag and divide
// nothing by zero), and blend: inactive and tail elements are always undisturbed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "isa/hart.h"
#include "isa/instruction.h"
#include "isa/vector_legality.h"

// The element loops may read and write the same register group, element for element: nothing is carried from
// one to the next.
#if defined(__clang__)
#define DOJO_ELEMENTS _Pragma("clang loop vectorize(assume_safety)")
#else
#define DOJO_ELEMENTS _Pragma("GCC ivdep")
#endif

namespace dojo::isa::vector {

constexpr std::size_t max_group_bytes = 8 * max_vlen_bits / 8;
constexpr std::size_t max_elements = max_group_bytes;

// Computes elements 0..count-1 of `destination` from the second source (`b`: vs2) and the first (`a`: vs1,
// scalar or immediate, one copy per element). An instruction with three sources finds the third in
// `destination`.
using Kernel = void (*)(Hart& hart, void* destination, const void* b, const void* a, std::size_t count);

// One per SEW (8, 16, 32, 64); nullptr where the SEW is reserved.
using Kernels = std::array<Kernel, 4>;

enum class First : std::uint8_t {
  none,
  vector,
  x,
  simm,
  uimm,
  uimm6,
  f,
  brain
};  // what stands in the rs1 field; uimm6: and bit 26; brain: f holding bf16

struct VectorShape {
  First first = First::vector;
  std::int8_t destination_width = 0, b_width = 0, a_width = 0;  // EEW = SEW << width
  bool reads_destination = false;
  bool floats = false;           // inactive operands become 1.0 instead of 0
  bool rounds = false;           // illegal if frm is
  std::int8_t scalar_width = 0;  // of an x or f operand, like a_width
};

constexpr VectorOperands operands_of(const VectorShape& shape) {
  return {.vd = scaled(shape.destination_width),
          .vs2 = scaled(shape.b_width),
          .vs1 = shape.first == First::vector ? scaled(shape.a_width) : OperandGroup{},
          .reads_vd = shape.reads_destination};
}

inline std::uint8_t* group(Hart& hart, unsigned r) { return reinterpret_cast<std::uint8_t*>(hart.vreg(r)); }
inline bool mask_bit(const std::uint8_t* mask, std::size_t i) { return mask[i >> 3] >> (i & 7) & 1; }
inline void set_mask_bit(std::uint8_t* mask, std::size_t i, bool value) {
  const auto bit = static_cast<std::uint8_t>(1u << (i & 7));
  mask[i >> 3] = static_cast<std::uint8_t>(value ? mask[i >> 3] | bit : mask[i >> 3] & ~bit);
}

// One byte per element below vl: 1 if the element is to be written (not masked off, not before vstart).
struct Active {
  alignas(64) std::array<std::uint8_t, max_elements> flags;
  Active(Hart& hart, const Decoded* d);
  bool operator[](std::size_t i) const { return flags[i] != 0; }
};

// Replaces the elements of a copy that are not active by 0, or 1.0.
void make_harmless(void* copy, const Active& active, bool floats, unsigned width_log2, std::size_t count);

// Packs one byte per element (0 or 1) into mask register bits; elements that are not active keep their bits.
void write_mask(Hart& hart, const Decoded* d, std::uint8_t* mask, const std::uint8_t* bits);

// `count` copies of the low bits of `value`, each 1 << width_log2 bytes.
void splat(void* destination, std::uint64_t value, unsigned width_log2, std::size_t count);

// The scalar in rs1's place, sign-extended to 64 bits; an f register that is no properly boxed value of this
// width reads as NaN.
std::uint64_t scalar(const Hart& hart, const Decoded* d, First first, unsigned width_log2);

// The general way: masked, vstart not 0, or operands of different widths that overlap.
void elementwise_copied(Hart& hart, const Decoded* d, const VectorShape& shape, Kernel kernel);

template <VectorShape shape>
bool is_legal(const Hart& hart, const Decoded* d) {
  return !(shape.rounds && hart.frm > 4) && is_legal(hart, d, operands_of(shape));
}

// Bits of a register's number that must be 0 where a group of LMUL registers begins.
inline unsigned misaligned_bits(const Hart& hart) {
  constexpr std::uint32_t by_vlmul = 0x00007310;
  return by_vlmul >> 4 * (hart.vtype & 7) & 7;
}

// Whether all operands have one width, nothing is masked off and nothing is reserved: the kernel may run on
// the register file itself.
template <VectorShape shape>
bool is_straight(const Hart& hart, const Decoded* d) {
  if constexpr (shape.destination_width != shape.b_width ||
                (shape.first == First::vector && shape.destination_width != shape.a_width))
    return false;
  if constexpr (shape.destination_width != 0)  // of one width, but not LMUL's registers each
    return !is_masked(d) && hart.vstart == 0 && is_legal<shape>(hart, d);
  const unsigned registers = d->rd | d->rs2 | (shape.first == First::vector ? d->rs1 : 0u);
  return !hart.vill && !is_masked(d) && hart.vstart == 0 && (registers & misaligned_bits(hart)) == 0 &&
         !(shape.rounds && hart.frm > 4);
}

template <VectorShape shape>
[[gnu::noinline]] const Decoded* elementwise_general(Hart& hart, const Decoded* d, Kernel kernel) {
  if (kernel == nullptr || !is_legal<shape>(hart, d)) return illegal(hart, d);
  elementwise_copied(hart, d, shape, kernel);
  hart.vstart = 0;
  return d + 1;
}

template <VectorShape shape>
[[gnu::noinline]] const Decoded* elementwise(Hart& hart, const Decoded* d, const Kernels& kernels) {
  const unsigned sew = sew_log2(hart);
  const Kernel kernel = kernels[sew];
  if (!is_straight<shape>(hart, d) || kernel == nullptr) return elementwise_general<shape>(hart, d, kernel);
  if constexpr (shape.first == First::vector || shape.first == First::none) {
    kernel(hart, group(hart, d->rd), group(hart, d->rs2), group(hart, d->rs1), hart.vl);
  } else {
    alignas(64) std::uint8_t a[max_group_bytes];
    const auto width = static_cast<unsigned>(static_cast<int>(sew) + shape.scalar_width);
    splat(a, scalar(hart, d, shape.first, width), width, hart.vl);
    kernel(hart, group(hart, d->rd), group(hart, d->rs2), a, hart.vl);
  }
  return d + 1;
}

// A handler from a shape and a table of kernels.
template <VectorShape shape, const Kernels& kernels>
const Decoded* execute_elements(Hart& hart, const Decoded* d) {
  if (elementwise<shape>(hart, d, kernels) == nullptr) return nullptr;
  return proceed(hart, d);
}
template <VectorShape shape, const Kernels& kernels>
constexpr VectorHandler run = {execute_elements<shape, kernels>, operands_of(shape)};

// The same for a scalar operand where there are also kernels that take it as one number, not one for each
// element.
template <VectorShape shape, const Kernels& kernels, const Kernels& kernels_by_one>
const Decoded* execute_by_one(Hart& hart, const Decoded* d) {
  const unsigned sew = sew_log2(hart);
  const Kernel kernel = kernels_by_one[sew];
  if (!is_straight<shape>(hart, d) || kernel == nullptr)
    return elementwise_general<shape>(hart, d, kernels[sew]);
  // The frequent case of `scalar`: a number that is boxed as it should be.
  const std::uint64_t boxed = hart.f[d->rs1], upper = ~std::uint64_t{0} << (8u << sew & 63);
  const std::uint64_t a = shape.first == First::f && sew < 3 && (boxed & upper) == upper
                              ? boxed
                              : scalar(hart, d, shape.first, sew);
  kernel(hart, group(hart, d->rd), group(hart, d->rs2), &a, hart.vl);
  return proceed(hart, d);
}
template <VectorShape shape, const Kernels& kernels, const Kernels& kernels_by_one>
constexpr VectorHandler run_by_one = {execute_by_one<shape, kernels, kernels_by_one>, operands_of(shape)};

// Elements as the host's types. The register file is an array of bytes; these types may alias it.
using i8 [[gnu::may_alias]] = std::int8_t;
using i16 [[gnu::may_alias]] = std::int16_t;
using i32 [[gnu::may_alias]] = std::int32_t;
using i64 [[gnu::may_alias]] = std::int64_t;
using u8 [[gnu::may_alias]] = std::uint8_t;
using u16 [[gnu::may_alias]] = std::uint16_t;
using u32 [[gnu::may_alias]] = std::uint32_t;
using u64 [[gnu::may_alias]] = std::uint64_t;
using f32 [[gnu::may_alias]] = float;
using f64 [[gnu::may_alias]] = double;

// The tables of the files beside this one.
std::span<const Row> config_rows();
std::span<const Row> memory_rows();
std::span<const Row> integer_rows();
std::span<const Row> wide_rows();
std::span<const Row> bits_rows();
std::span<const Row> fixed_rows();
std::span<const Row> float_rows();
std::span<const Row> convert_rows();
std::span<const Row> reduction_rows();
std::span<const Row> mask_rows();
std::span<const Row> permute_rows();

}  // namespace dojo::isa::vector
