#include "isa/csr.h"

#include <fmt/format.h>

#include <array>
#include <deque>
#include <vector>

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
  {0x001, "fflags",       READ(h.fflags),             WRITE(h.fflags = value & 31),                                   "accrued exceptions: NX 1, UF 2, OF 4, DZ 8, NV 16", float_state},
  {0x002, "frm",          READ(h.frm),                WRITE(h.frm = value & 7),                                       "dynamic rounding mode", float_state},
  {0x003, "fcsr",         fcsr,                       WRITE(h.fflags = value & 31; h.frm = (value >> 5) & 7),         "frm and fflags", float_state},
  {0x008, "vstart",       READ(h.vstart),             WRITE(h.vstart = value & (h.vlen_bits - 1)),                    "first element of the next vector instruction", vector_state},
  {0x009, "vxsat",        READ(h.vxsat),              WRITE(h.vxsat = value & 1),                                     "fixed-point saturation happened", vector_state},
  {0x00a, "vxrm",         READ(h.vxrm),               WRITE(h.vxrm = value & 3),                                      "fixed-point rounding mode", vector_state},
  {0x00f, "vcsr",         vcsr,                       WRITE(h.vxsat = value & 1; h.vxrm = (value >> 1) & 3),          "vxrm and vxsat", vector_state},
  {0x800, "dj_srkey",     READ(h.stochastic_key),     WRITE(h.stochastic_key = value),                                "key of stochastic rounding"},
  {0x801, "dj_srcounter", READ(h.stochastic_counter), WRITE(h.stochastic_counter = value),                            "counter of stochastic rounding"},
  {0x802, "dj_cfloat",    READ(h.cfloat_control),     WRITE(h.cfloat_control = value),                                "formats and biases of CFloat matrix operands"},
  {0xc00, "cycle",        READ(h.cycle + h.machine.cycle_offset), nullptr,                                            "cycles since the launch or since mcycle was set, waits included (docs/notes/006)"},
  {0xc01, "time",         READ(h.cycle),              nullptr,                                                        "cycles since the launch: one tick is one cycle"},
  {0xc02, "instret",      READ(h.instructions + h.machine.instret_offset), nullptr,                                   "instructions since the launch or since minstret was set"},
  {0xc20, "vl",           READ(h.vl),                 nullptr,                                                        "vector length in elements", vector_state},
  {0xc21, "vtype",        READ(h.vtype),              nullptr,                                                        "vector type", vector_state},
  {0xc22, "vlenb",        READ(h.vlen_bits / 8),      nullptr,                                                        "bytes in a vector register", vector_state},
  {0xcc0, "dj_node",      READ(h.node),               nullptr,                                                        "logical index of this node"},
  {0xcc1, "dj_nodes",     READ(h.nodes),              nullptr,                                                        "nodes in the launch"},
  {0xcc2, "dj_row",       READ(h.row),                nullptr,                                                        "physical row on the mesh"},
  {0xcc3, "dj_column",    READ(h.column),             nullptr,                                                        "physical column on the mesh"},
  {0xcc4, "dj_thread",    READ(h.thread),             nullptr,                                                        "this thread of its node"},
  {0x180, "satp",         READ(0),                    ignore,                                                         "addresses are never translated"},
  {0x300, "mstatus",      mstatus,                    write_mstatus,                                                  "modes and interrupt enables; FS and VS are off or dirty"},
  {0x301, "misa",         READ(machine_isa),          ignore,                                                         "RV64 with A, C, D, F, I, M, U, V"},
  {0x302, "medeleg",      READ(0),                    ignore,                                                         "no trap is delegated"},
  {0x303, "mideleg",      READ(0),                    ignore,                                                         "no interrupt is delegated"},
  {0x304, "mie",          READ(h.machine.mie),        WRITE(h.machine.mie = value & machine_interrupts),              "interrupts that would be taken; none ever comes"},
  {0x305, "mtvec",        READ(h.machine.mtvec),      WRITE(h.machine.mtvec = value & ~u64{3}),                       "where traps go; 0: they end the thread"},
  {0x306, "mcounteren",   READ(h.machine.mcounteren), WRITE(h.machine.mcounteren = static_cast<std::uint32_t>(value)), "the counters that user mode may read"},
  {0x30a, "menvcfg",      READ(h.machine.menvcfg),    write_menvcfg,                                                  "CBIE, CBCFE, CBZE: the cbo instructions that user mode may execute"},
  {0x320, "mcountinhibit", READ(0),                   ignore,                                                         "no counter ever stands still"},
  {0x340, "mscratch",     READ(h.machine.mscratch),   WRITE(h.machine.mscratch = value),                              "for the trap handler"},
  {0x341, "mepc",         READ(h.machine.mepc),       WRITE(h.machine.mepc = value & ~u64{1}),                        "the instruction that trapped"},
  {0x342, "mcause",       READ(h.machine.mcause),     WRITE(h.machine.mcause = value),                                "why it trapped"},
  {0x343, "mtval",        READ(h.machine.mtval),      WRITE(h.machine.mtval = value),                                 "its address or encoding"},
  {0x344, "mip",          READ(0),                    ignore,                                                         "no interrupt is ever pending"},
  {0x3a0, "pmpcfg0",      READ(0),                    ignore,                                                         "memory is not protected by regions"},
  {0x3a2, "pmpcfg2",      READ(0),                    ignore,                                                         "memory is not protected by regions"},
  {0xb00, "mcycle",       READ(h.cycle + h.machine.cycle_offset), WRITE(h.machine.cycle_offset = value - h.cycle),     "as cycle, and may be set"},
  {0xb02, "minstret",     READ(h.instructions + h.machine.instret_offset), WRITE(h.machine.instret_offset = value - h.instructions), "as instret, and may be set"},
  {0xf11, "mvendorid",    READ(0),                    nullptr,                                                        "not given"},
  {0xf12, "marchid",      READ(0),                    nullptr,                                                        "not given"},
  {0xf13, "mimpid",       READ(0),                    nullptr,                                                        "not given"},
  {0xf14, "mhartid",      READ(u64{h.node} * 4 + h.thread), nullptr,                                                  "node * 4 + thread"},
  {0xf15, "mconfigptr",   READ(0),                    nullptr,                                                        "no description of the machine lies in memory"},
};
// Registers of which there are many, all alike.
constexpr struct {
  std::uint16_t first;
  unsigned from, to;
  std::string_view name;
  void (*write)(Hart&, u64);
  std::string_view meaning;
} families[] = {
  {0x323, 3, 31, "mhpmevent",   ignore,  "no further event is counted"},
  {0x3b0, 0, 15, "pmpaddr",     ignore,  "memory is not protected by regions"},
  {0xb03, 3, 31, "mhpmcounter", ignore,  "counts nothing"},
  {0xc03, 3, 31, "hpmcounter",  nullptr, "counts nothing"},
};
#undef READ
#undef WRITE
// clang-format on

