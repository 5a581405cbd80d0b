// Test help: which registers an instruction touches, found by experiment. It is executed again and again with
// one register changed: what comes out otherwise was read, what comes out changed was written.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <bitset>
#include <cstring>
#include <memory>

#include "base/random.h"
#include "isa/block.h"
#include "isa/vector_config.h"
#include "node/cost.h"

namespace dojo::node::touching {

using isa::Hart;
using isa::Operand;
using isa::Row;

constexpr unsigned vd = 8, vs2 = 16, vs1 = 24;
constexpr std::uint64_t memory_base = 0x10000, memory_bytes = 8192, middle = memory_base + memory_bytes / 2;

struct Touched {
  std::bitset<32> v_reads, v_writes, x_reads, x_writes, f_reads, f_writes;
  std::bitset<4> t_reads, t_writes;
};

// Where the contents of registers come from; each shows what others hide.
enum class Style { floats, wide_floats, small, indices, random, sparse, dense, carries, count };

struct Contents {
  Hart hart;
  std::array<std::byte, memory_bytes> memory;
};

class Experiment {
public:
  Experiment(const Row& row, unsigned vlen_bits, std::uint64_t vtype, bool masked, std::uint64_t seed)
      : row_(row), random_(seed), masked_(masked) {
    Hart& h = before_->hart;
    h.vlen_bits = vlen_bits;
    isa::set_vtype(h, vtype);
    limit_ = h.vl = isa::vector_length_limit(h);
    if (h.tile_widen != 0) isa::set_vtype(h, vtype | limit_ << 16 | std::uint64_t{h.tile_widen} << 11);
  }

  // One more trial, of other contents; false if this is no instruction in this configuration.
  bool run(std::uint64_t vl, std::uint64_t vstart) {
    Hart& h = before_->hart;
    choose_word();
    style_ = static_cast<Style>(trial_++ % static_cast<unsigned>(Style::count));
    for (unsigned r = 0; r < 32; ++r) fill_vector(h, r), fill_scalars(h, r);
    if (row_.extension != "V") fill_bytes(h.tiles);
    if (accesses()) fill_bytes(before_->memory);
    h.vl = vl, h.vstart = vstart;
    copy(*after_, *before_);
    if (!execute(*after_)) return false;
    note_writes();
    for (unsigned r = 0; r < 32; ++r)
      try_another([&](Hart& hart) { fill_vector(hart, r); }, touched.v_reads, r);
    for (const unsigned r : {vd, vs2, vs1}) {
      try_another([&](Hart& hart) { fill_x(hart, r); }, touched.x_reads, r);
      try_another([&](Hart& hart) { fill_f(hart, r); }, touched.f_reads, r);
    }
    for (unsigned i = 0; i < 4 && row_.extension != "V"; ++i)
      try_another([&](Hart& hart) { hart.tiles[i * 1024 + random_.below(64)] ^= std::byte{0x11}; },
                  touched.t_reads, i);
    return true;
  }

  std::uint64_t limit() const { return limit_; }
  Cost cost(const machine::Node& node) const { return cost_of(decoded_, config_of(before_->hart), node); }
  const isa::Decoded& decoded() const { return decoded_; }
  isa::ElementType type() const { return {std::countr_zero(before_->hart.sew) - 3, before_->hart.lmul_log2}; }

  Touched touched;

private:
  // The operands lie in groups of eight; an immediate is any.
  void choose_word() {
    const std::uint64_t any = random_.below(random_.below(2) != 0 ? 32 : 4);
    const unsigned five = row_.rs1 == Operand::none ? static_cast<unsigned>(any) : vs1;
    const std::uint32_t open = vd << 7 | five << 15 | vs2 << 20 | (masked_ ? 0u : 1u << 25);
    decoded_ = isa::decode(row_.match | (open & ~row_.mask), 0);
  }

  bool accesses() const { return row_.vector.access != isa::AccessPattern::none; }

