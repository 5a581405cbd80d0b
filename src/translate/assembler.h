// Writes x86-64 machine code. One function for each form of instruction that the translator uses; nothing is
// looked at but the operands' numbers, so any host may write it (only x86-64 may run it).
//
// Encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "translate/host_vectors.h"

namespace dojo::translate {

enum class Reg : std::uint8_t { ax, cx, dx, bx, sp, bp, si, di, r8, r9, r10, r11, r12, r13, r14, r15 };

// A host vector register: 32 bytes of 16 registers, or 64 bytes of 32.
enum class Vec : std::uint8_t {};
// A register of one bit for each element (AVX-512). k0 cannot mask: as a mask it stands for all elements.
enum class Mask : std::uint8_t { k0, k1, k2, k3, k4, k5, k6, k7 };

// A vector instruction: prefix none, 66, F3, F2 (0..3), map 0F, 0F38, 0F3A (1..3), opcode; `wide`: the bit W,
// which all instructions on elements of 8 bytes set.
struct VectorOp {
  std::uint8_t prefix, map, opcode;
  bool wide = false;
};

// A memory operand: base + displacement, or base + index * 2^scale_log2 + displacement. `index` sp: none.
struct Mem {
  Reg base;
  std::int32_t displacement = 0;
  Reg index = Reg::sp;
  std::uint8_t scale_log2 = 0;
};

// What an instruction's r/m operand is: a register of its kind, or bytes in memory.
class RegMem {
public:
  RegMem(Reg r) : number_(static_cast<std::uint8_t>(r)) {}
  RegMem(Vec v) : number_(static_cast<std::uint8_t>(v)) {}
  RegMem(Mem mem) : in_memory_(true), mem_(mem) {}

private:
  friend class Assembler;
  bool in_memory_ = false;
  std::uint8_t number_ = 0;
  Mem mem_{Reg::ax};
};

// A place in the code. Jumps to it may be written before it is bound.
struct Label {
  std::ptrdiff_t position = -1;
  std::vector<std::size_t> jumps;  // where their displacements stand
};

enum class Width : std::uint8_t { word, wide };  // 32 bits (which clears the upper half), 64 bits
enum class Alu : std::uint8_t { add = 0, or_ = 1, and_ = 4, sub = 5, xor_ = 6, cmp = 7 };
enum class Shift : std::uint8_t { rotate_left = 0, rotate_right = 1, left = 4, right = 5, arithmetic = 7 };
enum class Condition : std::uint8_t {
  below = 2,
  not_below = 3,
  equal = 4,
  not_equal = 5,
  above = 7,
  unordered = 10,
  less = 12,
  not_less = 13,
  not_greater = 14,
  greater = 15,
};

class Assembler {
public:
  explicit Assembler(HostVectors vectors = HostVectors::avx2) : vectors_(vectors) {}
  std::span<const std::uint8_t> code() const { return code_; }

  void bind(Label& label);
  void jump(Label& label);
  void jump(RegMem to);
  void jump_if(Condition condition, Label& label);
  void call(const void* function);  // by way of ax
  void push(Reg r);
  void pop(Reg r);
  void ret();

  void set(Reg to, std::uint64_t value);  // may change the flags
  void set_address(Reg to, const void* address) { set(to, reinterpret_cast<std::uintptr_t>(address)); }
  void move(Width width, Reg to, RegMem from);
  void store(unsigned bytes, Mem to, Reg from);                    // the low bytes
  void store(unsigned bytes, Mem to, std::int32_t value);          // 1, 4 or 8, sign-extended
  void load(unsigned bytes, bool is_signed, Reg to, RegMem from);  // extended to 64 bits
  void address(Width width, Reg to, Mem mem);
  void alu(Alu op, Width width, Reg to, RegMem from);
  void alu(Alu op, Width width, RegMem to, std::int32_t value);
  void invert(Width width, Reg r);
  void multiply(Width width, Reg to, RegMem from);
  void shift(Shift op, Width width, Reg to, std::uint8_t count);
  void shift(Shift op, Width width, Reg to, Reg from, Reg count);  // left, right or arithmetic; keeps flags
  void swap_bytes(Reg r);
  void count_bits(Width width, Reg to, RegMem from);             // ones
  void count_zeros(Width width, bool low, Reg to, RegMem from);  // trailing or leading
  void test(Width width, Reg a, Reg b);
  void set_if(Condition condition, Reg to);  // 0 or 1 into ax, cx, dx or bx, 8 bits
  void move_if(Condition condition, Width width, Reg to, RegMem from);

  // --- Vectors. Whole ones have vector_bytes() bytes; a part is their lower half or quarter. `under`: only
  // the elements whose bit is set, the others of `to` (bytes in memory) stay; AVX-512 only, as are masks.
  unsigned vector_bytes() const { return vectors_ == HostVectors::avx512 ? 64 : 32; }
  unsigned vector_count() const { return vectors_ == HostVectors::avx512 ? 32 : 16; }
  bool has_masks() const { return vectors_ == HostVectors::avx512; }