constexpr unsigned cycle = 0xc00, time = 0xc01, instret = 0xc02, mcycle = 0xb00, minstret = 0xb02;

// All of them, and where each number stands.
class Registers {
public:
  Registers() : all_(std::begin(table), std::end(table)) {
    for (const auto& family : families)
      for (unsigned i = family.from; i <= family.to; ++i) {
        const std::string& name = names_.emplace_back(fmt::format("{}{}", family.name, i));
        all_.push_back({static_cast<std::uint16_t>(family.first + i - family.from), name,
                        [](const Hart&) { return u64{0}; }, family.write, family.meaning});
      }
    for (std::size_t i = 0; i < all_.size(); ++i) place_[all_[i].number] = static_cast<std::uint8_t>(i + 1);
  }
  std::span<const Csr> all() const { return all_; }
  const Csr* find(unsigned number) const {
    return number < numbers && place_[number] != 0 ? &all_[place_[number] - 1u] : nullptr;
  }

private:
  static constexpr unsigned numbers = 4096;
  std::deque<std::string> names_;  // a deque: the rows point into it
  std::vector<Csr> all_;
  std::array<std::uint8_t, numbers> place_{};  // 1 more than in all_; 0: there is none
};

const Registers& registers() {
  static const Registers all;
  return all;
}

enum class CsrAccess { write, set, clear };

