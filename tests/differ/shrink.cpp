#include "shrink.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "isa/block.h"

namespace dojo::differ {
namespace {

bool same(const State& a, const State& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

// Every program that lacks one part of this one: whole items first, then single words, then what encloses
// others.
class Cuts {
public:
  explicit Cuts(const Program& program) : program_(program) { cut(program_.items); }
  std::vector<Program> take() { return std::move(cuts_); }

private:
  void keep() { cuts_.push_back(program_); }

  void cut(std::vector<Item>& items) {
    for (std::size_t count = items.size() / 2; count >= 1; count /= 2)
      for (std::size_t from = 0; from + count <= items.size(); from += count) cut_range(items, from, count);
    for (std::size_t i = 0; i < items.size(); ++i) cut_inside(items, i);
  }
  void cut_range(std::vector<Item>& items, std::size_t from, std::size_t count) {
    const auto first = items.begin() + static_cast<std::ptrdiff_t>(from);
    const auto whole = items;
    items.erase(first, first + static_cast<std::ptrdiff_t>(count));
    keep();
    items = whole;
  }
  void cut_inside(std::vector<Item>& items, std::size_t i) {
    if (items[i].kind == Item::Kind::straight) {
      const auto words = items[i].words;
      for (std::size_t w = 0; w < words.size() && words.size() > 1; ++w) {
        items[i].words.erase(items[i].words.begin() + static_cast<std::ptrdiff_t>(w));
        keep();
        items[i].words = words;
      }
      return;
    }
    const auto whole = items;
    const auto body = items[i].body;
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
    items.insert(items.begin() + static_cast<std::ptrdiff_t>(i), body.begin(), body.end());
    keep();
    items = whole;
    if (items[i].times > 1) {
      items[i].times -= 1;
      keep();
      items[i].times += 1;
    }
    cut(items[i].body);
  }

  Program program_;
  std::vector<Program> cuts_;
};

void list_difference(std::string& text, std::string_view what, std::uint64_t theirs, std::uint64_t ours) {
  if (theirs != ours) text += fmt::format("  {:<12} qemu {:016x}  here {:016x}\n", what, theirs, ours);
}

template <typename Bytes>
void list_bytes(std::string& text, std::string_view what, const Bytes& before, const Bytes& theirs,
                const Bytes& ours, std::size_t unit) {
  int shown = 0;
  for (std::size_t i = 0; i < theirs.size() && shown < 8; i += 8) {
    std::uint64_t was, one, other;
    std::memcpy(&was, &before[i], 8);
    std::memcpy(&one, &theirs[i], 8);
    std::memcpy(&other, &ours[i], 8);
    if (one == other) continue;
    text += fmt::format("  {:<12} qemu {:016x}  here {:016x}  before {:016x}\n",
                        fmt::format("{}{}+{}", what, i / unit, i % unit), one, other, was);
    ++shown;
  }
}

// The registers that the program's instructions name, as they were at its start.
std::string inputs(const Program& program) {
  std::set<unsigned> x, f, v;
  for (const std::uint32_t word : encode(program.items)) {
    const auto d = isa::decode(word, 0);
    const auto note = [&](isa::Operand operand, unsigned r) {
      if (operand == isa::Operand::x_read) x.insert(r);
      if (operand == isa::Operand::f_read) f.insert(r);
      if (operand == isa::Operand::v_read || operand == isa::Operand::v_read_write) v.insert(r);
    };
    note(d.row->rd, d.rd);
    note(d.row->rs1, d.rs1);
    note(d.row->rs2, d.rs2);
    note(d.row->rs3, d.rs3);
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

std::string difference(const Program& program, const Ended& theirs, const Ended& ours, std::size_t place) {
  if (!theirs.died.empty() || !ours.died.empty())
    return fmt::format("  qemu: {}\n  here: {}\n", theirs.died.empty() ? "finished" : theirs.died,
                       ours.died.empty() ? "finished" : ours.died);
  const State &a = theirs.states[place], &b = ours.states[place];
  if (same(a, b)) return "";
  std::string text;
  for (unsigned i = 1; i < 30; ++i) list_difference(text, fmt::format("x{}", i), a.x[i], b.x[i]);
  for (unsigned i = 0; i < 32; ++i) list_difference(text, fmt::format("f{}", i), a.f[i], b.f[i]);
  list_difference(text, "fcsr", a.fcsr, b.fcsr);
  list_difference(text, "vcsr", a.vcsr, b.vcsr);
  list_difference(text, "vl", a.vl, b.vl);
  list_difference(text, "vtype", a.vtype, b.vtype);
  list_difference(text, "vstart", a.vstart, b.vstart);
  list_bytes(text, "memory ", program.before.memory, a.memory, b.memory, memory_bytes);
  list_bytes(text, "v", program.before.v, a.v, b.v, program.vlen_bits / 8);
  return text;
}

std::optional<Program> Differ::find(std::span<const Program> programs) {
  const auto elf = shell_.elf(programs);
  const unsigned vlen_bits = programs[0].vlen_bits;
  const Ended ours = ours_(elf, vlen_bits), theirs = theirs_(elf, vlen_bits);
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
  const Ended ours = ours_(elf, program.vlen_bits), theirs = theirs_(elf, program.vlen_bits);
  if (!ours.died.empty()) return theirs.died.empty() ? Manner::we_died : Manner::none;
  if (!theirs.died.empty()) return Manner::they_died;
  return same(theirs.states[0], ours.states[0]) ? Manner::none : Manner::state;
}

// Of many at once where all of them end, otherwise one by one.
std::vector<Differ::Manner> Differ::manners(std::span<const Program> programs) {
  std::vector<Manner> found;
  const auto elf = shell_.elf(programs);
  const Ended ours = ours_(elf, programs[0].vlen_bits), theirs = theirs_(elf, programs[0].vlen_bits);
  for (std::size_t i = 0; i < programs.size(); ++i)
    if (ours.died.empty() && theirs.died.empty())
      found.push_back(same(theirs.states[i], ours.states[i]) ? Manner::none : Manner::state);
    else
      found.push_back(manner(programs[i]));
  return found;
}

std::optional<Program> Differ::smaller(const Program& program, Manner wanted) {
  const std::vector<Program> cuts = Cuts(program).take();
  constexpr std::size_t at_once = 12;
  for (std::size_t from = 0; from < cuts.size(); from += at_once) {
    const std::span<const Program> few(cuts.data() + from, std::min(at_once, cuts.size() - from));
    const auto results = manners(few);
    for (std::size_t i = 0; i < few.size(); ++i)
      if (results[i] == wanted && manner(few[i]) == wanted) return few[i];
  }
  return std::nullopt;
}

Program Differ::shrink(Program program) {
  const Manner wanted = manner(program);
  if (wanted == Manner::none) return program;
  while (const auto less = smaller(program, wanted)) program = *less;
  return program;
}

std::string Differ::describe(const Program& program) {
  const auto elf = shell_.elf({&program, 1});
  const Ended ours = ours_(elf, program.vlen_bits), theirs = theirs_(elf, program.vlen_bits);
  return fmt::format("{}starting from\n{}ends differently\n{}", assembly(program), inputs(program),
                     difference(program, theirs, ours, 0));
}

}  // namespace dojo::differ