  void load_vector(Vec to, Mem from) { load_part(to, from, vector_bytes()); }
  void store_vector(Mem to, Vec from) { store_part(to, from, vector_bytes()); }
  void load_part(Vec to, Mem from, unsigned bytes);
  void store_part(Mem to, Vec from, unsigned bytes);
  void load_bytes(Vec to, Mem from, Mask under);
  void store_bytes(Mem to, Vec from, Mask under);
  void move_vector(Vec to, Vec from);
  void merge(unsigned bytes, Vec to, Vec from, Mask under);  // elements of so many bytes
  void spread(unsigned bytes, Vec to, RegMem from);          // copies of an element of 1, 2, 4 or 8 bytes
  void move_to_vector(Width width, Vec to, RegMem from);     // Vec 0 to 15
  void move_from_vector(Width width, RegMem to, Vec from);
  // to = op(a, b). `b` in memory is a whole vector, or one element of it for all (`spread`; AVX-512 only).
  void vector(const VectorOp& op, Vec to, Vec a, RegMem b, Mask under = Mask::k0);
  void vector_spread(const VectorOp& op, Vec to, Vec a, Mem element);
  // With a constant behind it, as instructions of the map 0F3A have.
  void vector_with(const VectorOp& op, Vec to, Vec a, RegMem b, std::uint8_t constant, Mask under = Mask::k0);
  // to = op(from, constant): shifts, whose opcode is completed by `group`.
  void vector_shift(const VectorOp& op, unsigned group, Vec to, Vec from, std::uint8_t count);
  // An element of 2 or 4 bytes of the lowest quarter, from and to memory. Vec 0 to 15.
  void insert(unsigned bytes, Vec to, Mem from, unsigned element);
  void extract(unsigned bytes, Mem to, Vec from, unsigned element);
  // 16 bytes, the lowest of a vector or those at 16 * `place`.
  void insert_lowest(Vec to, Vec from, unsigned place);
  void to_lowest(Vec to, Vec from, unsigned place);
  // For the lowest element alone, 4 bytes with prefix F3, 8 with F2, or as the map 0F38 says. Vec 0 to 15.
  void scalar(bool wide, unsigned prefix, unsigned map, std::uint8_t opcode, Vec to, Vec a, RegMem b);
  void compare_scalar(unsigned bytes, Vec a, Vec b);  // `unordered` if either is a NaN

  // AVX2: elements of all ones where the predicate of vcmpps (its number) holds; one bit for each element's
  // sign; b where the sign of its element of `lanes` is set, elsewhere a.
  void compare_lanes(unsigned bytes, Vec to, Vec a, Vec b, std::uint8_t predicate);
  void signs(unsigned bytes, Reg to, Vec from);
  void choose(Vec to, Vec a, Vec b, Vec lanes);
  // AVX2: elements of all ones where a or b is a NaN; then `equal`: no bit is set.
  void compare_unordered(unsigned bytes, Vec to, Vec a, Vec b);
  void test_any(Vec v);
  void test_any_low(Vec v);                // in its lower half
  void test_all(Vec v, RegMem bits);       // `equal`: none of these bits is set, `not_below`: not all of them
  void upper_quarter(Vec to, Vec from);    // bytes 8 to 15, to the lowest ones
  void join_halves(Vec to, Vec a, Vec b);  // a's lower and b's upper half
  // AVX-512: ones where neither is a NaN, where one is; where bytes are equal; then `below`: all bits are
  // set, `equal`: none.
  void compare_ordered(unsigned bytes, Mask to, Vec a, Vec b, Mask under = Mask::k0);
  void compare_unordered(unsigned bytes, Mask to, Vec a, Vec b, Mask under = Mask::k0);
  void compare_equal_bytes(Mask to, Vec a, Vec b, Mask under);
  // By a predicate of vcmpps (its number), or of vpcmpd.
  void compare(unsigned bytes, Mask to, Vec a, Vec b, std::uint8_t predicate, Mask under);
  void compare_integers(unsigned bytes, bool is_signed, Mask to, Vec a, RegMem b, std::uint8_t predicate,
                        Mask under);
  void load_mask(unsigned elements, Mask to, Mem from);  // 8 to 64
  void store_mask(unsigned elements, Mem to, Mask from);
  void mask_and(Mask to, Mask a, Mask b);      // of 64 bits
  void mask_and_not(Mask to, Mask a, Mask b);  // ~a & b
  void mask_or(Mask to, Mask a, Mask b);
  void set_mask(Mask to, Reg from);
  void test_mask(unsigned elements, Mask mask);  // 8, 16 or 64

  // To a whole vector from its lower half or quarter: words with zeros above, bytes to words with zeros or
  // signs above, FP16 to FP32.
  void widen_words(Vec to, RegMem from);
  void widen_bytes(bool is_signed, Vec to, RegMem from);  // to half a vector, from a quarter
  void widen_halves(Vec to, Vec from);
  void upper_half(Vec to, Vec from);              // to the lower one
  void pack_words(Vec to, Vec lower, Vec upper);  // of 4 bytes below 2^16 to 2 bytes; overwrites `upper`
  void end_vectors();
  void store_float_state(Mem to);  // MXCSR, of 4 bytes

private:
  void byte(unsigned value) { code_.push_back(static_cast<std::uint8_t>(value)); }
  void number(std::uint64_t value, unsigned bytes);
  void operands(unsigned reg, const RegMem& rm, std::int32_t unit = 1);
  void plain(Width width, unsigned prefix, unsigned map, unsigned opcode, unsigned reg, const RegMem& rm,
             bool byte_register = false);
  void vex(bool wide, bool long_vector, unsigned prefix, unsigned map, unsigned opcode, unsigned reg,
           unsigned second, const RegMem& rm);
  struct Evex;
  void evex(const VectorOp& op, unsigned reg, unsigned second, const RegMem& rm, const Evex& rest);
  void any_vector(const VectorOp& op, unsigned bytes, unsigned reg, unsigned second, const RegMem& rm);
  void to_label(Label& label);

  HostVectors vectors_;
  std::vector<std::uint8_t> code_;
};

}  // namespace dojo::translate
