#include "debug/instruction_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <span>

#include "base/error.h"
#include "base/file.h"
#include "debug/accesses.h"
#include "isa/csr.h"
#include "node/cost.h"

namespace dojo::debug {

namespace {

using isa::Hart;
using system::ThreadState;

constexpr unsigned traced_in_turn = 1000;
constexpr unsigned row_bytes = isa::tile_edge * 4, tile_rows = isa::tile_edge, hart_tiles = 4;
constexpr unsigned a0 = 10;

// Bytes in memory order as one number, highest digit first.
std::string number(const std::byte* bytes, std::size_t count) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "0x";
  for (std::size_t i = count; i-- > 0;) {
    text += digits[std::to_integer<unsigned>(bytes[i]) >> 4];
    text += digits[std::to_integer<unsigned>(bytes[i]) & 15];
  }
  return text;
}

std::string_view name_of(isa::TrapCause cause) {
  switch (cause) {
    case isa::TrapCause::illegal_instruction:
      return "trap_illegal_instruction";
    case isa::TrapCause::load_fault:
      return "trap_load_access_fault";
    case isa::TrapCause::store_fault:
      return "trap_store_access_fault";
    case isa::TrapCause::fetch_fault:
      return "trap_instruction_access_fault";
    case isa::TrapCause::misaligned_atomic:
      return "trap_store_address_misaligned";
    case isa::TrapCause::breakpoint:
      return "trap_breakpoint";
    case isa::TrapCause::bad_transfer:
      return "trap_bad_transfer";
  }
  return "trap";
}

// One instruction: looked at before it is executed, written down afterwards.
class Line {
public:
  Line(const Hart& hart, const machine::Node& node)
      : before_(hart),
        instruction_(next_instruction(hart)),
        cost_(node::cost_of(instruction_, node::config_of(hart), node)),
        accesses_(accesses_of(hart, instruction_)) {}

  std::string write(const Hart& after, bool trapped, const system::Program& program) {
    fmt::format_to(out(), "core{:4}: ", before_.node * 4 + before_.thread);
    if (trapped) {
      fmt::format_to(out(), "exception {}, epc 0x{:016x}, tval 0x{:x}", name_of(after.trap), after.pc,
                     after.trap_value);
    } else {
      write_instruction();
      write_scalars(after);
      write_csrs(after);
      write_vectors(after);
      write_tiles(after);
      write_accesses(after);
    }
    std::string text = isa::disassemble(instruction_, before_.pc);
    std::ranges::replace(text, '\t', ' ');
    fmt::format_to(out(), " ; node {} thread {} <{}> {}\n", before_.node, before_.thread,
                   program.locate(before_.pc), text);
    return std::move(text_);
  }

private:
  std::back_insert_iterator<std::string> out() { return std::back_inserter(text_); }

  void write_instruction() {
    fmt::format_to(out(), "0 0x{:016x} ", before_.pc);
    if (instruction_.length == 2)
      fmt::format_to(out(), "(0x{:04x})", instruction_.compressed);
    else
      fmt::format_to(out(), "(0x{:08x})", instruction_.word);
  }

  // An environment call answers in a0, which no row says.
  void write_scalars(const Hart& after) {
    for (unsigned r = 1; r < 32; ++r)
      if ((cost_.x_writes >> r & 1) != 0 || (r == a0 && after.x[a0] != before_.x[a0] && cost_.x_writes == 0))
        fmt::format_to(out(), " x{:<2} 0x{:016x}", r, after.x[r]);
    for (unsigned r = 0; r < 32; ++r)
      if ((cost_.f_writes >> r & 1) != 0) fmt::format_to(out(), " f{:<2} 0x{:016x}", r, after.f[r]);
  }

