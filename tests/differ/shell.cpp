#include "shell.h"

#include <fmt/format.h>
#include <cstring>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "elf_file.h"
#include "support/command.h"
#include "system/program.h"

namespace dojo::differ {
namespace {

constexpr std::uint64_t text_address = first_address, table_address = 0x450000, host_address = 0x458000,
                        record_address = 0x460000;
constexpr std::uint64_t register_offset = memory_bytes;  // x31 points here, within a record

constexpr std::size_t after(std::size_t offset) { return offset - register_offset; }

// tohost and fromhost, and behind them the call that tohost names.
constexpr std::uint64_t host_bytes = 128, host_call = 64;

std::string written_by_linux() {
  return fmt::format(
      "  li a0, 1\n  li a1, {}\n  li a2, {}\n  sub a2, x31, a2\n  li a7, 64\n  ecall\n"
      "  li a0, 0\n  li a7, 93\n  ecall\n",
      record_address, record_address + register_offset);
}

// A call to write, until it is answered, and exit code 0; 1 after a trap.
std::string written_by_host() {
  std::string s = fmt::format("  li s0, {}\n  addi s1, s0, {}\n", host_address, host_call);
  s += "  li t0, 64\n  sd t0, 0(s1)\n  li t0, 1\n  sd t0, 8(s1)\n";
  s += fmt::format("  li t0, {}\n  sd t0, 16(s1)\n", record_address);
  s += fmt::format("  li t0, {}\n  sub t0, x31, t0\n  sd t0, 24(s1)\n", record_address + register_offset);
  s += "  fence\n  sd s1, 0(s0)\n1: ld t0, 8(s0)\n  beqz t0, 1b\n  sd x0, 8(s0)\n";
  s += "  li t0, 1\n  sd t0, 0(s0)\n2: j 2b\n";
  return s + fmt::format("trapped: li s0, {}\n  li t0, 3\n  sd t0, 0(s0)\n2: j 2b\n", host_address);
}

std::string shell_source(Service service) {
  std::string s = ".option norvc\n.text\n.globl _start, load, save, finish\n";
  const auto line = [&](const std::string& text) { s += "  " + text + "\n"; };
  const auto at = [](std::size_t offset) { return fmt::format("{}(x31)", after(offset)); };
  const auto x = [&](int i) { return at(offsetof(State, x) + 8 * static_cast<std::size_t>(i)); };
  const auto f = [&](int i) { return at(offsetof(State, f) + 8 * static_cast<std::size_t>(i)); };

  s += "_start:\n";
  if (service == Service::host_interface) {
    line("la x29, trapped\n  csrw mtvec, x29");
    line("li x29, 0x6600\n  csrs mstatus, x29");  // floats, vectors
  }
  line(fmt::format("li x31, {}\n  j programs", record_address + register_offset));
  s += "load:\n";
  line("ld x29, " + at(offsetof(State, fcsr)) + "\n  csrw fcsr, x29");
  for (int i = 0; i < 32; ++i) line(fmt::format("fld f{}, {}", i, f(i)));
  line(fmt::format("addi x29, x31, {}\n  csrr x28, vlenb\n  slli x28, x28, 3", after(offsetof(State, v))));
  for (int i = 0; i < 32; i += 8) line(fmt::format("vl8re8.v v{}, (x29)\n  add x29, x29, x28", i));
  line("ld x29, " + at(offsetof(State, vcsr)) + "\n  csrw vcsr, x29");
  line("ld x28, " + at(offsetof(State, vl)) + "\n  ld x29, " + at(offsetof(State, vtype)));
  line("vsetvl x0, x28, x29");
  for (int i = 1; i < 30; ++i) line(fmt::format("ld x{}, {}", i, x(i)));
  line("jr x30");

  s += "save:\n";
  for (int i = 1; i < 30; ++i) line(fmt::format("sd x{}, {}", i, x(i)));
  for (int i = 0; i < 32; ++i) line(fmt::format("fsd f{}, {}", i, f(i)));
  for (const auto& [name, offset] : std::map<std::string, std::size_t>{{"fcsr", offsetof(State, fcsr)},
                                                                       {"vcsr", offsetof(State, vcsr)},
                                                                       {"vl", offsetof(State, vl)},
                                                                       {"vtype", offsetof(State, vtype)},
                                                                       {"vstart", offsetof(State, vstart)}})
    line(fmt::format("csrr x29, {}\n  sd x29, {}", name, at(offset)));
  line(fmt::format("csrw vstart, x0\n  addi x29, x31, {}\n  csrr x28, vlenb\n  slli x28, x28, 3",
                   after(offsetof(State, v))));
  for (int i = 0; i < 32; i += 8) line(fmt::format("vs8r.v v{}, (x29)\n  add x29, x29, x28", i));
  line(fmt::format("li x29, {}\n  add x31, x31, x29\n  jr x30", sizeof(State)));

  s += "finish:\n";
  s += service == Service::linux_calls ? written_by_linux() : written_by_host();
  return s + "programs:\n";
}

void append_call(std::vector<std::byte>& text, std::uint64_t target) {
  const std::uint64_t offset = target - (text_address + text.size());
  const auto low = static_cast<std::uint32_t>(offset & 0xfff);
  const auto high = static_cast<std::uint32_t>((offset + 0x800) & 0xfffff000);
  put(text, text.size(), 0x00000f17u | high);       // auipc x30
  put(text, text.size(), 0x000f0f67u | low << 20);  // jalr x30, low(x30)
}

void append_words(std::vector<std::byte>& text, const std::vector<std::uint32_t>& words) {
  for (const std::uint32_t word : words)
    bytes_of(word) == 4 ? put(text, text.size(), word)
                        : put(text, text.size(), static_cast<std::uint16_t>(word));
  if (text.size() % 4 != 0) put(text, text.size(), std::uint16_t{0x0001});  // c.nop
}

// Offsets that stay in the memory, for indexed accesses: less than 256 where the index has 8 bits, else less
// than 1000.
std::vector<std::byte> index_tables() {
  std::vector<std::byte> tables;
  Random random(1);
  for (std::size_t width = 1; width <= 8; width *= 2)
    for (std::size_t i = 0; i < index_table_bytes / width; ++i) {
      const std::uint64_t index = random.below(width == 1 ? 256 : 1000);
      tables.resize(tables.size() + width);
      std::memcpy(tables.data() + tables.size() - width, &index, width);
    }
  return tables;
}

}  // namespace

Shell::Shell(const Workshop& workshop, Service service) : service_(service) {
  write_text(workshop.file("shell.s"), shell_source(service));
  const auto elf = workshop.file("shell.elf").string();
  const std::string command = fmt::format(
      "clang-22 --target=riscv64-unknown-elf -march=rv64gcv -mabi=lp64d -nostdlib -static -fuse-ld=lld-22 "
      "-Wl,-Ttext={:#x} -o {} {}",
      text_address, elf, workshop.file("shell.s").string());
  if (run(command) != 0) throw UserError("clang-22", "cannot assemble the shell of the random programs");
  const auto program = system::Program::read(elf);
  for (const auto& segment : program.segments())
    if (segment.address == text_address) text_ = segment.bytes;
  load_ = program.symbol("load", 0);
  save_ = program.symbol("save", 0);
  finish_ = program.symbol("finish", 0);
}

std::vector<std::byte> Shell::elf(std::span<const Program> programs) const {
  std::vector<std::byte> text = text_, records(programs.size() * sizeof(State));
  for (std::size_t i = 0; i < programs.size(); ++i) {
    append_call(text, load_);
    append_words(text, encode(programs[i].items));
    append_call(text, save_);
    State before = programs[i].before;
    before.x[2] = before.x[8] = record_address + i * sizeof(State) + memory_bytes / 2;
    before.x[3] = table_address + 2 * index_table_bytes;
    std::memcpy(records.data() + i * sizeof(State), &before, sizeof before);
  }
  append_call(text, finish_);
  DOJO_ENSURE(text.size() <= table_address - text_address);
  std::vector<Segment> segments = {{text_address, 5, std::move(text)},
                                   {table_address, 4, index_tables()},
                                   {record_address, 6, std::move(records)}};
  if (service_ == Service::linux_calls) return elf_of(segments, {});
  segments.push_back({host_address, 6, std::vector<std::byte>(host_bytes)});
  constexpr Symbol symbols[] = {{"tohost", host_address}, {"fromhost", host_address + 8}};
  return elf_of(segments, symbols);
}

}  // namespace dojo::differ
