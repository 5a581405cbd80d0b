// dojo exec: runs a bare program on the nodes and says what it did and where its cycles went.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "commands.h"
#include "debug/instruction_trace.h"
#include "debug/server.h"
#include "run_program.h"
#include "system/computer.h"
#include "system/program.h"

namespace dojo::tools {

namespace {

struct ExecOptions : ProgramOptions {
  bool no_timing = false, json = false, quiet = false;
  std::optional<std::uint16_t> gdb;
  std::string trace;
};

constexpr std::array causes = {"issue", "dependency", "unit", "sram", "network", "synchronisation", "idle"};

std::uint64_t cycles_of(const system::LaunchResult& result, std::string_view cause) {
  return result.ledger.total("nodes", fmt::format("cycles.{}", cause));
}

double per_cycle(const system::LaunchResult& result) {
  return result.cycles == 0 ? 0
                            : static_cast<double>(result.instructions) / static_cast<double>(result.cycles);
}

void print_summary(const ExecOptions& options, const machine::Machine& machine,
                   const system::LaunchResult& result) {
  fmt::print("nodes         {}\nexit code     {}\ninstructions  {}\n", options.nodes, result.exit_code,
             result.instructions);
  fmt::print("memory        {}\n", memory_sentence(options, result));
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
                const system::LaunchResult& result, const std::string& text, const std::string& errors) {
  nlohmann::ordered_json json;
  json["program"] = options.program;
  json["program_sha256"] = program.sha256();
  json["machine"] = machine.name;
  json["nodes"] = options.nodes;
  json["outcome"] = name_of(result.outcome);
  json["exit_code"] = result.exit_code;
  json["output"] = text;
  json["error_output"] = errors;
  json["warnings"] = result.warnings;
  json["memory_bytes_used"] = result.memory_used;
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

std::function<void(system::Stepping&)> led_by_gdb(debug::GdbServer& server, const std::string& program) {
  return [&server, program](system::Stepping& stepping) {
    fmt::print(stderr, "waiting for gdb: gdb-multiarch {} -ex 'target remote :{}'\n", program, server.port());
    if (server.serve(stepping)) fmt::print(stderr, "gdb went away\n");
  };
}

void exec(const ExecOptions& options) {
  const machine::Machine machine = machine_of(options);
  const system::Program program = system::Program::read(options.program);
  system::Computer computer(machine, options.nodes);
  std::string text, errors;
  bool line_open = false;
  system::LaunchOptions launch = launch_options(options);
  launch.timing = !options.no_timing;
  launch.text_output = [&](std::string_view words) {
    if (options.json) {
      text += words;
      return;
    }
    std::fwrite(words.data(), 1, words.size(), stdout);
    std::fflush(stdout);
    line_open = !words.ends_with('\n');
  };
  launch.error_output = [&](std::string_view words) {
    if (options.json)
      errors += words;
    else
      std::fwrite(words.data(), 1, words.size(), stderr);
  };
  std::optional<debug::GdbServer> server;
  if (options.gdb) launch.lead = led_by_gdb(server.emplace(*options.gdb), options.program);
  std::optional<debug::InstructionTrace> trace;
  if (!options.trace.empty()) {
    trace.emplace(options.trace);
    launch.lead = [&](system::Stepping& stepping) { trace->lead(stepping); };
  }
  const system::LaunchResult result = computer.launch(program, 0, 0, launch);
  if (trace) trace->finish();

  if (options.json) {
    print_json(options, machine, program, result, text, errors);
  } else {
    for (const std::string& warning : result.warnings) fmt::print(stderr, "dojo: warning: {}\n", warning);
    if (!options.quiet) {
      if (line_open) fmt::print("\n");
      print_summary(options, machine, result);
    }
  }
  std::fflush(stdout);
  end_as_program(options, result);
}

}  // namespace

void add_exec_command(CLI::App& app) {
  auto options = std::make_shared<ExecOptions>();
  CLI::App* command = app.add_subcommand("exec", "Run a static RV64 program on the nodes");
  add_program_options(*command, *options);
  command->add_flag("--no-timing", options->no_timing, "Same values, no cycles: faster");
  command->add_flag("--quiet", options->quiet, "What the program writes and nothing else");
  command
      ->add_option("--gdb", options->gdb,
                   "Port of this computer where gdb may connect and lead; 0: any free one")
      ->type_name("PORT");
  command->add_option("--trace", options->trace, "Write a line per instruction to FILE")
      ->type_name("FILE")
      ->excludes("--gdb");
  command->add_flag("--json", options->json, "Everything, with the ledger, as JSON");
  command->callback([options] { exec(*options); });
}

}  // namespace dojo::tools
