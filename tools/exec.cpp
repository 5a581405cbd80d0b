// dojo exec: runs a bare program on the nodes and says what it did and where its cycles went.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "system/computer.h"
#include "system/program.h"

namespace dojo::tools {

namespace {

struct ExecOptions {
  std::string program, machine = "d1";
  unsigned nodes = 1, host_threads = 0;
  std::uint64_t max_instructions = 0;
  bool no_timing = false, json = false;
};

constexpr std::array causes = {"issue", "dependency", "unit", "sram", "network", "synchronisation", "idle"};

std::string_view name_of(system::Outcome outcome) {
  switch (outcome) {
    case system::Outcome::finished:
      return "finished";
    case system::Outcome::trapped:
      return "trapped";
    case system::Outcome::deadlocked:
      return "deadlocked";
    case system::Outcome::too_long:
      return "too long";
    case system::Outcome::interrupted:
      return "interrupted";
  }
  return "";
}

std::uint64_t cycles_of(const system::LaunchResult& result, std::string_view cause) {
  return result.ledger.total("nodes", fmt::format("cycles.{}", cause));
}

double per_cycle(const system::LaunchResult& result) {
  return result.cycles == 0 ? 0
                            : static_cast<double>(result.instructions) / static_cast<double>(result.cycles);
}

void print_stranded(const system::Stranded& stranded) {
  fmt::print(stderr, "node {} thread {}: {}\n  at {:#x}", stranded.node, stranded.thread, stranded.reason,
             stranded.pc);
  if (!stranded.symbol.empty()) fmt::print(stderr, " <{}>", stranded.symbol);
  fmt::print(stderr, "  {}\n", stranded.disassembly);
  for (std::size_t i = 0; i < stranded.registers.size(); ++i) {
    const auto& [name, value] = stranded.registers[i];
    fmt::print(stderr, "  {:>4} {:016x}{}", name, value,
               i % 4 == 3 || i + 1 == stranded.registers.size() ? "\n" : "");
  }
}

void print_summary(const ExecOptions& options, const machine::Machine& machine,
                   const system::LaunchResult& result) {
  fmt::print("nodes         {}\nexit code     {}\ninstructions  {}\n", options.nodes, result.exit_code,
             result.instructions);
  if (options.no_timing) return;
  const double microseconds = static_cast<double>(result.cycles) / machine.node.clock_ghz / 1000;
  fmt::print("cycles        {}  ({:.3f} us at {} GHz)\n", result.cycles, microseconds,
             machine.node.clock_ghz);
  fmt::print("per cycle     {:.3f} instructions{}\n", per_cycle(result),
             options.nodes == 1 ? "" : ", all nodes together");
  std::uint64_t sum = 0;
  for (const char* cause : causes) sum += cycles_of(result, cause);
  fmt::print("where the cycles of all threads went\n");
  for (const char* cause : causes) {
    const std::uint64_t cycles = cycles_of(result, cause);
    if (cycles == 0) continue;
    fmt::print("  {:<16}{:>14}  {:5.1f} %\n", cause, cycles,
               100.0 * static_cast<double>(cycles) / static_cast<double>(sum));
  }
}

void print_json(const ExecOptions& options, const machine::Machine& machine, const system::Program& program,
                const system::LaunchResult& result, const std::string& text) {
  nlohmann::ordered_json json;
  json["program"] = options.program;
  json["program_sha256"] = program.sha256();
  json["machine"] = machine.name;
  json["nodes"] = options.nodes;
  json["outcome"] = name_of(result.outcome);
  json["exit_code"] = result.exit_code;
  json["output"] = text;
  json["instructions"] = result.instructions;
  if (!options.no_timing) {
    json["cycles"] = result.cycles;
    json["instructions_per_cycle"] = per_cycle(result);
    json["simulated_seconds"] = static_cast<double>(result.cycles) / (machine.node.clock_ghz * 1e9);
    for (const char* cause : causes) json["cycles_by_cause"][cause] = cycles_of(result, cause);
  }
  for (const auto& [key, count] : result.ledger.rows())
    json["ledger"].push_back({{"part", key.part}, {"op", key.op}, {"event", key.event}, {"count", count}});
  json["stranded"] = nlohmann::ordered_json::array();
  for (const system::Stranded& stranded : result.stranded) {
    nlohmann::ordered_json registers;
    for (const auto& [name, value] : stranded.registers) registers[name] = fmt::format("{:#x}", value);
    json["stranded"].push_back({{"node", stranded.node},
                                {"thread", stranded.thread},
                                {"reason", stranded.reason},
                                {"pc", fmt::format("{:#x}", stranded.pc)},
                                {"disassembly", stranded.disassembly},
                                {"symbol", stranded.symbol},
                                {"registers", registers}});
  }
  // A program may write any bytes; what is not UTF-8 is replaced.
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void exec(const ExecOptions& options) {
  const machine::Machine machine = machine::read_machine(options.machine);
  const system::Program program = system::Program::read(options.program);
  system::Computer computer(machine, options.nodes);
  std::string text;
  system::LaunchOptions launch;
  launch.host_threads = options.host_threads;
  launch.timing = !options.no_timing;
  launch.max_instructions = options.max_instructions;
  launch.text_output = [&](std::string_view words) { text += words; };
  const system::LaunchResult result = computer.launch(program, 0, 0, launch);

  if (options.json) {
    print_json(options, machine, program, result, text);
  } else {
    fmt::print("{}{}", text, text.empty() || text.ends_with('\n') ? "" : "\n");
    print_summary(options, machine, result);
  }
  std::fflush(stdout);
  if (result.outcome != system::Outcome::finished) {
    fmt::print(stderr, "dojo: {}: {}\n", options.program, name_of(result.outcome));
    for (const system::Stranded& stranded : result.stranded) print_stranded(stranded);
    throw CLI::RuntimeError(exit_guest_stranded);
  }
  // A process has eight bits for it; what does not fit must not look like success.
  if (result.exit_code != 0) throw CLI::RuntimeError(result.exit_code < 256 ? result.exit_code : 255);
}

}  // namespace

void add_exec_command(CLI::App& app) {
  auto options = std::make_shared<ExecOptions>();
  CLI::App* command = app.add_subcommand("exec", "Run a static RV64 program on the nodes");
  command->add_option("PROGRAM", options->program, "ELF file")->required();
  command->add_option("--nodes", options->nodes, "Nodes that run it, from the first on")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--machine", options->machine, "Name under machines/, or a .toml file")
      ->capture_default_str();
  command->add_flag("--no-timing", options->no_timing, "Same values, no cycles: faster");
  command->add_option("--max-instructions", options->max_instructions, "Per thread; 0: no limit")
      ->capture_default_str();
  command
      ->add_option("--threads", options->host_threads,
                   "Threads of this computer; 0: one per core; changes no result")
      ->capture_default_str();
  command->add_flag("--json", options->json, "Everything, with the ledger, as JSON");
  command->callback([options] { exec(*options); });
}

}  // namespace dojo::tools