  void write_csrs(const Hart& after) {
    for (const isa::Csr& csr : isa::csrs()) {
      const bool part = csr.name == "fcsr" || csr.name == "vcsr";
      if (part || isa::is_counter(csr.number)) continue;
      const bool set =
          instruction_.row->unit == isa::Unit::vector_config && (csr.name == "vl" || csr.name == "vtype");
      if (set || csr.read(after) != csr.read(before_))
        fmt::format_to(out(), " c{}_{} 0x{:016x}", csr.number, csr.name, csr.read(after));
    }
  }

  void write_vectors(const Hart& after) {
    if (cost_.v_write.count == 0) return;
    if (!before_.vill) {
      const int lmul = before_.lmul_log2;
      fmt::format_to(out(), " e{} {}{} l{}", before_.sew, lmul < 0 ? "mf" : "m", 1 << std::abs(lmul),
                     before_.vl);
    }
    const unsigned bytes = after.vlen_bits / 8;
    for (unsigned r = cost_.v_write.first; r < cost_.v_write.first + 0u + cost_.v_write.count; ++r)
      fmt::format_to(out(), " v{:<2} {}", r, number(after.v.data() + std::size_t{r} * bytes, bytes));
  }

  void write_tiles(const Hart& after) {
    if (cost_.t_writes == 0) return;
    for (unsigned row = 0; row < hart_tiles * tile_rows; ++row) {
      const std::byte* now = after.tiles.data() + std::size_t{row} * row_bytes;
      if (std::memcmp(now, before_.tiles.data() + std::size_t{row} * row_bytes, row_bytes) != 0)
        fmt::format_to(out(), " mt{}.{} {}", row / tile_rows * 4, row % tile_rows, number(now, row_bytes));
    }
  }

  // What a store left behind; what a store-conditional did not write is left out.
  void write_accesses(const Hart& after) {
    const bool is_conditional = instruction_.row->unit == isa::Unit::atomic &&
                                (instruction_.row->properties & isa::reads_memory) == 0;
    const bool gave_up = is_conditional && after.x[instruction_.rd] != 0;
    for (const MemoryAccess& access : accesses_) {
      if (access.store && gave_up) continue;
      fmt::format_to(out(), " mem 0x{:016x}", access.address);
      if (!access.store) continue;
      const std::byte* bytes = after.memory.readable(access.address, access.bytes);
      if (bytes != nullptr) fmt::format_to(out(), " {}", number(bytes, access.bytes));
    }
  }

  const Hart before_;
  const isa::Decoded instruction_;
  const node::Cost cost_;
  const std::vector<MemoryAccess> accesses_;
  std::string text_;
};

}  // namespace

InstructionTrace::InstructionTrace(const std::filesystem::path& path) : path_(path) {
  refuse_fifo_without_reader(path);
  file_.reset(std::fopen(path.c_str(), "w"));
  if (!file_) cannot_write();
}

void InstructionTrace::cannot_write() const {
  refuse(path_.string(), "cannot be written: {}", std::strerror(errno));
}

void InstructionTrace::write(const std::string& line) {
  if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size()) cannot_write();
}

// Whether the thread could go on at all.
bool InstructionTrace::turn(system::Debuggee& debuggee, std::size_t thread) {
  unsigned done = 0;
  const Hart& hart = debuggee.hart(thread);
  for (; done < traced_in_turn && debuggee.state(thread) == ThreadState::runnable; ++done) {
    Line line(hart, debuggee.machine().node);
    const ThreadState state = debuggee.step(thread);
    write(line.write(hart, state == ThreadState::trapped, debuggee.program()));
  }
  return done != 0;
}

void InstructionTrace::run(system::Debuggee& debuggee) {
  for (bool any = true; any;) {
    any = false;
    for (std::size_t thread = 0; thread < debuggee.threads(); ++thread) {
      any |= turn(debuggee, thread);
      if (debuggee.asked_to_end()) return debuggee.interrupt();
    }
  }
}

void InstructionTrace::finish() {
  if (std::fclose(file_.release()) != 0) cannot_write();
}

}  // namespace dojo::debug
