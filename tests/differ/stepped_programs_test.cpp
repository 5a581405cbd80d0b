// Does a launch take the same cycles and count the same when it is debugged instruction by instruction, as
// a debugger or --trace does, as by itself? Programs at random: they trap, with a handler and without, lie in
// text that may change and in text that may not, switch registers off, and read the clock on the way.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "elf_file.h"
#include "generate.h"
#include "machine/machine.h"
#include "node/random_programs_for_tests.h"
#include "shell.h"
#include "system/computer.h"
#include "system/debuggee.h"
#include "system/program.h"
#include "workshop.h"

namespace dojo::system {
namespace {

namespace random_programs = node::random_programs;
using random_programs::addi, random_programs::Generator;

constexpr std::uint32_t readable = 4, writable = 2, executable = 1;
constexpr std::uint64_t text_address = 0x10000, data_address = 0x40000, data_bytes = 16384;

struct Came {
  LaunchResult result;
  std::array<std::uint64_t, node::causes> by_address{};  // cycles of all addresses, with a profile
  std::vector<std::byte> memory;
};

enum class How : std::uint8_t { semantics, translated, profiled, stepped, stepped_at_first };

void step_to_the_end(Debuggee& debuggee, std::uint64_t most) {
  for (bool any = true; any;) {
    any = false;
    for (std::size_t thread = 0; thread < debuggee.threads(); ++thread)
      for (unsigned i = 0; i < 5 && debuggee.state(thread) == ThreadState::runnable && most != 0; ++i, --most)
        any = true, debuggee.step(thread);
  }
}

Came launched(Computer& computer, const Program& program, How how, std::uint64_t most_instructions) {
  Came came;
  Profile profile;
  LaunchOptions options;
  options.host.threads = 1;
  options.max_instructions = most_instructions;
  options.translate_after = how == How::translated ? 0 : node::never_translate;
  if (how == How::profiled) options.profile = &profile;
  const std::uint64_t most = how == How::stepped ? ~std::uint64_t{0} : 300;
  if (how >= How::stepped) options.debugger = [&](Debuggee& debuggee) { step_to_the_end(debuggee, most); };
  came.result = computer.launch(program, 0, 0, options);
  for (const auto& [pc, entry] : profile)
    for (std::size_t cause = 0; cause < node::causes; ++cause) came.by_address[cause] += entry.cycles[cause];
  const auto sram = computer.sram(0);
  came.memory.assign(sram.begin(), sram.end());
  return came;
}

// What comes of it by itself.
LaunchResult expect_same_in_every_way(Computer& computer, std::span<const std::byte> elf,
                                      std::uint64_t most_instructions = 2'000'000) {
  const Program program = Program::parse(elf, "random");
  const Came plain = launched(computer, program, How::semantics, most_instructions);
  for (const How how : {How::translated, How::profiled, How::stepped, How::stepped_at_first}) {
    SCOPED_TRACE(fmt::format("way {}", static_cast<int>(how)));
    const Came came = launched(computer, program, how, most_instructions);
    EXPECT_EQ(came.result.outcome, plain.result.outcome);
    EXPECT_EQ(came.result.exit_code, plain.result.exit_code);
    EXPECT_EQ(came.result.instructions, plain.result.instructions);
    EXPECT_EQ(came.result.cycles, plain.result.cycles);
    EXPECT_TRUE(came.memory == plain.memory);
    if (how != How::profiled) {
      EXPECT_EQ(came.result.ledger.rows(), plain.result.ledger.rows());
      continue;
    }
    constexpr const char* causes[] = {"issue", "dependency", "unit", "sram"};
    for (std::size_t cause = 0; cause < node::causes; ++cause)
      EXPECT_EQ(came.by_address[cause],
                plain.result.ledger.total("nodes", fmt::format("cycles.{}", causes[cause])));
  }
  return plain.result;
}

// --- Programs of src/node's generator, which traps are put into -------------------------------------------

constexpr unsigned mode_bits = 3;  // holds FS and VS

constexpr std::uint32_t lui(unsigned rd, std::uint64_t value) {
  return 0x37 | rd << 7 | (static_cast<std::uint32_t>(value + 0x800) & 0xfffff000);
}
constexpr std::uint32_t csr(unsigned funct, unsigned number, unsigned rd, unsigned rs1) {
  return 0x73 | funct << 12 | number << 20 | rd << 7 | rs1 << 15;
}
constexpr unsigned write = 1, set = 2, mstatus = 0x300, mtvec = 0x305, mepc = 0x341, cycle = 0xc00,
                   instret = 0xc02;

void load(std::vector<std::uint32_t>& words, unsigned rd, std::uint64_t value) {
  words.push_back(lui(rd, value));
  words.push_back(addi(rd, rd, static_cast<int>((value & 0xfff) ^ 0x800) - 0x800));
}

// Goes on behind what has trapped, whatever it was.
constexpr std::uint32_t handler[] = {
    csr(set, mepc, 5, 0),
    0x0002d303,                           // lhu t1, 0(t0)
    random_programs::andi(6, 6, 3),       //
    addi(6, 6, -3),                       //
    addi(5, 5, 4),                        //
    random_programs::branch(0, 6, 0, 8),  // beqz t1
    addi(5, 5, -2),                       //
    csr(write, mepc, 0, 5),               //
    0x30200073,                           // mret
};

// Straight-line instructions that nothing hangs on.
bool may_be_replaced(std::uint32_t word) {
  const isa::Row& row = *isa::decode(word, 0).row;
  if ((row.properties & isa::ends_block) != 0) return false;
  const unsigned rd = word >> 7 & 31;
  return row.rd == isa::Operand::v_write || (row.rd == isa::Operand::x_write && rd >= 4 && rd < 20);
}

std::uint32_t awkward_word(Generator& random) {
  const auto rd = static_cast<unsigned>(4 + random() % 16);
  const std::uint32_t words[] = {
      0,                          // illegal, two bytes
      0x00100073,                 // ebreak
      0x00003003 | rd << 7,       // ld rd, 0(x0)
      0x00003023,                 // sd x0, 0(x0)
      0x00153023,                 // sd x1, 0(a0), wherever that is
      0x1000202f | rd << 7,       // lr.w rd, (x0)
      csr(write, mstatus, 0, 0),  // FS, VS off
      csr(set, mstatus, 0, mode_bits),
      csr(set, cycle, rd, 0),
      csr(set, instret, rd, 0),
      0x02b54533,  // div a0, a0, a1: a long wait in front of what follows
      0x02b54533,
  };
  return words[random() % std::size(words)];
}

std::vector<std::byte> random_elf(Generator& random, random_programs::Program& generator) {
  const bool handles = random() % 3 != 0;
  std::vector<std::uint32_t> words(std::begin(handler), std::end(handler));
  const std::size_t entry = words.size();
  load(words, mode_bits, 0x6600);
  load(words, random_programs::pointer, data_address + data_bytes / 2);
  load(words, random_programs::loop_counter, 5 + random() % 20);
  load(words, random_programs::length, random() % 40);
  load(words, 5, text_address);
  if (handles) words.push_back(csr(write, mtvec, 0, 5));
  std::vector<std::uint32_t> body = generator.write(512);
  const std::uint64_t rarity = 4 + random() % 60;
  for (std::uint32_t& word : body)
    if (may_be_replaced(word) && random() % rarity == 0) word = awkward_word(random);
  body.back() = csr(write, mtvec, 0, 0);
  words.insert(words.end(), body.begin(), body.end());
  words.insert(words.end(), {addi(10, 0, 0), addi(17, 0, 93), random_programs::ecall});

  std::vector<std::byte> text(words.size() * 4), data(data_bytes);
  std::memcpy(text.data(), words.data(), text.size());
  for (std::byte& byte : data) byte = static_cast<std::byte>(random());
  // All of the text may change, or nothing, or what lies behind one of its instructions.
  const std::size_t fixed = random() % 3 == 0   ? 0
                            : random() % 2 == 0 ? text.size()
                                                : random() % words.size() * 4 + 2;
  std::vector<differ::Segment> segments;
  if (fixed != 0)
    segments.push_back({text_address,
                        readable | executable,
                        {text.begin(), text.begin() + static_cast<std::ptrdiff_t>(fixed)}});
  if (fixed != text.size())
    segments.push_back({text_address + fixed,
                        readable | writable | executable,
                        {text.begin() + static_cast<std::ptrdiff_t>(fixed), text.end()}});
  segments.push_back({data_address, readable | writable, data});
  std::vector<std::byte> elf = differ::elf_of(segments, {});
  differ::put(elf, 24, text_address + entry * 4);
  return elf;
}

TEST(SteppedPrograms, RandomOnesTakeTheCyclesOfALaunchByItself) {
  Generator random(31);
  random_programs::Program generator(random);
  Computer computer(machine::read_machine("d1"), 1);
  std::map<Outcome, unsigned> outcomes;
  for (int round = 0; round < 250; ++round) {
    SCOPED_TRACE(round);
    const std::vector<std::byte> elf = random_elf(random, generator);
    const LaunchResult whole = expect_same_in_every_way(computer, elf);
    ++outcomes[whole.outcome];
    const LaunchResult cut = expect_same_in_every_way(computer, elf, 1 + random() % whole.instructions);
    ++outcomes[cut.outcome];
    if (HasFailure()) return;
  }
  EXPECT_GT(outcomes[Outcome::finished], 100u);
  EXPECT_GT(outcomes[Outcome::trapped], 30u);
  EXPECT_GT(outcomes[Outcome::too_long], 100u);
}

// --- Programs of the differ, several in a file -------------------------------------------------------------

TEST(SteppedPrograms, TheDiffersTakeTheCyclesOfALaunchByItself) {
  const differ::Workshop workshop;
  Computer computer(machine::read_machine("d1"), 1);
  std::vector<differ::Program> programs;
  while (programs.size() < 24)
    programs.push_back(differ::generate(differ::Oracle::semantics, 4, programs.size(), 512));
  for (const auto service : {differ::Service::linux_calls, differ::Service::host_interface}) {
    std::vector<std::byte> elf = differ::Shell(workshop, service).elf(programs);
    for (const std::uint32_t flags : {readable | executable, readable | writable | executable}) {
      SCOPED_TRACE(fmt::format("service {}, flags {}", static_cast<int>(service), flags));
      differ::put(elf, 64 + 4, flags);  // of the first program header: the text
      EXPECT_EQ(expect_same_in_every_way(computer, elf).outcome, Outcome::finished);
    }
  }
}

}  // namespace
}  // namespace dojo::system
