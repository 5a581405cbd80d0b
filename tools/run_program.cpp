#include "run_program.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <utility>

#include "base/error.h"
#include "commands.h"
#include "machine_options.h"
#include "report/program_report.h"
#include "say.h"
#include "stop_request.h"

namespace dojo::tools {

namespace {

constexpr std::uint64_t most_memory = std::uint64_t{4} << 30;

std::uint64_t bytes_of(const std::string& text) {
  std::uint64_t count = 0;
  const char* const last = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), last, count);
  const std::string_view suffix(rest, static_cast<std::size_t>(last - rest));
  const unsigned shift = suffix == "k" || suffix == "K"   ? 10
                         : suffix == "m" || suffix == "M" ? 20
                         : suffix == "g" || suffix == "G" ? 30
                                                          : 0;
  if (error != std::errc{} || (shift == 0 && !suffix.empty()))
    refuse("--memory", "'{}' is no size such as 64M", text);
  if (count > most_memory >> shift || count << shift < 65536 || (count << shift) % 4096 != 0)
    refuse("--memory", "{} is not a multiple of 4k from 64k to 4G", text);
  return count << shift;
}

// Waits in small pieces, for a signal may reach another thread than the one that waits.
std::size_t read_standard_input(std::span<std::byte> to) {
  constexpr int wait_milliseconds = 100;
  for (;;) {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&input, 1, wait_milliseconds);
    if (stop_was_asked()) return 0;
    if (ready <= 0) continue;
    const ssize_t got = ::read(STDIN_FILENO, to.data(), to.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return 0;
  }
}

void print_stranded(const system::Stranded& stranded) {
  say("node {} thread {}: {}", stranded.node, stranded.thread,
      stranded.reason.empty() ? "was running" : stranded.reason);
  const std::string symbol = stranded.symbol.empty() ? "" : fmt::format(" <{}>", stranded.symbol);
  say("  at {:#x}{}  {}", stranded.pc, symbol, stranded.disassembly);
  std::string row;
  for (std::size_t i = 0; i < stranded.registers.size(); ++i) {
    const auto& [name, value] = stranded.registers[i];
    row += fmt::format("  {:>4} {:016x}", name, value);
    if (i % 4 == 3 || i + 1 == stranded.registers.size()) say("{}", std::exchange(row, ""));
  }
}

}  // namespace

std::vector<Option> program_options(ProgramOptions& options) {
  return joined(
      {{{.name = "PROGRAM", .into = &options.program, .help = "ELF file", .is_path = true, .required = true},
        {.name = "ARGS", .into = &options.arguments, .help = "The program's own arguments, behind --"},
        nodes_option(options.nodes, "Nodes that run it, from the first on"),
        machine_option(options.machine),
        {.name = "--memory",
         .into = &options.memory,
         .help = "Bytes of memory (k, M, G) instead of a node's SRAM; all of it is timed as SRAM"},
        {.name = "--max-instructions",
         .into = &options.max_instructions,
         .help = "Per thread, and what is left of a block of code; 0: no limit"}},
       host_options(options.host)});
}

machine::Machine with_memory(machine::Machine machine, const ProgramOptions& options) {
  if (options.memory) machine.node.sram_bytes = bytes_of(*options.memory);
  return machine;
}

system::Program program_of(const ProgramOptions& options, const machine::Machine& machine) {
  system::Program program = system::Program::read(options.program);
  if (program.promised_vlen_bits() > machine.node.vlen_bits)
    refuse(program.where(), "is compiled for vectors of at least {} bits (zvl{}b); a node of {} has {}",
           program.promised_vlen_bits(), program.promised_vlen_bits(), machine.name, machine.node.vlen_bits);
  return program;
}

system::LaunchOptions launch_options(const ProgramOptions& options) {
  system::LaunchOptions launch;
  launch.host = host_of(options.host);
  launch.max_instructions = options.max_instructions;
  launch.arguments = {options.program};
  launch.arguments.insert(launch.arguments.end(), options.arguments.begin(), options.arguments.end());
  launch.text_input = read_standard_input;
  launch.measure_memory = true;
  return launch;
}

int exit_code_of(const ProgramOptions& options, const system::LaunchResult& result) {
  if (result.outcome != system::Outcome::finished) {
    say("dojo: {}: {}", options.program, report::name_of(result.outcome));
    // Who debugged it knows where the threads stand.
    const bool led_to_it = result.outcome == system::Outcome::interrupted && !stop_was_asked();
    for (const system::Stranded& stranded : result.stranded)
      if (!led_to_it) print_stranded(stranded);
    return stop_was_asked() ? exit_interrupted : exit_guest_stranded;
  }
  // A process has eight bits for it; what does not fit must not look like success.
  return static_cast<int>(result.exit_code < 256 ? result.exit_code : 255);
}

}  // namespace dojo::tools
