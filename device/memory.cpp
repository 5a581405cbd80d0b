// memcpy, memmove, memset and memcmp, which the compiler calls on its own, in vector code of whole register
// groups.
#include <riscv_vector.h>
#include <stddef.h>
#include <stdint.h>

extern "C" {

void* memcpy(void* __restrict destination, const void* __restrict source, size_t bytes) {
  auto* to = static_cast<uint8_t*>(destination);
  const auto* from = static_cast<const uint8_t*>(source);
  while (bytes != 0) {
    const size_t count = __riscv_vsetvl_e8m8(bytes);
    __riscv_vse8_v_u8m8(to, __riscv_vle8_v_u8m8(from, count), count);
    to += count;
    from += count;
    bytes -= count;
  }
  return destination;
}

// Each group is read whole before it is written, so only the direction matters.
void* memmove(void* destination, const void* source, size_t bytes) {
  auto* to = static_cast<uint8_t*>(destination);
  const auto* from = static_cast<const uint8_t*>(source);
  if (to <= from || to >= from + bytes) {
    while (bytes != 0) {
      const size_t count = __riscv_vsetvl_e8m8(bytes);
      __riscv_vse8_v_u8m8(to, __riscv_vle8_v_u8m8(from, count), count);
      to += count;
      from += count;
      bytes -= count;
    }
    return destination;
  }
  while (bytes != 0) {
    const size_t count = __riscv_vsetvl_e8m8(bytes);
    bytes -= count;
    __riscv_vse8_v_u8m8(to + bytes, __riscv_vle8_v_u8m8(from + bytes, count), count);
  }
  return destination;
}

void* memset(void* destination, int value, size_t bytes) {
  auto* to = static_cast<uint8_t*>(destination);
  while (bytes != 0) {
    const size_t count = __riscv_vsetvl_e8m8(bytes);
    __riscv_vse8_v_u8m8(to, __riscv_vmv_v_x_u8m8(static_cast<uint8_t>(value), count), count);
    to += count;
    bytes -= count;
  }
  return destination;
}

int memcmp(const void* left, const void* right, size_t bytes) {
  const auto* a = static_cast<const uint8_t*>(left);
  const auto* b = static_cast<const uint8_t*>(right);
  while (bytes != 0) {
    const size_t count = __riscv_vsetvl_e8m8(bytes);
    const vuint8m8_t in_a = __riscv_vle8_v_u8m8(a, count), in_b = __riscv_vle8_v_u8m8(b, count);
    const long first = __riscv_vfirst_m_b1(__riscv_vmsne_vv_u8m8_b1(in_a, in_b, count), count);
    if (first >= 0) return a[first] < b[first] ? -1 : 1;
    a += count;
    b += count;
    bytes -= count;
  }
  return 0;
}

size_t strlen(const char* text) {
  size_t bytes = 0;
  while (text[bytes] != 0) ++bytes;
  return bytes;
}

}  // extern "C"
