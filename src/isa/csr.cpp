#include "isa/csr.h"

#include <fmt/format.h>

#include "isa/machine_mode.h"
#include "isa/scalar_tables.h"

namespace dojo::isa {
namespace {

using u64 = std::uint64_t;
using u8 = std::uint8_t;

std::uint64_t fcsr(const Hart& h) { return u64{h.frm} << 5 | h.fflags; }
void ignore(Hart&, u64) {}
std::uint64_t vcsr(const Hart& h) { return u64{h.vxrm} << 1 | h.vxsat; }

// clang-format off
#define READ(value) []([[maybe_unused]] const Hart& h) -> u64 { return value; }
#define WRITE(effect) [](Hart& h, u64 value) { effect; }
constexpr Csr table[] = {
  {0x001, "fflags",       READ(h.fflags),             WRITE(h.fflags = value & 31),                                   "accrued exceptions: NX 1, UF 2, OF 4, DZ 8, NV 16"},
  {0x002, "frm",          READ(h.frm),                WRITE(h.frm = value & 7),                                       "dynamic rounding mode"},
  {0x003, "fcsr",         fcsr,                       WRITE(h.fflags = value & 31; h.frm = (value >> 5) & 7),         "frm and fflags"},
  {0x008, "vstart",       READ(h.vstart),             WRITE(h.vstart = value & (h.vlen_bits - 1)),                    "first element of the next vector instruction"},
  {0x009, "vxsat",        READ(h.vxsat),              WRITE(h.vxsat = value & 1),                                     "fixed-point saturation happened"},
  {0x00a, "vxrm",         READ(h.vxrm),               WRITE(h.vxrm = value & 3),                                      "fixed-point rounding mode"},
  {0x00f, "vcsr",         vcsr,                       WRITE(h.vxsat = value & 1; h.vxrm = (value >> 1) & 3),          "vxrm and vxsat"},
  {0x800, "dj_srkey",     READ(h.stochastic_key),     WRITE(h.stochastic_key = value),                                "key of stochastic rounding"},
  {0x801, "dj_srcounter", READ(h.stochastic_counter), WRITE(h.stochastic_counter = value),                            "counter of stochastic rounding"},
  {0x802, "dj_cfloat",    READ(h.cfloat_control),     WRITE(h.cfloat_control = value),                                "formats and biases of CFloat matrix operands"},
  {0xc00, "cycle",        READ(h.cycle),              nullptr,                                                        "cycles since the launch, waits included (docs/notes/006)"},
  {0xc01, "time",         READ(h.cycle),              nullptr,                                                        "the same: one tick is one cycle"},
  {0xc02, "instret",      READ(h.instructions),       nullptr,                                                        "instructions since the launch"},
  {0xc20, "vl",           READ(h.vl),                 nullptr,                                                        "vector length in elements"},
  {0xc21, "vtype",        READ(h.vtype),              nullptr,                                                        "vector type"},
  {0xc22, "vlenb",        READ(h.vlen_bits / 8),      nullptr,                                                        "bytes in a vector register"},
  {0xcc0, "dj_node",      READ(h.node),               nullptr,                                                        "logical index of this node"},
  {0xcc1, "dj_nodes",     READ(h.nodes),              nullptr,                                                        "nodes in the launch"},
  {0xcc2, "dj_row",       READ(h.row),                nullptr,                                                        "physical row on the mesh"},
  {0xcc3, "dj_column",    READ(h.column),             nullptr,                                                        "physical column on the mesh"},
  {0xcc4, "dj_thread",    READ(h.thread),             nullptr,                                                        "this thread of its node"},
  {0x180, "satp",         READ(0),                    ignore,                                                         "addresses are never translated"},
  {0x300, "mstatus",      mstatus,                    write_mstatus,                                                  "modes and interrupt enables; FS and VS are always dirty"},
  {0x301, "misa",         READ(machine_isa),          ignore,                                                         "RV64 with A, C, D, F, I, M, U, V"},
  {0x302, "medeleg",      READ(0),                    ignore,                                                         "no trap is delegated"},
  {0x303, "mideleg",      READ(0),                    ignore,                                                         "no interrupt is delegated"},
  {0x304, "mie",          READ(h.machine.mie),        WRITE(h.machine.mie = value & machine_interrupts),              "interrupts that would be taken; none ever comes"},
  {0x305, "mtvec",        READ(h.machine.mtvec),      WRITE(h.machine.mtvec = value & ~u64{3}),                       "where traps go; 0: they end the thread"},
  {0x306, "mcounteren",   READ(7),                    ignore,                                                         "user mode may read all counters"},
  {0x320, "mcountinhibit", READ(0),                   ignore,                                                         "no counter ever stands still"},
  {0x340, "mscratch",     READ(h.machine.mscratch),   WRITE(h.machine.mscratch = value),                              "for the trap handler"},
  {0x341, "mepc",         READ(h.machine.mepc),       WRITE(h.machine.mepc = value & ~u64{1}),                        "the instruction that trapped"},
  {0x342, "mcause",       READ(h.machine.mcause),     WRITE(h.machine.mcause = value),                                "why it trapped"},
  {0x343, "mtval",        READ(h.machine.mtval),      WRITE(h.machine.mtval = value),                                 "its address or encoding"},
  {0x344, "mip",          READ(0),                    ignore,                                                         "no interrupt is ever pending"},
  {0x3a0, "pmpcfg0",      READ(0),                    ignore,                                                         "memory is not protected by regions"},
  {0x3b0, "pmpaddr0",     READ(0),                    ignore,                                                         "memory is not protected by regions"},
  {0xb00, "mcycle",       READ(h.cycle),              ignore,                                                         "as cycle; it cannot be set"},
  {0xb02, "minstret",     READ(h.instructions),       ignore,                                                         "as instret; it cannot be set"},
  {0xf11, "mvendorid",    READ(0),                    nullptr,                                                        "not given"},
  {0xf12, "marchid",      READ(0),                    nullptr,                                                        "not given"},
  {0xf13, "mimpid",       READ(0),                    nullptr,                                                        "not given"},
  {0xf14, "mhartid",      READ(u64{h.node} * 4 + h.thread), nullptr,                                                  "node * 4 + thread"},
};
#undef READ
#undef WRITE
// clang-format on

enum class Access { write, set, clear };

// `writes` is false for csrrs and csrrc whose source is x0 or 0: they only read, so read-only registers allow
// them.
const Decoded* access(Hart& h, const Decoded* d, Access kind, u64 source, bool writes) {
  const Csr* csr = find_csr(static_cast<unsigned>(d->immediate));
  const bool is_privileged = (d->immediate >> 8 & 3) != 0;
  if (csr == nullptr || (writes && csr->write == nullptr) || (h.machine.user && is_privileged))
    return h.raise(d, TrapCause::illegal_instruction, d->word);
  const u64 old = csr->read(h);
  if (writes)
    csr->write(h, kind == Access::write ? source : kind == Access::set ? old | source : old & ~source);
  h.set_x(d->rd, old);
  return d + 1;
}
template <Access Kind>
const Decoded* from_register(Hart& h, const Decoded* d) {
  return access(h, d, Kind, h.x[d->rs1], Kind == Access::write || d->rs1 != 0);
}
template <Access Kind>
const Decoded* from_immediate(Hart& h, const Decoded* d) {
  return access(h, d, Kind, d->rs1, Kind == Access::write || d->rs1 != 0);
}

constexpr Operand R = Operand::x_read, W = Operand::x_write, o = Operand::none;
constexpr std::uint16_t alone = starts_block | ends_block;

// clang-format off
constexpr Row rows[] = {
  // mnemonic match       mask        syntax             ext      unit          rd rs1 rs2 rs3 properties  meaning
  {"csrrw",  0x00001073, 0x0000707f, "rd, csr, rs1",   "Zicsr", Unit::system, W, R, o, o, alone,           from_register<Access::write>},
  {"csrrs",  0x00002073, 0x0000707f, "rd, csr, rs1",   "Zicsr", Unit::system, W, R, o, o, alone,           from_register<Access::set>},
  {"csrrc",  0x00003073, 0x0000707f, "rd, csr, rs1",   "Zicsr", Unit::system, W, R, o, o, alone,           from_register<Access::clear>},
  {"csrrwi", 0x00005073, 0x0000707f, "rd, csr, zimm5", "Zicsr", Unit::system, W, o, o, o, alone,           from_immediate<Access::write>},
  {"csrrsi", 0x00006073, 0x0000707f, "rd, csr, zimm5", "Zicsr", Unit::system, W, o, o, o, alone,           from_immediate<Access::set>},
  {"csrrci", 0x00007073, 0x0000707f, "rd, csr, zimm5", "Zicsr", Unit::system, W, o, o, o, alone,           from_immediate<Access::clear>},
};
// clang-format on

}  // namespace

std::span<const Csr> csrs() { return table; }
std::span<const Row> csr_rows() { return rows; }

const Csr* find_csr(unsigned number) {
  for (const Csr& csr : table)
    if (csr.number == number) return &csr;
  return nullptr;
}

std::string csr_name(unsigned number) {
  const Csr* csr = find_csr(number);
  if (csr == nullptr || csr->name.starts_with("dj_")) return fmt::format("{}", number);
  return std::string(csr->name);
}

}  // namespace dojo::isa