bool is_permitted(const Hart& h, const Csr* csr, bool writes) {
  if (csr == nullptr || (writes && csr->write == nullptr) || (csr->needs & h.machine.off) != 0) return false;
  if (!h.machine.user) return true;
  const bool is_privileged = (csr->number >> 8 & 3) != 0, counts = csr->number >> 5 == cycle >> 5;
  return !is_privileged && (!counts || (h.machine.mcounteren >> (csr->number & 31) & 1) != 0);
}

// `writes` is false for csrrs and csrrc whose source is x0 or 0: they only read, so read-only registers allow
// them.
const Decoded* access(Hart& h, const Decoded* d, CsrAccess kind, u64 source, bool writes) {
  const auto number = static_cast<unsigned>(d->immediate);
  const Csr* csr = find_csr(number);
  if (!is_permitted(h, csr, writes)) return h.raise(d, TrapCause::illegal_instruction, d->word);
  const u64 keep = kind == CsrAccess::write ? 0
                   : kind == CsrAccess::set ? ~u64{0}
                                            : ~source,
            set = kind == CsrAccess::clear ? 0 : source;
  if (is_clock(number)) {
    h.clock_access = {number == time ? 0 : h.machine.cycle_offset, keep, set, writes, d->rd};
    settle_clock(h);
    return d + 1;
  }
  const u64 old = csr->read(h);
  if (writes) csr->write(h, (old & keep) | set);
  if (writes && number == minstret) --h.machine.instret_offset;  // in place of counting this instruction
  h.set_x(d->rd, old);
  return d + 1;
}
template <CsrAccess Kind>
const Decoded* from_register(Hart& h, const Decoded* d) {
  return access(h, d, Kind, h.x[d->rs1], Kind == CsrAccess::write || d->rs1 != 0);
}
template <CsrAccess Kind>
const Decoded* from_immediate(Hart& h, const Decoded* d) {
  return access(h, d, Kind, d->rs1, Kind == CsrAccess::write || d->rs1 != 0);
}

constexpr Operand R = Operand::x_read, W = Operand::x_write, o = Operand::none;
constexpr std::uint16_t alone = starts_block | ends_block;

// clang-format off
constexpr Row rows[] = {
  // mnemonic match       mask        syntax             ext      unit          rd rs1 rs2 rs3 properties  semantics
  {"csrrw",  0x00001073, 0x0000707f, "rd, csr, rs1",   "Zicsr", Unit::system, W, R, o, o, alone,           from_register<CsrAccess::write>},
  {"csrrs",  0x00002073, 0x0000707f, "rd, csr, rs1",   "Zicsr", Unit::system, W, R, o, o, alone,           from_register<CsrAccess::set>},
  {"csrrc",  0x00003073, 0x0000707f, "rd, csr, rs1",   "Zicsr", Unit::system, W, R, o, o, alone,           from_register<CsrAccess::clear>},
  {"csrrwi", 0x00005073, 0x0000707f, "rd, csr, zimm5", "Zicsr", Unit::system, W, o, o, o, alone,           from_immediate<CsrAccess::write>},
  {"csrrsi", 0x00006073, 0x0000707f, "rd, csr, zimm5", "Zicsr", Unit::system, W, o, o, o, alone,           from_immediate<CsrAccess::set>},
  {"csrrci", 0x00007073, 0x0000707f, "rd, csr, zimm5", "Zicsr", Unit::system, W, o, o, o, alone,           from_immediate<CsrAccess::clear>},
};
// clang-format on

}  // namespace

std::span<const Csr> csrs() { return registers().all(); }
std::span<const Row> csr_rows() { return rows; }
const Csr* find_csr(unsigned number) { return registers().find(number); }

bool is_clock(unsigned number) { return number == cycle || number == time || number == mcycle; }
bool is_counter(unsigned number) { return is_clock(number) || number == instret || number == minstret; }

void settle_clock(Hart& h) {
  const ClockAccess& a = h.clock_access;
  const u64 old = h.cycle + a.offset;
  if (a.writes) h.machine.cycle_offset = ((old & a.keep) | a.set) - h.cycle;
  h.set_x(a.rd, old);
}

std::string csr_name(unsigned number) {
  const Csr* csr = find_csr(number);
  if (csr == nullptr || csr->name.starts_with("dj_")) return fmt::format("{}", number);
  return std::string(csr->name);
}

}  // namespace dojo::isa
