// The rows of Xdojo: what no standard extension has, on custom-0 (0x0b) and custom-1 (0x2b).
//
// custom-0 speaks to the fabric and to the ledger. A transfer only says what it asks for and stops the block;
// the node performs it (docs/notes/002). custom-1 holds the arithmetic on CFloats, in the field layout of
// OP-V; its semantics are in xdojo_cfloat.h.
#include "isa/hart.h"
#include "isa/instruction.h"
#include "isa/matrix_operands.h"
#include "isa/xdojo_cfloat.h"

namespace dojo::isa {
namespace {

const Decoded* ask(Hart& hart, const Decoded* d, const Transfer& transfer) {
  hart.transfer = transfer;
  hart.stop = Stop::transfer;
  return d + 1;
}

const Decoded* put(Hart& hart, const Decoded* d) {
  return ask(hart, d,
             {.kind = TransferKind::put,
              .global = hart.x[d->rs1],
              .local = hart.x[d->rs2],
              .count = hart.x[d->rs3],
              .semaphore = hart.x[d->rd]});
}

const Decoded* get(Hart& hart, const Decoded* d) {
  return ask(hart, d,
             {.kind = TransferKind::get,
              .global = hart.x[d->rs2],
              .local = hart.x[d->rs1],
              .count = hart.x[d->rs3],
              .semaphore = hart.x[d->rd]});
}

const Decoded* signal(Hart& hart, const Decoded* d) {
  return ask(hart, d, {.kind = TransferKind::signal, .global = hart.x[d->rs1], .count = hart.x[d->rs2]});
}

const Decoded* wait(Hart& hart, const Decoded* d) {
  return ask(hart, d, {.kind = TransferKind::wait, .local = hart.x[d->rs1], .count = hart.x[d->rs2]});
}

const Decoded* quiet(Hart& hart, const Decoded* d) { return ask(hart, d, {.kind = TransferKind::quiet}); }

const Decoded* mark(Hart& hart, const Decoded* d) {
  hart.op = static_cast<std::uint32_t>(hart.x[d->rs1] +
                                       static_cast<std::uint64_t>(static_cast<std::int32_t>(d->word) >> 20));
  return d + 1;
}

constexpr auto no = Operand::none;
constexpr auto xr = Operand::x_read;
constexpr auto vr = Operand::v_read;
constexpr auto vw = Operand::v_write;
constexpr auto tw = Operand::t_read_write;

// clang-format off
constexpr Row rows[] = {
  // mnemonic         match       mask        syntax               extension unit            rd  rs1 rs2 rs3 properties               execute
  {"dj.put",         0x0000000b, 0x0600707f, "rd, rs1, rs2, rs3", "Xdojo", Unit::transfer,   xr, xr, xr, xr, ends_block,                    put},
  {"dj.get",         0x0200000b, 0x0600707f, "rd, rs1, rs2, rs3", "Xdojo", Unit::transfer,   xr, xr, xr, xr, ends_block,                    get},
  {"dj.signal",      0x0000100b, 0xfe007fff, "rs1, rs2",          "Xdojo", Unit::transfer,   no, xr, xr, no, ends_block,                    signal},
  {"dj.wait",        0x0200100b, 0xfe007fff, "rs1, rs2",          "Xdojo", Unit::transfer,   no, xr, xr, no, ends_block,                    wait},
  {"dj.quiet",       0x0400100b, 0xffffffff, "",                  "Xdojo", Unit::transfer,   no, no, no, no, ends_block,                    quiet},
  {"dj.mark",        0x0000200b, 0x00007fff, "rs1, imm12",        "Xdojo", Unit::system,     no, xr, no, no, ends_block | takes_no_time,    mark},
  {"dj.vfncvt.cf.f", 0x0000602b, 0xfc00707f, "vd, vs2, rs1, vm",  "Xdojo", Unit::simd,       vw, xr, vr, no, maskable,                      narrow_to_cfloat, from_singles},
  {"dj.vfwcvt.f.cf", 0x0400602b, 0xfc00707f, "vd, vs2, rs1, vm",  "Xdojo", Unit::simd,       vw, xr, vr, no, maskable,                      widen_from_cfloat, to_singles},
  {"dj.mm.cf",       0x0200102b, 0xfe0073ff, "mt, vs2, vs1",      "Xdojo", Unit::matrix,     tw, vr, vr, no, raises_flags,                  multiply_cfloat, step_operands},
};
// clang-format on

}  // namespace

std::span<const Row> dojo_rows() { return rows; }

}  // namespace dojo::isa
