// dojo exec: runs a bare program on the nodes and says what it did and where its cycles went.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/json_text.h"
#include "commands.h"
#include "debug/instruction_trace.h"
#include "debug/server.h"
#include "output_files.h"
#include "run_program.h"
#include "say.h"
#include "sensitivity.h"
#include "signature.h"
#include "stop_request.h"
#include "system/computer.h"
#include "system/program.h"

namespace dojo::tools {

namespace {

struct ExecOptions : ProgramOptions {
  bool json = false, quiet = false, sensitivity = false;
  std::optional<std::uint16_t> gdb;
  std::string trace, signature;
  std::size_t signature_granularity = 4;
};

// The program, what it ran on, and all that is said about it at the end.
struct Executed {
  const machine::Machine& as_read;  // without --memory
  const machine::Machine& machine;
  const system::Program& program;
  const PlausibleRun& run;
  std::vector<machine::Variant> variants;  // with --sensitivity: by variant, the first is `run`
  std::vector<PlausibleRun> variant_runs;
};

double per_cycle(const system::LaunchResult& result) {
  return result.cycles == 0 ? 0
                            : static_cast<double>(result.instructions) / static_cast<double>(result.cycles);
}

// An interrupted launch has worked for some cycles, but how long it takes is not known.
bool has_an_end(const system::LaunchResult& result) { return result.outcome != system::Outcome::interrupted; }

void print_summary(const ExecOptions& options, const Executed& executed) {
  const machine::Machine& machine = executed.machine;
  const system::LaunchResult& result = executed.run.result;
  const bool finished = result.outcome == system::Outcome::finished;
  fmt::print(
      "nodes         {}\nexit code     {}\ninstructions  {}\n", options.nodes,
      finished ? fmt::format("{}", result.exit_code) : fmt::format("none: {}", name_of(result.outcome)),
      result.instructions);
  fmt::print("memory        {}\n", memory_sentence(executed.as_read, result));
  if (options.host.no_timing) return;
  if (has_an_end(result)) {
    const double microseconds = static_cast<double>(result.cycles) / machine.node.clock_ghz / 1000;
    fmt::print("cycles        {}  ({:.3f} us at {} GHz)\n", result.cycles, microseconds,
               machine.node.clock_ghz);
    fmt::print("per cycle     {:.3f} instructions{}\n", per_cycle(result),
               options.nodes == 1 ? "" : ", all nodes together");
  }
  std::uint64_t sum = 0;
  for (const machine::Event& cause : machine::cause_events) sum += result.ledger.total(cause);
  fmt::print("where the cycles of all threads went\n");
  for (const machine::Event& cause : machine::cause_events) {
    const std::uint64_t cycles = result.ledger.total(cause);
    if (cycles == 0) continue;
    fmt::print("  {:<16}{:>14}  {:5.1f} %\n", name_of(cause), cycles,
               100.0 * static_cast<double>(cycles) / static_cast<double>(sum));
  }
}

void print_json(const ExecOptions& options, const Executed& executed) {
  const auto& [as_read, machine, program, run, variants, variant_runs] = executed;
  const system::LaunchResult& result = run.result;
  nlohmann::ordered_json json;
  json["program"] = options.program;
  json["program_sha256"] = program.sha256();
  json["machine"] = machine.name;
  json["nodes"] = options.nodes;
  json["outcome"] = name_of(result.outcome);
  if (result.outcome == system::Outcome::finished)
    json["exit_code"] = result.exit_code;
  else
    json["exit_code"] = nullptr;
  json["output"] = run.output;
  json["error_output"] = run.error_output;
  json["warnings"] = result.warnings;
  json["memory_bytes_used"] = result.memory_used;
  json["instructions"] = result.instructions;
  if (!options.host.no_timing) {
    if (has_an_end(result)) {
      json["cycles"] = result.cycles;
      json["instructions_per_cycle"] = per_cycle(result);
      json["simulated_seconds"] = static_cast<double>(result.cycles) / (machine.node.clock_ghz * 1e9);
    }
    for (const machine::Event& cause : machine::cause_events)
      json["cycles_by_cause"][std::string(name_of(cause))] = result.ledger.total(cause);
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
  if (!variant_runs.empty()) json["sensitivity"] = json_of_sensitivity(variants, variant_runs, options.nodes);
  // A program may write any bytes; what is not UTF-8 is replaced.
  fmt::print("{}\n", json_text(json, 2));
}

std::function<void(system::Debuggee&)> debugged_by_gdb(debug::GdbServer& server, const std::string& program) {
  return [&server, program](system::Debuggee& debuggee) {
    say("waiting for gdb: gdb-multiarch {} -ex 'target remote 127.0.0.1:{}'", program, server.port());
    if (server.serve(debuggee)) say("gdb went away");
  };
}

void print_all(const ExecOptions& options, const Executed& executed) {
  if (options.json) {
    print_json(options, executed);
    return;
  }
  const PlausibleRun& run = executed.run;
  for (const std::string& warning : run.result.warnings) say("dojo: warning: {}", warning);
  if (options.quiet) return;
  if (!run.output.empty() && !run.output.ends_with('\n')) fmt::print("\n");
  print_summary(options, executed);
  if (executed.variant_runs.empty()) return;
  print_sensitivity(executed.variants, executed.variant_runs, options.nodes);
  for (const std::string& clause : timing_dependences(executed.variants, executed.variant_runs))
    fmt::print("  {}\n", clause);
}

// Takes what the program writes; people see it at once. What nobody will ask for is not kept, but for the
// last words: the summary begins on a line of its own.
void take_output(system::LaunchOptions& launch, PlausibleRun& run, const ExecOptions& options) {
  const bool show = !options.json, keep = options.json || options.sensitivity;
  launch.text_output = [&run, show, keep](std::string_view words) {
    if (!keep) run.output.clear();
    run.output += words;
    if (!show) return;
    std::fwrite(words.data(), 1, words.size(), stdout);
    std::fflush(stdout);
  };
  launch.error_output = [&run, show, keep](std::string_view words) {
    if (keep) run.error_output += words;
    if (show) std::fwrite(words.data(), 1, words.size(), stderr);
  };
}

int exec(const ExecOptions& options) {
  listen_for_stop_requests();
  const machine::Machine as_read = machine::read_machine(options.machine);
  std::vector<NamedFile> inputs = files_of(as_read);
  inputs.push_back({"PROGRAM", options.program});
  refuse_bad_outputs(
      std::array{NamedFile{"--trace", options.trace}, NamedFile{"--signature", options.signature}}, inputs);
  const machine::Machine machine = with_memory(as_read, options);
  const system::Program program = program_of(options, machine);
  std::vector<machine::Variant> variants;
  if (options.sensitivity) variants = machine::plausible_variants(machine);
  std::pair<std::uint64_t, std::uint64_t> signature;
  if (!options.signature.empty()) signature = signature_range(program, machine);

  system::Computer computer(machine, options.nodes);
  PlausibleRun run;
  system::LaunchOptions launch = launch_options(options);
  InputTape input(launch.text_input);
  if (options.sensitivity) launch.text_input = input.reader();
  take_output(launch, run, options);
  // Also once nobody reads what it writes.
  launch.host.interrupted = [] { return stop_was_asked() || std::ferror(stdout) != 0; };
  std::optional<debug::GdbServer> server;
  if (options.gdb) {
    launch.debugger = debugged_by_gdb(server.emplace(*options.gdb), options.program);
  }
  std::optional<debug::InstructionTrace> trace;
  if (!options.trace.empty()) {
    trace.emplace(options.trace);
    launch.debugger = [&](system::Debuggee& debuggee) { trace->run(debuggee); };
  }
  run.result = computer.launch(program, 0, 0, launch);
  if (std::ferror(stdout) != 0) refuse("standard output", "cannot be written");
  if (trace) trace->finish();
  if (!options.signature.empty()) {
    const auto bytes = computer.sram(0).subspan(signature.first, signature.second - signature.first);
    write_text(options.signature, signature_text(bytes, options.signature_granularity));
  }

  Executed executed{as_read, machine, program, run, std::move(variants), {}};
  if (options.sensitivity && run.result.outcome == system::Outcome::finished)
    executed.variant_runs = run_variants(options, executed.variants, program, input, run);
  if (!executed.variant_runs.empty()) end_if_stopped("not every run of --sensitivity has ended");
  print_all(options, executed);
  std::fflush(stdout);
  return exit_code_of(options, run.result);
}

}  // namespace

Command exec_command() {
  auto options = std::make_shared<ExecOptions>();
  ExecOptions& o = *options;
  return {.name = "exec",
          .summary = "Run a static RV64 program on the nodes",
          .options = joined(
              {program_options(o),
               {no_timing_flag(o.host),
                {.name = "--quiet", .into = &o.quiet, .help = "What the program writes and nothing else"},
                {.name = "--gdb",
                 .into = &o.gdb,
                 .help = "Port of this computer where gdb may connect and debug; 0: any free one",
                 .value = "PORT",
                 .most = 65535},
                {.name = "--trace",
                 .into = &o.trace,
                 .help = "Write a line per instruction to FILE",
                 .value = "FILE",
                 .is_path = true,
                 .excludes = {"--gdb"}},
                {.name = "--sensitivity",
                 .into = &o.sensitivity,
                 .help = "Run again over all plausible latencies of the machine and say what they change",
                 .excludes = {"--quiet", "--no-timing", "--gdb", "--trace"}},
                {.name = "--signature",
                 .into = &o.signature,
                 .help = "Write node 0's bytes from begin_signature to end_signature to FILE",
                 .value = "FILE",
                 .is_path = true},
                {.name = "--signature-granularity",
                 .into = &o.signature_granularity,
                 .help = "Bytes in a line of the signature",
                 .least = 1,
                 .most = 4096,
                 .needs = {"--signature"}},
                {.name = "--json", .into = &o.json, .help = "Everything, with the ledger, as JSON"}}}),
          .footer =
              "Exit code: the program's own; 2 for what is refused, 3 for a program that traps, deadlocks or "
              "runs "
              "too long,\n130 after Ctrl-C",
          .run = [options](Command&) { return exec(*options); }};
}

}  // namespace dojo::tools
