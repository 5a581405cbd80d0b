// The emulated computer: nodes, fabric and interface processors under one clock.
//
// Owns all SRAM and HBM. Between launches the machine is quiescent and the host may read and write HBM and
// the persistent region; a launch runs one program on every node (docs/notes/003). Results and cycles depend
// on nothing but program, memory and machine file: not on host threads, host speed or the order in which
// nodes happen to execute.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "machine/ledger.h"
#include "machine/machine.h"
#include "node/translation.h"
#include "system/host.h"
#include "system/profile.h"

namespace dojo::system {

class Program;   // an ELF file: program.h
class Debuggee;  // a debugged launch: debuggee.h

struct LaunchOptions {
  Host host;
  std::uint64_t max_instructions = 0;  // per thread; 0: no limit
  // write(2) of the nodes to descriptor 1, and to 2 (if empty: with the others). By node and thread at the
  // end of the launch; of a launch with a single thread at once.
  std::function<void(std::string_view)> text_output, error_output;
  // What read(2) of descriptor 0 finds: fills the span as far as it can and returns how many bytes, 0 at the
  // end. Every node reads the whole of it. Empty: there is no input.
  std::function<std::size_t(std::span<std::byte>)> text_input;
  // argv of thread 0 of every node, on its stack; without any, nothing is put there.
  std::vector<std::string> arguments;
  // Runs of a block by its instructions' semantics before it becomes host code: nothing but the host's time
  // depends on it (node/translation.h).
  std::uint32_t translate_after = node::translate_after_default;
  Profile* profile = nullptr;   // filled, by one host thread; needs timing
  bool measure_memory = false;  // fill LaunchResult::memory_used
  // Of a debugged launch: called when all threads stand at their start; where it leaves them they run on by
  // themselves.
  std::function<void(Debuggee&)> debugger;
};

enum class Outcome : std::uint8_t { finished, trapped, deadlocked, too_long, interrupted };

// What a person needs to see of a thread that could not go on.
struct Stranded {
  std::uint32_t node = 0, thread = 0;
  std::string reason;  // "illegal instruction 0x...", "waits for semaphore 0x1200 <done> >= 3 (holds 2)"
  std::uint64_t pc = 0;
  std::string disassembly, symbol;
  std::vector<std::pair<std::string, std::uint64_t>> registers;
};

struct LaunchResult {
  Outcome outcome = Outcome::finished;
  int exit_code = 0;         // the largest of all threads
  std::uint64_t cycles = 0;  // from start until the last thread ended; 0 without timing
  std::uint64_t instructions = 0;
  machine::Ledger ledger;          // keys of docs/notes/004
  std::vector<Stranded> stranded;  // at most 8
  // The most that any node used: program and heap, and its stack as far as it was written to.
  std::uint64_t memory_used = 0;
  std::vector<std::string> warnings;  // one clause each
};

class Computer {
public:
  // `nodes` = 0: all enabled nodes of the machine's die; otherwise the first `nodes` of them.
  explicit Computer(const machine::Machine& machine, unsigned nodes = 0);
  ~Computer();
  Computer(Computer&&) noexcept;

  unsigned nodes() const;
  const machine::Machine& machine() const;

  // HBM of interface processor `d`: one flat array of the machine's size that costs host memory where it is
  // touched.
  void write_hbm(unsigned d, std::uint64_t offset, std::span<const std::byte> bytes);
  std::vector<std::byte> read_hbm(unsigned d, std::uint64_t offset, std::uint64_t bytes) const;

  // The local memory of one node. Valid between launches.
  std::span<std::byte> sram(unsigned node);
  std::span<const std::byte> sram(unsigned node) const;

  // Runs `program` on all nodes. Bytes in [persistent_begin, persistent_end) survive, all other SRAM is
  // zeroed and the program's segments are loaded. Throws UserError if the program does not fit.
  LaunchResult launch(const Program& program, std::uint64_t persistent_begin, std::uint64_t persistent_end,
                      const LaunchOptions& options);

private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dojo::system
