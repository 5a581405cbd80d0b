// Whole arrays in vector code: copies, fills, strides and conversions. Loops advance by what vsetvl grants.
#include <riscv_vector.h>

#include "dojo.h"

extern "C" void* memcpy(void* destination, const void* source, size_t bytes);

namespace dojo {
namespace {

// One element type at eight registers a group: what the strided copies need to know about it.
struct Floats {
  using Element = float;
  static size_t granted(size_t count) { return __riscv_vsetvl_e32m8(count); }
  static vfloat32m8_t load(const float* p, size_t n) { return __riscv_vle32_v_f32m8(p, n); }
  static vfloat32m8_t load(const float* p, ptrdiff_t bytes, size_t n) {
    return __riscv_vlse32_v_f32m8(p, bytes, n);
  }
  static void store(float* p, vfloat32m8_t v, size_t n) { __riscv_vse32_v_f32m8(p, v, n); }
  static void store(float* p, ptrdiff_t bytes, vfloat32m8_t v, size_t n) {
    __riscv_vsse32_v_f32m8(p, bytes, v, n);
  }
};

struct HalfWords {
  using Element = uint16_t;
  static size_t granted(size_t count) { return __riscv_vsetvl_e16m8(count); }
  static vuint16m8_t load(const uint16_t* p, size_t n) { return __riscv_vle16_v_u16m8(p, n); }
  static vuint16m8_t load(const uint16_t* p, ptrdiff_t bytes, size_t n) {
    return __riscv_vlse16_v_u16m8(p, bytes, n);
  }
  static void store(uint16_t* p, vuint16m8_t v, size_t n) { __riscv_vse16_v_u16m8(p, v, n); }
  static void store(uint16_t* p, ptrdiff_t bytes, vuint16m8_t v, size_t n) {
    __riscv_vsse16_v_u16m8(p, bytes, v, n);
  }
};

struct Bytes {
  using Element = uint8_t;
  static size_t granted(size_t count) { return __riscv_vsetvl_e8m8(count); }
  static vuint8m8_t load(const uint8_t* p, size_t n) { return __riscv_vle8_v_u8m8(p, n); }
  static vuint8m8_t load(const uint8_t* p, ptrdiff_t bytes, size_t n) {
    return __riscv_vlse8_v_u8m8(p, bytes, n);
  }
  static void store(uint8_t* p, vuint8m8_t v, size_t n) { __riscv_vse8_v_u8m8(p, v, n); }
  static void store(uint8_t* p, ptrdiff_t bytes, vuint8m8_t v, size_t n) {
    __riscv_vsse8_v_u8m8(p, bytes, v, n);
  }
};

template <typename Kind>
void pack(typename Kind::Element* to, ptrdiff_t to_stride, const typename Kind::Element* from,
          ptrdiff_t from_stride, size_t count) {
  constexpr ptrdiff_t size = sizeof(typename Kind::Element);
  for (size_t n; count != 0; count -= n) {
    n = Kind::granted(count);
    if (to_stride == 1 && from_stride == 1)
      Kind::store(to, Kind::load(from, n), n);
    else if (to_stride == 1)
      Kind::store(to, Kind::load(from, from_stride * size, n), n);
    else if (from_stride == 1)
      Kind::store(to, to_stride * size, Kind::load(from, n), n);
    else
      Kind::store(to, to_stride * size, Kind::load(from, from_stride * size, n), n);
    to += static_cast<ptrdiff_t>(n) * to_stride;
    from += static_cast<ptrdiff_t>(n) * from_stride;
  }
}

}  // namespace

void copy(void* destination, const void* source, size_t bytes) { memcpy(destination, source, bytes); }

void fill(float* destination, float value, size_t count) {
  for (size_t n; count != 0; count -= n, destination += n) {
    n = __riscv_vsetvl_e32m8(count);
    __riscv_vse32_v_f32m8(destination, __riscv_vfmv_v_f_f32m8(value, n), n);
  }
}

void fill(bf16* destination, bf16 value, size_t count) {
  const auto bits = __builtin_bit_cast(uint16_t, value);
  auto* words = reinterpret_cast<uint16_t*>(destination);
  for (size_t n; count != 0; count -= n, words += n) {
    n = __riscv_vsetvl_e16m8(count);
    __riscv_vse16_v_u16m8(words, __riscv_vmv_v_x_u16m8(bits, n), n);
  }
}

void add(float* sum, const float* left, const float* right, size_t count) {
  for (size_t n; count != 0; count -= n, sum += n, left += n, right += n) {
    n = __riscv_vsetvl_e32m8(count);
    const vfloat32m8_t a = __riscv_vle32_v_f32m8(left, n), b = __riscv_vle32_v_f32m8(right, n);
    __riscv_vse32_v_f32m8(sum, __riscv_vfadd_vv_f32m8(a, b, n), n);
  }
}

void pack_row(float* destination, ptrdiff_t destination_stride, const float* source, ptrdiff_t source_stride,
              size_t count) {
  pack<Floats>(destination, destination_stride, source, source_stride, count);
}

void pack_row(bf16* destination, ptrdiff_t destination_stride, const bf16* source, ptrdiff_t source_stride,
              size_t count) {
  pack<HalfWords>(reinterpret_cast<uint16_t*>(destination), destination_stride,
                  reinterpret_cast<const uint16_t*>(source), source_stride, count);
}

void pack_row(uint8_t* destination, ptrdiff_t destination_stride, const uint8_t* source,
              ptrdiff_t source_stride, size_t count) {
  pack<Bytes>(destination, destination_stride, source, source_stride, count);
}

void split(bf16* even, bf16* odd, const bf16* pairs, size_t count) {
  auto* low = reinterpret_cast<uint16_t*>(even);
  auto* high = reinterpret_cast<uint16_t*>(odd);
  for (size_t n; count != 0; count -= n, low += n, high += n, pairs += 2 * n) {
    n = __riscv_vsetvl_e16m4(count);
    const vuint32m8_t both = __riscv_vle32_v_u32m8(reinterpret_cast<const uint32_t*>(pairs), n);
    __riscv_vse16_v_u16m4(low, __riscv_vnsrl_wx_u16m4(both, 0, n), n);
    __riscv_vse16_v_u16m4(high, __riscv_vnsrl_wx_u16m4(both, 16, n), n);
  }
}

void to_bf16(bf16* destination, const float* source, size_t count) {
  for (size_t n; count != 0; count -= n, destination += n, source += n) {
    n = __riscv_vsetvl_e32m8(count);
    __riscv_vse16_v_bf16m4(destination, __riscv_vfncvtbf16_f_f_w_bf16m4(__riscv_vle32_v_f32m8(source, n), n),
                           n);
  }
}

void to_float(float* destination, const bf16* source, size_t count) {
  for (size_t n; count != 0; count -= n, destination += n, source += n) {
    n = __riscv_vsetvl_e32m8(count);
    __riscv_vse32_v_f32m8(destination, __riscv_vfwcvtbf16_f_f_v_f32m8(__riscv_vle16_v_bf16m4(source, n), n),
                          n);
  }
}

void to_float(float* destination, const uint8_t* source, size_t count) {
  for (size_t n; count != 0; count -= n, destination += n, source += n) {
    n = __riscv_vsetvl_e32m8(count);
    const vuint32m8_t words = __riscv_vzext_vf4_u32m8(__riscv_vle8_v_u8m2(source, n), n);
    __riscv_vse32_v_f32m8(destination, __riscv_vfcvt_f_xu_v_f32m8(words, n), n);
  }
}

}  // namespace dojo