  template <std::size_t n>
  void fill_bytes(std::array<std::byte, n>& bytes) {
    for (std::size_t at = 0; at < n; at += 4) {
      const std::uint32_t bits = random_.bits();
      std::memcpy(bytes.data() + at, &bits, 4);
    }
  }
  std::uint64_t many_bits() { return std::uint64_t{random_.bits()} << 32 | random_.bits(); }
  std::uint64_t element(Style style, unsigned width) {
    const std::uint64_t bits = many_bits();
    switch (style) {
      case Style::small:
        return bits % 4;
      case Style::indices: {
        const std::uint64_t most = row_.vector.access == isa::AccessPattern::indexed ? 2048 : limit_ + 2;
        return bits % std::min<std::uint64_t>(most, width == 1 ? 256 : 2048);
      }
      case Style::floats:
      case Style::wide_floats:
        if (width == 2) return (bits & 0x83ff) | (12 + bits % 7) << 10;
        if (width == 4) return (bits & 0x807fffff) | (120 + bits % 15) << 23;
        if (width == 8) return (bits & 0x800fffffffffffff) | (1016 + bits % 15) << 52;
        return bits;
      default:
        return bits;
    }
  }
  unsigned element_bytes() const {
    const unsigned sew = before_->hart.sew / 8u;
    const isa::OperandGroup& indices =
        row_.vector.order == isa::Order::gathering ? row_.vector.vs1 : row_.vector.vs2;
    if (row_.vector.access == isa::AccessPattern::indexed) return 1u << indices.log2;
    if (style_ == Style::indices) return 1u << std::max(0, indices.eew_log2(type()));
    return style_ == Style::wide_floats ? (row_.extension == "Xdojo" ? 4u : std::min(2 * sew, 8u)) : sew;
  }

  void fill_vector(Hart& hart, unsigned r) {
    const unsigned bytes = hart.vlen_bits / 8, width = element_bytes();
    std::byte* to = hart.vreg(r);
    const bool memory_indices = row_.vector.access == isa::AccessPattern::indexed;
    const Style style = r == 0           ? (style_ == Style::dense ? Style::dense : Style::random)
                        : memory_indices ? Style::indices
                                         : style_;
    if (style == Style::sparse || style == Style::dense || style == Style::carries) {
      const bool dense = style == Style::dense || (style == Style::carries && r < vs1);
      std::fill_n(to, bytes, dense ? std::byte{0xff} : std::byte{0});
      // Often among the first elements, where masks and single elements lie.
      const std::uint64_t places[] = {hart.sew, limit_, bytes * 8u};
      const std::uint64_t bit = random_.below(std::max<std::uint64_t>(places[random_.below(3)], 1));
      to[bit % (bytes * 8) / 8] ^= std::byte(1u << bit % 8);
      return;
    }
    for (unsigned at = 0; at < bytes; at += width) {
      const std::uint64_t value = element(style, width);
      std::memcpy(to + at, &value, width);
    }
  }
  // An address, a stride, a slice of a tile or a descriptor where the instruction takes one.
  void fill_x(Hart& hart, unsigned r) {
    const bool memory = accesses();
    const std::uint64_t reach = 3400 / (limit_ + 1);
    std::uint64_t value = style_ == Style::small  ? random_.below(4)
                          : random_.below(4) == 0 ? random_.below(3) - 1
                          : random_.below(2) == 0 ? random_.below(2 * limit_ + 2)
                                                  : many_bits();
    if (row_.vector.order == isa::Order::gathering) value = random_.below(limit_ + 2);
    if (memory && r == vs1) value = middle + random_.below(64);
    if (memory && r == vs2) value = random_.below(2 * reach + 1) - reach;
    const bool slice = row_.extension == "XSfmm" && r == (memory ? vs2 : vs1);
    if (slice)
      value =
          random_.below(std::max<std::uint64_t>(limit_, 1)) | random_.below(2) << 24 | random_.below(4) << 29;
    if (row_.extension == "Xdojo") value = random_.below(64) | (hart.sew == 8 ? random_.below(2) : 2u) << 8;
    hart.x[r] = value;
  }
  void fill_f(Hart& hart, unsigned r) {
    const unsigned width = std::max(2u, hart.sew / 8u);
    hart.f[r] = element(style_ == Style::small ? style_ : Style::floats, width) |
                (width == 8 ? 0 : ~std::uint64_t{0} << 8 * width);
  }
  void fill_scalars(Hart& hart, unsigned r) {
    if (r != 0) fill_x(hart, r);
    fill_f(hart, r);
  }

