#include "isa/qemu_harness_test.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <unordered_map>

#include "base/file.h"
#include "base/temporary_folder.h"
#include "isa/block.h"
#include "isa/extensions.h"
#include "support/command.h"

namespace dojo::isa {
namespace {

constexpr std::uint64_t lowest_address = 0x10000, code_address = 0x100000, record_address = 0x4000000;

std::string program_text(std::span<const Trial> trials, const TrialOptions& options,
                         const std::string& records) {
  std::string s = ".option norvc\n.text\n.globl _start\nload_state:\n";
  const auto line = [&](std::string_view text) { s += fmt::format("  {}\n", text); };
  const auto at = [](std::size_t offset) { return fmt::format("{}(t6)", offset); };
  const auto x = offsetof(TrialState, x), f = offsetof(TrialState, f);

  line("ld t4, " + at(offsetof(TrialState, fcsr)));
  line("csrw fcsr, t4");
  for (int i = 0; i < 32; ++i) line(fmt::format("fld f{}, {}", i, at(f + 8 * i)));
  if (options.vectors) {
    line(fmt::format("li t4, {}\n  add t4, t4, t6\n  csrr t3, vlenb\n  slli t3, t3, 3",
                     offsetof(TrialState, v)));
    for (int i = 0; i < 32; i += 8) line(fmt::format("vl8re8.v v{}, (t4)\n  add t4, t4, t3", i));
    line("ld t4, " + at(offsetof(TrialState, vcsr)) + "\n  csrw vcsr, t4");
    line("ld t3, " + at(offsetof(TrialState, vl)) + "\n  ld t4, " + at(offsetof(TrialState, vtype)));
    line("vsetvl zero, t3, t4");
    line("ld t4, " + at(offsetof(TrialState, vstart)) + "\n  csrw vstart, t4");
  }
  for (int i = 1; i < 30; ++i) line(fmt::format("ld x{}, {}", i, at(x + 8 * i)));
  line("jr t5");

  s += "save_state:\n";
  for (int i = 1; i < 30; ++i) line(fmt::format("sd x{}, {}", i, at(x + 8 * i)));
  for (int i = 0; i < 32; ++i) line(fmt::format("fsd f{}, {}", i, at(f + 8 * i)));
  line("csrr t4, fcsr\n  sd t4, " + at(offsetof(TrialState, fcsr)));
  if (options.vectors) {
    line("csrr t4, vl\n  sd t4, " + at(offsetof(TrialState, vl)));
    line("csrr t4, vtype\n  sd t4, " + at(offsetof(TrialState, vtype)));
    line("csrr t4, vcsr\n  sd t4, " + at(offsetof(TrialState, vcsr)));
    line("csrr t4, vstart\n  sd t4, " + at(offsetof(TrialState, vstart)) + "\n  csrw vstart, zero");
    line(fmt::format("li t4, {}\n  add t4, t4, t6\n  csrr t3, vlenb\n  slli t3, t3, 3",
                     offsetof(TrialState, v)));
    for (int i = 0; i < 32; i += 8) line(fmt::format("vs8r.v v{}, (t4)\n  add t4, t4, t3", i));
  }
  line(fmt::format("li t4, {}\n  add t6, t6, t4\n  jr t5", sizeof(TrialState)));

  s += "_start:\n";
  line(fmt::format("li t6, {}", record_address));
  for (const Trial& trial : trials) {
    line("jal t5, load_state");
    for (const std::uint32_t word : trial.words)
      line((word & 3) == 3 ? fmt::format(".4byte {:#x}", word) : fmt::format(".2byte {:#x}", word & 0xffff));
    // Keeps the harness's calls within reach of jal however many trials there are.
    line("la t4, save_state\n  jalr t5, t4");
  }
  line(fmt::format("li a0, 1\n  li a1, {}\n  li a2, {}\n  li a7, 64\n  ecall", record_address,
                   trials.size() * sizeof(TrialState)));
  line("li a0, 0\n  li a7, 93\n  ecall");
  s += fmt::format(".section .records, \"aw\"\n  .incbin \"{}\"\n", records);
  return s;
}

// What the ELF wrote under our interpreter. Loads segments where they say; knows write and exit.
std::vector<std::byte> run_here(const std::string& path, const TrialOptions& options) {
  const auto elf = read_file(path);
  const auto field = [&](std::size_t offset, std::size_t bytes) {
    std::uint64_t value = 0;
    std::memcpy(&value, elf.data() + offset, bytes);
    return value;
  };
  std::vector<std::byte> ram(record_address + (std::uint64_t{64} << 20));
  auto hart = std::make_unique<Hart>();
  hart->memory = {ram.data(), lowest_address, ram.size(), 0, 0, 0};
  hart->vlen_bits = options.vlen_bits;
  hart->pc = field(24, 8);
  for (std::uint64_t i = 0, header = field(32, 8); i < field(56, 2); ++i, header += field(54, 2)) {
    if (field(header, 4) != 1) continue;
    const std::uint64_t offset = field(header + 8, 8), address = field(header + 16, 8),
                        bytes = field(header + 32, 8);
    std::byte* place = hart->memory.readable(address, bytes);
    if (place == nullptr) throw std::runtime_error("a segment lies outside the harness's memory");
    std::memcpy(place, elf.data() + offset, bytes);
  }

  std::vector<std::byte> output;
  std::unordered_map<std::uint64_t, Block> blocks;
  while (true) {
    auto found = blocks.find(hart->pc);
    if (found == blocks.end()) found = blocks.emplace(hart->pc, build_block(hart->memory, hart->pc)).first;
    run_block(*hart, found->second);
    if (hart->stop == Stop::none) continue;
    if (hart->stop != Stop::system_call) {
      ADD_FAILURE() << fmt::format("trap {} at {:#x}: {}", static_cast<int>(hart->trap), hart->pc,
                                   disassemble(*hart->trapped_at, hart->pc));
      return output;
    }
    if (hart->x[17] != 64) return output;
    const std::byte* bytes = hart->memory.readable(hart->x[11], hart->x[12]);
    output.assign(bytes, bytes + hart->x[12]);
  }
}

std::string describe(const Trial& trial, const TrialState& theirs, const TrialState& ours,
                     unsigned vlen_bits) {
  std::string s;
  for (const std::uint32_t word : trial.words) {
    const Decoded d = decode(word, 0);
    s += fmt::format("  {:08x}  {}\n", word, disassemble(d, 0));
    s += fmt::format("     x[rs1] {:x}  x[rs2] {:x}  f[rs1] {:x}  f[rs2] {:x}  f[rs3] {:x}  fcsr {:x}\n",
                     trial.before.x[d.rs1], trial.before.x[d.rs2], trial.before.f[d.rs1],
                     trial.before.f[d.rs2], trial.before.f[d.rs3], trial.before.fcsr);
  }
  s += fmt::format("     vl {} vtype {:x} vcsr {} vstart {}\n", trial.before.vl, trial.before.vtype,
                   trial.before.vcsr, trial.before.vstart);
  const auto differ = [&](const std::string& what, auto theirs_value, auto ours_value) {
    if (theirs_value != ours_value)
      s += fmt::format("    {}: qemu {:x}, here {:x}\n", what, theirs_value, ours_value);
  };
  for (unsigned i = 0; i < 32; ++i) differ(fmt::format("x{}", i), theirs.x[i], ours.x[i]);
  for (unsigned i = 0; i < 32; ++i) differ(fmt::format("f{}", i), theirs.f[i], ours.f[i]);
  differ("fcsr", theirs.fcsr, ours.fcsr);
  differ("vl", theirs.vl, ours.vl);
  differ("vtype", theirs.vtype, ours.vtype);
  differ("vcsr", theirs.vcsr, ours.vcsr);
  differ("vstart", theirs.vstart, ours.vstart);
  const auto differ_bytes = [&](const char* what, const auto& a, const auto& b, unsigned unit) {
    int shown = 0;
    for (std::size_t i = 0; i < a.size() && shown < 8; i += 8) {
      std::uint64_t one, other, was;
      std::memcpy(&one, &a[i], 8);
      std::memcpy(&other, &b[i], 8);
      std::memcpy(&was, what[0] == 'v' ? &trial.before.v[i] : &trial.before.memory[i], 8);
      if (one == other) continue;
      s += fmt::format("    {}{} + {}: was {:016x}, qemu {:016x}, here {:016x}\n", what, i / unit, i % unit,
                       was, one, other);
      ++shown;
    }
  };
  differ_bytes("memory ", theirs.memory, ours.memory, 4096);
  differ_bytes("v", theirs.v, ours.v, vlen_bits / 8);
  return s;
}

}  // namespace

std::uint64_t memory_of_trial(std::size_t index) {
  return record_address + index * sizeof(TrialState) + offsetof(TrialState, memory);
}

void expect_same_as_qemu(std::span<const Trial> trials, const TrialOptions& options) {
  const TemporaryFolder folder("dojo-isa");
  const auto file = [&](const char* name) { return (folder.path() / name).string(); };
  std::ofstream records(file("records"), std::ios::binary);
  for (const Trial& trial : trials)
    records.write(reinterpret_cast<const char*>(&trial.before), sizeof trial.before);
  records.close();
  std::ofstream(file("trials.s")) << program_text(trials, options, file("records"));
  ASSERT_EQ(
      run(fmt::format(
          "clang-22 --target=riscv64-unknown-elf -march={} -mabi=lp64d -nostdlib -static -fuse-ld=lld-22 "
          "-Wl,-Ttext={:#x} -Wl,--section-start=.records={:#x} -o {} {}",
          options.march, code_address, record_address, file("trials.elf"), file("trials.s"))),
      0);
  const std::string cpu = qemu_processor(options.vlen_bits);
  ASSERT_EQ(run(fmt::format("qemu-riscv64 -cpu {} {} > {} 2> {}", cpu, file("trials.elf"), file("theirs"),
                            file("messages"))),
            0)
      << "qemu stopped: a trial uses something it does not know";

  const auto theirs = read_file(file("theirs"));
  const auto ours = run_here(file("trials.elf"), options);
  ASSERT_EQ(theirs.size(), trials.size() * sizeof(TrialState));
  ASSERT_EQ(ours.size(), theirs.size());
  std::size_t different = 0;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const std::size_t offset = i * sizeof(TrialState);
    if (std::memcmp(theirs.data() + offset, ours.data() + offset, sizeof(TrialState)) == 0) continue;
    if (++different > 10) continue;
    auto a = std::make_unique<TrialState>(), b = std::make_unique<TrialState>();
    std::memcpy(a.get(), theirs.data() + offset, sizeof(TrialState));
    std::memcpy(b.get(), ours.data() + offset, sizeof(TrialState));
    ADD_FAILURE() << "trial " << i << "\n" << describe(trials[i], *a, *b, options.vlen_bits);
  }
  EXPECT_EQ(different, 0u) << "of " << trials.size() << " trials";
}

TrialState random_state(Random& random, unsigned float_width) {
  TrialState state;
  for (unsigned i = 1; i < 30; ++i) state.x[i] = corner_integer(random);
  for (auto& f : state.f) f = corner_f_register(random, float_width);
  state.fcsr = random.below(5) << 5 | random.below(32);
  for (auto& byte : state.memory) byte = static_cast<std::byte>(random.bits());
  return state;
}

}  // namespace dojo::isa
