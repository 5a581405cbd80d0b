#include "shrink.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "cuts.h"
#include "isa/block.h"
#include "isa/hart.h"

namespace dojo::differ {
namespace {

bool same(const State& a, const State& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

// The items, straight ones with one word each.
std::vector<Item> taken_apart(const std::vector<Item>& items) {
  std::vector<Item> parts;
  for (const Item& item : items)
    if (item.kind == Item::Kind::straight)
      for (const std::uint32_t word : item.words) parts.push_back({.words = {word}});
    else
      parts.push_back(item);
  return parts;
}

// Lines about what two ways leave differently.
class Differences {
public:
  Differences(std::string_view theirs, std::string_view ours) : theirs_(theirs), ours_(ours) {}

  void word(std::string_view what, std::uint64_t theirs, std::uint64_t ours) {
    if (theirs != ours) text_ += line(what, theirs, ours) + "\n";
  }

  template <typename Bytes>
  void bytes(std::string_view what, const Bytes& before, const Bytes& theirs, const Bytes& ours,
             std::size_t unit) {
    int shown = 0;
    for (std::size_t i = 0; i < theirs.size() && shown < 8; i += 8) {
      std::uint64_t was, one, other;
      std::memcpy(&was, &before[i], 8);
      std::memcpy(&one, &theirs[i], 8);
      std::memcpy(&other, &ours[i], 8);
      if (one == other) continue;
      text_ += line(fmt::format("{}{}+{}", what, i / unit, i % unit), one, other);
      text_ += fmt::format("  before {:016x}\n", was);
      ++shown;
    }
  }

  std::string take() { return std::move(text_); }

private:
  std::string line(std::string_view what, std::uint64_t theirs, std::uint64_t ours) const {
    return fmt::format("  {:<12} {} {:016x}  {} {:016x}", what, theirs_, theirs, ours_, ours);
  }

  std::string_view theirs_, ours_;
  std::string text_;
};

// The registers that the program's instructions read, as they were at its start; of vectors the groups that
// they would be at its start.
std::string inputs(const Program& program) {
  std::set<unsigned> x, f, v;
  const auto type = isa::ElementType::of(program.before.vtype);
  for (const std::uint32_t word : encode(program.items)) {
    const auto d = isa::decode(word, 0);
    const auto note = [&](isa::Operand operand, unsigned r, unsigned group) {
      if (operand == isa::Operand::x_read) x.insert(r);
      if (operand == isa::Operand::f_read) f.insert(r);
      if (operand == isa::Operand::v_read || operand == isa::Operand::v_read_write)
        for (unsigned i = r; i < std::min(r + group, isa::vector_registers); ++i) v.insert(i);
    };
    const isa::VectorOperands& operands = d.row->vector;
    note(d.row->rd, d.rd, operands.vd_registers(type));
    note(d.row->rs1, d.rs1, operands.vs1.registers(type));
    note(d.row->rs2, d.rs2, operands.vs2.registers(type));
    note(d.row->rs3, d.rs3, 0);
  }
  const State& before = program.before;
  std::string text = fmt::format("  fcsr {:x}  vcsr {:x}  vl {}  vtype {:x}  VLEN {}\n", before.fcsr,
                                 before.vcsr, before.vl, before.vtype, program.vlen_bits);
  for (const unsigned r : x) text += fmt::format("  x{} {:016x}\n", r, before.x[r]);
  for (const unsigned r : f) text += fmt::format("  f{} {:016x}\n", r, before.f[r]);
  for (const unsigned r : v) {
    text += fmt::format("  v{}", r);
    for (std::size_t i = 0; i < program.vlen_bits / 8; i += 8) {
      std::uint64_t eight;
      std::memcpy(&eight, &before.v[r * program.vlen_bits / 8 + i], 8);
      text += fmt::format(" {:016x}", eight);
    }
    text += "\n";
  }
  return text;
}

}  // namespace

std::string Differ::difference(const Program& program, const Ended& theirs, const Ended& ours) const {
  if (!theirs.died.empty() || !ours.died.empty())
    return fmt::format("  {}: {}\n  {}: {}\n", theirs_.name, theirs.died.empty() ? "finished" : theirs.died,
                       ours_.name, ours.died.empty() ? "finished" : ours.died);
  const State &a = theirs.states[0], &b = ours.states[0];
  Differences found(theirs_.name, ours_.name);
  for (unsigned i = 1; i < 30; ++i) found.word(fmt::format("x{}", i), a.x[i], b.x[i]);
  for (unsigned i = 0; i < 32; ++i) found.word(fmt::format("f{}", i), a.f[i], b.f[i]);
  found.word("fcsr", a.fcsr, b.fcsr);
  found.word("vcsr", a.vcsr, b.vcsr);
  found.word("vl", a.vl, b.vl);
  found.word("vtype", a.vtype, b.vtype);
  found.word("vstart", a.vstart, b.vstart);
  found.bytes("memory ", program.before.memory, a.memory, b.memory, memory_bytes);
  found.bytes("v", program.before.v, a.v, b.v, program.vlen_bits / 8);
  return found.take();
}

std::optional<Program> Differ::find(std::span<const Program> programs) {
  const auto elf = shell_.elf(programs);
  const unsigned vlen_bits = programs[0].vlen_bits;
  const Ended ours = ours_.run(elf, vlen_bits), theirs = theirs_.run(elf, vlen_bits);
  instructions_ += ours.instructions;
  if (ours.died.empty() && theirs.died.empty()) {
    for (std::size_t i = 0; i < programs.size(); ++i)
      if (!same(theirs.states[i], ours.states[i])) return programs[i];
    return std::nullopt;
  }
  for (const Program& program : programs)
    if (manner(program) != Manner::none) return program;
  return std::nullopt;
}

Differ::Manner Differ::manner(const Program& program) {
  const auto elf = shell_.elf({&program, 1});
  const Ended ours = ours_.run(elf, program.vlen_bits), theirs = theirs_.run(elf, program.vlen_bits);
  if (!ours.died.empty()) return theirs.died.empty() ? Manner::we_died : Manner::none;
  if (!theirs.died.empty()) return Manner::they_died;
  return same(theirs.states[0], ours.states[0]) ? Manner::none : Manner::state;
}

// Of many at once where all of them end, otherwise one by one.
std::vector<Differ::Manner> Differ::manners(std::span<const Program> programs) {
  std::vector<Manner> found;
  const auto elf = shell_.elf(programs);
  const Ended ours = ours_.run(elf, programs[0].vlen_bits), theirs = theirs_.run(elf, programs[0].vlen_bits);
  for (std::size_t i = 0; i < programs.size(); ++i)
    if (ours.died.empty() && theirs.died.empty())
      found.push_back(same(theirs.states[i], ours.states[i]) ? Manner::none : Manner::state);
    else
      found.push_back(manner(programs[i]));
  return found;
}

// Many are tried at once first; what counts is what each does alone.
std::optional<Program> Differ::smaller(const Program& program, Manner wanted) {
  const std::vector<Program> cuts = cuts_of(program);
  constexpr std::size_t at_once = 12;
  for (std::size_t from = 0; from < cuts.size(); from += at_once) {
    const std::span<const Program> few(cuts.data() + from, std::min(at_once, cuts.size() - from));
    const auto results = cuts.size() <= at_once ? std::vector(few.size(), wanted) : manners(few);
    for (std::size_t i = 0; i < few.size(); ++i)
      if (results[i] == wanted && manner(few[i]) == wanted) return few[i];
  }
  return std::nullopt;
}

// A value that an instruction does wrong may have been made by those before it: then the program may begin
// with the state to which they lead where everything is right. As few parts as possible are left.
std::optional<Program> Differ::begun_later(const Program& program, Manner wanted) {
  const std::vector<Item> items = taken_apart(program.items);
  for (std::size_t done = items.size(); done-- > 1;) {
    const auto end_of_first = items.begin() + static_cast<std::ptrdiff_t>(done);
    const Program first{program.before, {items.begin(), end_of_first}, program.vlen_bits};
    const Ended there = theirs_.run(shell_.elf({&first, 1}), program.vlen_bits);
    if (!there.died.empty()) continue;
    Program rest{there.states[0], {end_of_first, items.end()}, program.vlen_bits};
    if (manner(rest) == wanted) return rest;
  }
  return std::nullopt;
}

Program Differ::shrink(Program program) {
  const Manner wanted = manner(program);
  if (wanted == Manner::none) return program;
  for (;;) {
    auto less = smaller(program, wanted);
    if (!less) less = begun_later(program, wanted);
    if (!less) return program;
    program = std::move(*less);
  }
}

std::string Differ::describe(const Program& program) {
  const auto elf = shell_.elf({&program, 1});
  const Ended ours = ours_.run(elf, program.vlen_bits), theirs = theirs_.run(elf, program.vlen_bits);
  return fmt::format("{}starting from\n{}ends differently\n{}", assembly(program), inputs(program),
                     difference(program, theirs, ours));
}

}  // namespace dojo::differ
