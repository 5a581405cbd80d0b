#include "shell.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cstring>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "isa/extensions.h"
#include "machine/machine.h"
#include "system/program.h"

namespace dojo::differ {
namespace {

constexpr std::uint64_t text_address = 0x400000, table_address = 0x450000, record_address = 0x460000;
constexpr std::uint64_t register_offset = memory_bytes;  // x31 points here, within a record
constexpr std::uint64_t most_instructions = 100'000'000;

constexpr std::size_t after(std::size_t offset) { return offset - register_offset; }

std::string shell_source() {
  std::string s = ".option norvc\n.text\n.globl _start, load, save, finish\n";
  const auto line = [&](const std::string& text) { s += "  " + text + "\n"; };
  const auto at = [](std::size_t offset) { return fmt::format("{}(x31)", after(offset)); };
  const auto x = [&](int i) { return at(offsetof(State, x) + 8 * static_cast<std::size_t>(i)); };
  const auto f = [&](int i) { return at(offsetof(State, f) + 8 * static_cast<std::size_t>(i)); };

  s += "_start:\n";
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
  line(fmt::format("li a0, 1\n  li a1, {}\n  li a2, {}\n  sub a2, x31, a2", record_address,
                   record_address + register_offset));
  line("li a7, 64\n  ecall\n  li a0, 0\n  li a7, 93\n  ecall");
  return s + "programs:\n";
}

int run_command(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

template <typename T>
void put(std::vector<std::byte>& bytes, std::size_t at, T value) {
  if (bytes.size() < at + sizeof value) bytes.resize(at + sizeof value);
  std::memcpy(bytes.data() + at, &value, sizeof value);
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

// An ELF64 file for RISC-V whose segments lie where they say, each on a page of the file.
struct Segment {
  std::uint64_t address;
  std::uint32_t flags;  // 1 executable, 2 writable, 4 readable
  std::vector<std::byte> bytes;
};
std::vector<std::byte> elf_of(std::span<const Segment> segments) {
  constexpr std::size_t header_bytes = 64, segment_bytes = 56, page = 4096;
  std::vector<std::byte> elf(page);
  constexpr unsigned char identity[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
  std::memcpy(elf.data(), identity, sizeof identity);
  put<std::uint16_t>(elf, 16, 2);    // executable
  put<std::uint16_t>(elf, 18, 243);  // RISC-V
  put<std::uint32_t>(elf, 20, 1);
  put<std::uint64_t>(elf, 24, text_address);
  put<std::uint64_t>(elf, 32, header_bytes);
  put<std::uint32_t>(elf, 48, 5);  // compressed instructions, double floats in registers
  put<std::uint16_t>(elf, 52, header_bytes);
  put<std::uint16_t>(elf, 54, segment_bytes);
  put<std::uint16_t>(elf, 56, static_cast<std::uint16_t>(segments.size()));
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Segment& segment = segments[i];
    const std::size_t header = header_bytes + i * segment_bytes;
    put<std::uint32_t>(elf, header, 1);
    put<std::uint32_t>(elf, header + 4, segment.flags);
    put<std::uint64_t>(elf, header + 8, elf.size());
    put<std::uint64_t>(elf, header + 16, segment.address);
    put<std::uint64_t>(elf, header + 24, segment.address);
    put<std::uint64_t>(elf, header + 32, segment.bytes.size());
    put<std::uint64_t>(elf, header + 40, segment.bytes.size());
    put<std::uint64_t>(elf, header + 48, page);
    elf.insert(elf.end(), segment.bytes.begin(), segment.bytes.end());
    elf.resize((elf.size() + page - 1) / page * page);
  }
  return elf;
}

std::vector<State> states_of(std::span<const std::byte> dump) {
  std::vector<State> states(dump.size() / sizeof(State));
  std::memcpy(states.data(), dump.data(), states.size() * sizeof(State));
  return states;
}

}  // namespace

Workshop::Workshop() {
  std::string pattern = (std::filesystem::temp_directory_path() / "dojo-differ-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw UserError(pattern, "cannot be made");
  folder_ = pattern;
}
Workshop::~Workshop() { std::filesystem::remove_all(folder_); }

Shell::Shell(const Workshop& workshop) {
  write_text(workshop.file("shell.s"), shell_source());
  const auto elf = workshop.file("shell.elf").string();
  const std::string command = fmt::format(
      "clang-22 --target=riscv64-unknown-elf -march=rv64gcv -mabi=lp64d -nostdlib -static -fuse-ld=lld-22 "
      "-Wl,-Ttext={:#x} -o {} {}",
      text_address, elf, workshop.file("shell.s").string());
  if (run_command(command) != 0)
    throw UserError("clang-22", "cannot assemble the shell of the random programs");
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
  const std::vector<Segment> segments = {{text_address, 5, std::move(text)},
                                         {table_address, 4, index_tables()},
                                         {record_address, 6, std::move(records)}};
  return elf_of(segments);
}

Runner run_under_qemu(const Workshop& workshop) {
  return [&workshop](std::span<const std::byte> elf, unsigned vlen_bits) {
    const auto file = [&](const char* name) { return workshop.file(name).string(); };
    write_file(file("programs.elf"), elf);
    std::filesystem::permissions(file("programs.elf"), std::filesystem::perms::owner_all);
    const int code = run_command(fmt::format("timeout 60 qemu-riscv64 -cpu {} {} > {} 2> {}",
                                             isa::qemu_processor(vlen_bits), file("programs.elf"),
                                             file("dump"), file("messages")));
    Ended ended;
    if (code != 0)
      ended.died = fmt::format("qemu ended with {} {}", code, read_text(file("messages")));
    else
      ended.states = states_of(read_file(file("dump")));
    return ended;
  };
}

Runner run_here(bool timing, bool translated) {
  auto computers = std::make_shared<std::map<unsigned, system::Computer>>();
  return [timing, translated, computers](std::span<const std::byte> elf, unsigned vlen_bits) {
    auto found = computers->find(vlen_bits);
    if (found == computers->end()) {
      auto machine = machine::read_machine("d1");
      machine.node.vlen_bits = vlen_bits;
      found = computers->emplace(vlen_bits, system::Computer(machine, 1)).first;
    }
    std::string dump;
    system::LaunchOptions options;
    options.host_threads = 1;
    options.timing = timing;
    options.translate_after = translated ? 0 : node::never_translate;
    options.max_instructions = most_instructions;
    options.text_output = [&](std::string_view text) { dump += text; };
    const auto result = found->second.launch(system::Program::parse(elf, "random programs"), 0, 0, options);
    Ended ended;
    ended.instructions = result.instructions;
    if (result.outcome == system::Outcome::finished)
      ended.states = states_of(std::as_bytes(std::span(dump)));
    else
      ended.died = result.stranded.empty()
                       ? "ran for too long"
                       : fmt::format("{} at {:#x}: {}", result.stranded[0].reason, result.stranded[0].pc,
                                     result.stranded[0].disassembly);
    return ended;
  };
}

}  // namespace dojo::differ
