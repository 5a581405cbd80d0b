// vsetvli and its kin: all but the length is known when the code is written.
#include "isa/vector_config.h"

#include <array>
#include <bit>
#include <cstddef>
#include <memory>

#include "translate/emitters.h"

namespace dojo::translate {
namespace {

using isa::Decoded;
using W = CodeWriter;

constexpr std::ptrdiff_t settings_bytes = 8;

// vtype and what the hart keeps of it.
void write_type(W& w, const isa::Hart& hart) {
  if (w.known_vtype() == hart.vtype) return;
  w.as.set(W::second_scratch, hart.vtype);
  w.as.store(8, W::vector_type(), W::second_scratch);
  std::array<std::byte, settings_bytes> settings;
  const auto* first = reinterpret_cast<const std::byte*>(&hart.sew);
  std::copy(first, first + settings_bytes, settings.begin());
  w.as.set(W::second_scratch, std::bit_cast<std::uint64_t>(settings));
  w.as.store(8, W::vector_settings(), W::second_scratch);
}

// The smaller of `requested` and what there is room for, or all of that; vl is in scratch then.
bool configure(W& w, const Decoded& d, std::uint64_t vtype, std::optional<std::uint64_t> constant,
               bool keeps) {
  const auto hart = std::make_unique<isa::Hart>();
  hart->vlen_bits = w.vlen_bits;
  isa::set_vtype(*hart, vtype);
  if (hart->vill) return false;
  const std::uint64_t most = isa::vector_length_limit(*hart);
  if (keeps && w.known_vl()) constant = w.known_vl();
  std::optional<std::uint64_t> vl;
  if (constant) {
    vl = std::min(*constant, most);
    w.as.set(W::scratch, *vl);
  } else {
    w.as.set(W::second_scratch, most);
    w.as.move(Width::wide, W::scratch, keeps ? RegMem(W::vector_length()) : RegMem(w.read(d.rs1)));
    w.as.alu(Alu::cmp, Width::wide, W::scratch, W::second_scratch);
    w.as.move_if(Condition::above, Width::wide, W::scratch, W::second_scratch);
  }
  if (!vl || w.known_vl() != vl) w.as.store(8, W::vector_length(), W::scratch);
  if (d.rd != 0) {
    w.as.move(Width::wide, w.write(d.rd), W::scratch);
  }
  write_type(w, *hart);
  w.set_known(hart->vtype, vl);
  return true;
}

bool vsetvli(W& w, const Decoded& d) {
  const bool keeps = d.rs1 == 0 && d.rd == 0;
  const auto all = d.rs1 == 0 && d.rd != 0 ? std::optional(~std::uint64_t{0}) : std::nullopt;
  return configure(w, d, d.word >> 20 & 0x7ff, all, keeps);
}

bool vsetivli(W& w, const Decoded& d) { return configure(w, d, d.word >> 20 & 0x3ff, d.rs1, false); }

}  // namespace

std::span<const Emitter> vector_config_emitters() {
  static const Emitter table[] = {{"vsetvli", vsetvli}, {"vsetivli", vsetivli}, {"sf.vsettnt", vsetvli}};
  return table;
}

}  // namespace dojo::translate
