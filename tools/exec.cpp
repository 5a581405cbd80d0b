// dojo exec: runs a bare program on the nodes and says what it did and where its cycles went.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "commands.h"
#include "debug/instruction_trace.h"
#include "debug/server.h"
#include "output_files.h"
#include "report/program_report.h"
#include "run_program.h"
#include "runtime/sensitivity.h"
#include "runtime/signature.h"
#include "say.h"
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

std::function<void(system::Debuggee&)> debugged_by_gdb(debug::GdbServer& server, const std::string& program) {
  return [&server, program](system::Debuggee& debuggee) {
    say("waiting for gdb: gdb-multiarch {} -ex 'target remote 127.0.0.1:{}'", program, server.port());
    if (server.serve(debuggee)) say("gdb went away");
  };
}

void print_all(const ExecOptions& options, const report::ProgramReport& report) {
  if (options.json) {
    fmt::print("{}", report::program_json(report));
    return;
  }
  const runtime::ProgramRun& run = report.run;
  for (const std::string& warning : run.result.warnings) say("dojo: warning: {}", warning);
  if (options.quiet) return;
  if (!run.output.empty() && !run.output.ends_with('\n')) fmt::print("\n");
  fmt::print("{}", report::program_text(report));
}

// Takes what the program writes; people see it at once. What nobody will ask for is not kept, but for the
// last words: the summary begins on a line of its own.
void take_output(system::LaunchOptions& launch, runtime::ProgramRun& run, const ExecOptions& options) {
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
  if (!options.signature.empty()) signature = runtime::signature_range(program, machine);

  system::Computer computer(machine, options.nodes);
  runtime::ProgramRun run;
  system::LaunchOptions launch = launch_options(options);
  runtime::InputTape input(launch.text_input);
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
    write_text(options.signature, runtime::signature_text(bytes, options.signature_granularity));
  }

  std::vector<runtime::ProgramRun> variant_runs;
  if (options.sensitivity && run.result.outcome == system::Outcome::finished) {
    launch.host.interrupted = stop_was_asked;
    variant_runs = runtime::run_variants(variants, program, options.nodes, launch, input, run);
    end_if_stopped("not every run of --sensitivity has ended");
  }
  print_all(options, {.file = options.program,
                      .as_read = as_read,
                      .machine = machine,
                      .program = program,
                      .run = run,
                      .nodes = options.nodes,
                      .timing = !options.host.no_timing,
                      .sensitivity = {variants, variant_runs, options.nodes}});
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
