// A bare program's run in words and as JSON.
#pragma once

#include <string>
#include <string_view>

#include "machine/machine.h"
#include "report/sensitivity_report.h"
#include "runtime/sensitivity.h"
#include "system/computer.h"
#include "system/program.h"

namespace dojo::report {

// The program, what it ran on, and all that is said about it at the end.
struct ProgramReport {
  std::string_view file;            // of the program, as it was named
  const machine::Machine& as_read;  // which may have less memory than the program was given
  const machine::Machine& machine;
  const system::Program& program;
  const runtime::ProgramRun& run;
  unsigned nodes = 1;
  bool timing = true;
  Sensitivity sensitivity = {};  // without runs: it was not asked for
};

std::string program_text(const ProgramReport& report);
std::string program_json(const ProgramReport& report);

std::string_view name_of(system::Outcome outcome);  // "trapped"

}  // namespace dojo::report
