// Loads and stores of x and f registers.
#include "translate/emitters.h"

namespace dojo::translate {
namespace {

using isa::Decoded;
using W = CodeWriter;

constexpr std::int32_t offset_of(const Decoded& d) { return static_cast<std::int32_t>(d.immediate); }

// All bits above a single, in an f register that holds one.
constexpr std::uint64_t box = 0xffffffff00000000;

Emit load(unsigned bytes, bool is_signed) {
  return [=](W& w, const Decoded& d) {
    const Reg address = w.read(d.rs1);
    Label& not_plain = w.slow_path();
    w.check(address, offset_of(d), bytes, false, not_plain);
    if (d.rd != 0) {
      const Reg r = w.write(d.rd);
      w.as.load(bytes, is_signed, r, W::bytes_at(address, offset_of(d)));
    }
    return true;
  };
}

Emit store(unsigned bytes) {
  return [=](W& w, const Decoded& d) {
    const Reg address = w.read(d.rs1), value = w.read(d.rs2);
    Label& not_plain = w.slow_path();
    w.check(address, offset_of(d), bytes, true, not_plain);
    w.as.store(bytes, W::bytes_at(address, offset_of(d)), value);
    return true;
  };
}

Emit load_float(unsigned bytes) {
  return [=](W& w, const Decoded& d) {
    const Reg address = w.read(d.rs1);
    Label& not_plain = w.slow_path();
    w.check(address, offset_of(d), bytes, false, not_plain);
    w.as.load(bytes, false, W::scratch, W::bytes_at(address, offset_of(d)));
    if (bytes == 4) {
      w.as.set(W::second_scratch, box);
      w.as.alu(Alu::or_, Width::wide, W::scratch, W::second_scratch);
    }
    w.as.store(8, W::f(d.rd), W::scratch);
    w.set_boxed(d.rd, bytes == 4);
    return true;
  };
}

Emit store_float(unsigned bytes) {
  return [=](W& w, const Decoded& d) {
    const Reg address = w.read(d.rs1);
    Label& not_plain = w.slow_path();
    w.check(address, offset_of(d), bytes, true, not_plain);
    w.as.move(Width::wide, W::scratch, W::f(d.rs2));
    w.as.store(bytes, W::bytes_at(address, offset_of(d)), W::scratch);
    return true;
  };
}

}  // namespace

std::span<const Emitter> memory_emitters() {
  static const Emitter table[] = {
      {"lb", load(1, true)},  {"lbu", load(1, false)}, {"lh", load(2, true)},   {"lhu", load(2, false)},
      {"lw", load(4, true)},  {"lwu", load(4, false)}, {"ld", load(8, true)},   {"sb", store(1)},
      {"sh", store(2)},       {"sw", store(4)},        {"sd", store(8)},        {"flw", load_float(4)},
      {"fld", load_float(8)}, {"fsw", store_float(4)}, {"fsd", store_float(8)},
  };
  return table;
}

}  // namespace dojo::translate
