// dojo profile: runs a program and says where its cycles went, by function and by source line.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "commands.h"
#include "output_files.h"
#include "report/callgrind.h"
#include "report/profile_report.h"
#include "run_program.h"
#include "runtime/source_lines.h"
#include "say.h"
#include "stop_request.h"

namespace dojo::tools {

namespace {

struct ProfileOptions : ProgramOptions {
  unsigned rows = 20;
  bool json = false, all = false;
  std::string callgrind;
};

void print_profile(const ProfileOptions& options, const machine::Machine& machine,
                   const system::LaunchResult& result, const system::Profile& profile,
                   const runtime::SourceLines& places) {
  const system::ProfileEntry sum = report::sum_of(profile);
  const report::ProfileRows functions = report::rows_by_function(profile, places);
  const report::ProfileRows lines = report::rows_by_line(profile, places, options.all || options.json);
  if (options.json) {
    fmt::print("{}", report::profile_json({.program = options.program,
                                           .machine = machine.name,
                                           .nodes = options.nodes,
                                           .launch_cycles = result.cycles,
                                           .functions = functions,
                                           .lines = lines,
                                           .sum = sum}));
    return;
  }
  if (result.outcome == system::Outcome::interrupted)
    fmt::print("\n{} cycles of all threads together until it was interrupted\n", sum.total());
  else
    fmt::print("\n{} cycles, {} of all threads together\n", result.cycles, sum.total());
  fmt::print("{}", report::profile_table("function", functions, options.rows, sum));
  fmt::print("{}", report::profile_table("line", lines, options.rows, sum));
}

int profile_program(const ProfileOptions& options) {
  listen_for_stop_requests();
  const machine::Machine machine = with_memory(machine::read_machine(options.machine), options);
  std::vector<NamedFile> inputs = files_of(machine);
  inputs.push_back({"PROGRAM", options.program});
  refuse_bad_outputs(std::array{NamedFile{"--callgrind", options.callgrind}}, inputs);
  const system::Program program = program_of(options, machine);
  system::Computer computer(machine, options.nodes);
  system::Profile profile;
  system::LaunchOptions launch = launch_options(options);
  launch.profile = &profile;
  // The program's own words must not get into a table that another program reads.
  launch.text_output = [&](std::string_view words) {
    std::fwrite(words.data(), 1, words.size(), options.json ? stderr : stdout);
  };
  launch.host.interrupted = [] { return stop_was_asked() || std::ferror(stdout) != 0; };
  const system::LaunchResult result = computer.launch(program, 0, 0, launch);
  for (const std::string& warning : result.warnings) say("dojo: warning: {}", warning);

  if (std::ferror(stdout) != 0) refuse("standard output", "cannot be written");
  const runtime::SourceLines places = unless_stopped("nothing was said of its cycles", [&] {
    return runtime::source_lines(options.program, program, profile);
  });
  if (!options.callgrind.empty())
    write_text(options.callgrind, report::callgrind_text(options.program, profile, places));
  print_profile(options, machine, result, profile, places);
  std::fflush(stdout);
  return exit_code_of(options, result);
}

}  // namespace

Command profile_command() {
  auto options = std::make_shared<ProfileOptions>();
  ProfileOptions& o = *options;
  return {.name = "profile",
          .summary = "Run a program: cycles per function and line, by cause",
          .options = joined(
              {program_options(o),
               {{.name = "--rows", .into = &o.rows, .help = "Functions and lines to show", .most = 1'000'000},
                {.name = "--all", .into = &o.all, .help = "Each line of the C library, too"},
                {.name = "--json", .into = &o.json, .help = "All functions and lines as JSON"},
                {.name = "--callgrind",
                 .into = &o.callgrind,
                 .help = "Also a file for kcachegrind or callgrind_annotate",
                 .is_path = true}}}),
          .run = [options](Command&) { return profile_program(*options); }};
}

}  // namespace dojo::tools
