// A program again on every plausible variant of its machine. The runs are independent, so they share the
// host's threads, and each sees the same input.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "machine/sensitivity.h"
#include "runtime/input_tape.h"
#include "system/computer.h"
#include "system/program.h"

namespace dojo::runtime {

// One run of a bare program: how it ended, and what it wrote.
struct ProgramRun {
  system::LaunchResult result;
  std::string output, error_output;
};

// By variant; the first is `baseline`, which has been run already. `launch`: as that was, but for the input,
// which is `input`'s, and the output; its host's threads take a run each. Interrupted runs end as such.
std::vector<ProgramRun> run_variants(std::span<const machine::Variant> variants,
                                     const system::Program& program, unsigned nodes,
                                     const system::LaunchOptions& launch, InputTape& input,
                                     ProgramRun baseline);

}  // namespace dojo::runtime