  void copy(Contents& to, const Contents& from) const {
    to.hart = from.hart;
    if (accesses()) to.memory = from.memory;
  }

  bool execute(Contents& world) {
    Hart& h = world.hart;
    h.memory = {world.memory.data(), memory_base, memory_bytes, 0, 0, 0};
    std::array<isa::Decoded, 2> code{decoded_, isa::Decoded{}};
    code[1].execute = [](Hart&, const isa::Decoded*) -> const isa::Decoded* { return nullptr; };
    h.stop = isa::Stop::none;
    code[0].execute(h, code.data());
    return h.stop == isa::Stop::none;
  }

  void note_writes() {
    const Hart &a = before_->hart, &b = after_->hart;
    const unsigned bytes = a.vlen_bits / 8;
    for (unsigned r = 0; r < 32; ++r) {
      touched.v_writes[r] =
          touched.v_writes[r] || std::memcmp(a.v.data() + r * bytes, b.v.data() + r * bytes, bytes) != 0;
      touched.x_writes[r] = touched.x_writes[r] || a.x[r] != b.x[r];
      touched.f_writes[r] = touched.f_writes[r] || a.f[r] != b.f[r];
    }
    for (unsigned i = 0; i < 4; ++i)
      touched.t_writes[i] =
          touched.t_writes[i] || std::memcmp(a.tiles.data() + i * 1024, b.tiles.data() + i * 1024, 1024) != 0;
  }

  // Bits that differ although they did not just stay what they were.
  template <typename T, std::size_t n>
  static bool depends(const std::array<T, n>& a0, const std::array<T, n>& a, const std::array<T, n>& b0,
                      const std::array<T, n>& b, std::size_t count) {
    if (std::memcmp(a.data(), b.data(), count * sizeof(T)) == 0) return false;
    for (std::size_t i = 0; i < count; ++i)
      if (((a[i] ^ b[i]) & ((a0[i] ^ a[i]) | (b0[i] ^ b[i]))) != T{}) return true;
    return false;
  }

  template <typename Change, std::size_t n>
  void try_another(Change change, std::bitset<n>& reads, unsigned r) {
    if (reads[r]) return;
    copy(*changed_, *before_);
    change(changed_->hart);
    copy(*result_, *changed_);
    const bool completed = execute(*result_);
    const Hart &a = after_->hart, &b = result_->hart;
    reads[r] = !completed || a.fflags != b.fflags || a.vxsat != b.vxsat || a.vl != b.vl ||
               (accesses() && after_->memory != result_->memory) ||
               depends(before_->hart.v, a.v, changed_->hart.v, b.v, a.vlen_bits * 4) ||
               depends(before_->hart.x, a.x, changed_->hart.x, b.x, 32) ||
               depends(before_->hart.f, a.f, changed_->hart.f, b.f, 32) ||
               depends(before_->hart.tiles, a.tiles, changed_->hart.tiles, b.tiles, a.tiles.size());
  }

  const Row& row_;
  Random random_;
  bool masked_;
  std::uint64_t limit_ = 0;
  unsigned trial_ = 0;
  Style style_{};
  isa::Decoded decoded_{};
  std::unique_ptr<Contents> before_ = std::make_unique<Contents>(), after_ = std::make_unique<Contents>(),
                            changed_ = std::make_unique<Contents>(), result_ = std::make_unique<Contents>();
};

}  // namespace dojo::node::touching
